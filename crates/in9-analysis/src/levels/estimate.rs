//! A figure with its standard error, and what is made of it: intervals, p-values, power.

use crate::stats::Interval;
use crate::stats::special::{normal_cdf, normal_quantile, t_cdf, t_quantile};
use serde::Serialize;

/// Variance of a figure by level, in the figure's unit squared.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Components {
    /// From photograph to photograph, with the backgrounds drawn for each.
    pub photographs: f64,
    /// The part of `photographs` that drawing other backgrounds makes; `None` where most photographs were tested on one
    /// background only, which cannot tell the two apart.
    pub pairings: Option<f64>,
    /// From backgrounds that several photographs share.
    pub backgrounds: f64,
    /// From training to training, beyond their interaction with photographs; 0 where there was one, and below zero where they
    /// differ by less than the interaction makes by chance, so that the total is right on average.
    pub trainings: f64,
}

impl Components {
    /// The figure's variance.
    pub fn total(&self) -> f64 {
        self.photographs + self.backgrounds + self.trainings
    }
}

/// A figure with what is known about its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Its standard error over every level; NaN for one photograph.
    pub error: f64,
    /// Degrees of freedom of the standard error, at least 1.
    pub df: f64,
    /// Photographs that it was measured on.
    pub photographs: usize,
    /// Fewest trainings of any configuration in it; with 1 its interval says nothing about other trainings.
    pub trainings: usize,
    /// Variance by level.
    pub parts: Components,
}

impl Estimate {
    /// Student's interval.
    pub fn interval(&self, level: f64) -> Interval {
        let half = quantile(0.5 + level / 2.0, self.df) * self.error;
        Interval::new(self.value, self.value - half, self.value + half)
    }

    /// Wilson's interval of a share: that of as many independent photographs as would be as certain, so that it stays
    /// within `0..=1` and is not symmetric near the ends.
    pub fn share_interval(&self, level: f64) -> Interval {
        let p = self.value.clamp(0.0, 1.0);
        // All right or all wrong tells the variance of nothing: then photographs count one by one.
        let varies = p * (1.0 - p) > 0.0 && self.error > 0.0;
        let n = if varies { p * (1.0 - p) / self.error.powi(2) } else { self.photographs as f64 };
        let z = quantile(0.5 + level / 2.0, self.df);
        let centre = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        Interval::new(p, (centre - half).clamp(0.0, p), (centre + half).clamp(p, 1.0))
    }

    /// The figure times `factor`, such as 100 for percent.
    pub fn scaled(self, factor: f64) -> Self {
        let square = factor * factor;
        let parts = Components {
            photographs: self.parts.photographs * square,
            pairings: self.parts.pairings.map(|v| v * square),
            backgrounds: self.parts.backgrounds * square,
            trainings: self.parts.trainings * square,
        };
        Self { value: self.value * factor, error: self.error * factor.abs(), parts, ..self }
    }
}

/// Two-sided p-value of the hypothesis that the truth is `truth`, from an interval at `level` with Student's `df`: below
/// 1 − `level` exactly where the interval leaves `truth` out. 1 for an interval without limits.
///
/// The two halves of the interval may differ, as Wilson's do; the one that faces `truth` counts.
///
/// ```
/// use in9_analysis::{levels, stats::Interval};
/// let i = Interval::new(2.0, 0.0, 4.0);
/// assert!((levels::p_value(&i, 0.95, f64::INFINITY, 0.0) - 0.05).abs() < 1e-9);
/// ```
pub fn p_value(interval: &Interval, level: f64, df: f64, truth: f64) -> f64 {
    let half =
        if truth < interval.value { interval.value - interval.low } else { interval.high - interval.value };
    let away = (interval.value - truth).abs();
    if half.is_nan() || away == 0.0 {
        return 1.0;
    }
    if half == 0.0 {
        return 0.0;
    }
    2.0 * below(-away / half * quantile(0.5 + level / 2.0, df), df)
}

/// The smallest effect that a figure with standard error `error` shows with probability `power` when its two-sided test
/// is held at `alpha`.
///
/// ```
/// let smallest = in9_analysis::levels::smallest_shown(1.0, f64::INFINITY, 0.05, 0.8);
/// assert!((smallest - 2.8016).abs() < 1e-3);
/// ```
pub fn smallest_shown(error: f64, df: f64, alpha: f64, power: f64) -> f64 {
    (quantile(1.0 - alpha / 2.0, df) + normal_quantile(power)) * error
}

/// Probability that an effect of size `effect` is shown by a figure with standard error `error` when its two-sided test
/// is held at `alpha`.
pub fn power(effect: f64, error: f64, df: f64, alpha: f64) -> f64 {
    below(effect.abs() / error - quantile(1.0 - alpha / 2.0, df), df)
}

/// From so many degrees of freedom on Student's distribution is taken for the normal one: limits differ by less than a
/// thousandth, and the quantile's search takes seconds for very many.
const MANY: f64 = 2000.0;

/// Quantile `p` of Student's distribution, of the normal one for many or infinite degrees of freedom.
fn quantile(p: f64, df: f64) -> f64 {
    if df < MANY { t_quantile(p, df) } else { normal_quantile(p) }
}

/// Probability below `t`, in the same way.
fn below(t: f64, df: f64) -> f64 {
    if df < MANY { t_cdf(t, df) } else { normal_cdf(t) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_independent_photographs_has_wilsons_interval() {
        let error = (0.3f64 * 0.7 / 200.0).sqrt();
        let share = Estimate {
            value: 0.3,
            error,
            df: f64::INFINITY,
            photographs: 200,
            trainings: 1,
            parts: Components::default(),
        };
        let (ours, wilson) = (share.share_interval(0.95), crate::stats::wilson(60, 200, 0.95));
        assert!((ours.low - wilson.low).abs() < 1e-6 && (ours.high - wilson.high).abs() < 1e-6);
        let none = Estimate { value: 0.0, error: 0.0, ..share }.share_interval(0.95);
        let wilson = crate::stats::wilson(0, 200, 0.95);
        assert!(none.low == 0.0 && (none.high - wilson.high).abs() < 1e-6);
    }

    #[test]
    fn p_values_invert_intervals_on_either_side() {
        let i = Interval::new(1.0, 0.5, 3.0);
        for df in [4.0, 30.0, f64::INFINITY] {
            assert!((p_value(&i, 0.95, df, 0.5) - 0.05).abs() < 1e-9);
            assert!((p_value(&i, 0.95, df, 3.0) - 0.05).abs() < 1e-9);
            assert!(p_value(&i, 0.95, df, 0.4) < 0.05 && p_value(&i, 0.95, df, 2.0) > 0.05);
        }
        assert_eq!(p_value(&Interval::new(1.0, f64::NAN, f64::NAN), 0.95, 3.0, 0.0), 1.0);
        // What is shown with a power of 80 % is shown with a power of 80 %.
        let smallest = smallest_shown(2.0, f64::INFINITY, 0.01, 0.8);
        assert!((power(smallest, 2.0, f64::INFINITY, 0.01) - 0.8).abs() < 1e-9);
    }
}
