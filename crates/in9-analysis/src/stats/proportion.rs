//! Intervals for proportions and for averages of proportions.

use super::Interval;
use super::special::normal_quantile;

/// Wilson's score interval for `successes` of `total` trials at confidence `level` in `0..1`.
///
/// With no trials the estimate is undefined: the value is NaN and the limits are 0 and 1.
///
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
/// JASA 1927.
///
/// ```
/// let i = in9_analysis::stats::proportion::wilson(8, 10, 0.95);
/// assert_eq!((i.low * 1e4).round(), 4902.0);
/// assert_eq!((i.high * 1e4).round(), 9433.0);
/// ```
pub fn wilson(successes: u64, total: u64, level: f64) -> Interval {
    if total == 0 {
        return Interval::new(f64::NAN, 0.0, 1.0);
    }
    let z = normal_quantile(0.5 + level / 2.0);
    let n = total as f64;
    let p = successes as f64 / n;
    let centre = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    // The limits touch the estimate exactly at 0 and 1; rounding must not push them past it.
    Interval::new(p, (centre - half).clamp(0.0, p), (centre + half).clamp(p, 1.0))
}

/// Interval of the unweighted mean of independent proportions, such as balanced accuracy.
///
/// `counts` holds (successes, total) of each stratum; strata without trials are left out.
/// The limits of the strata's Wilson intervals are combined by the square root of summed squares of
/// their distances, so that small strata widen the interval as they should.
///
/// Source: G. Y. Zou and A. Donner, "Construction of confidence limits about effect measures: a
/// general approach", Statistics in Medicine 2008 (method of variance estimates recovery).
pub fn mean_of_proportions(counts: &[(u64, u64)], level: f64) -> Interval {
    let parts: Vec<Interval> =
        counts.iter().filter(|(_, n)| *n > 0).map(|&(k, n)| wilson(k, n, level)).collect();
    if parts.is_empty() {
        return Interval::new(f64::NAN, 0.0, 1.0);
    }
    let k = parts.len() as f64;
    let value = parts.iter().map(|i| i.value).sum::<f64>() / k;
    let below = parts.iter().map(|i| (i.value - i.low).powi(2)).sum::<f64>().sqrt() / k;
    let above = parts.iter().map(|i| (i.high - i.value).powi(2)).sum::<f64>().sqrt() / k;
    Interval::new(value, (value - below).max(0.0), (value + above).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_tried_knows_nothing() {
        let i = wilson(0, 0, 0.95);
        assert!(i.value.is_nan() && i.low == 0.0 && i.high == 1.0);
        assert!(mean_of_proportions(&[(0, 0)], 0.95).value.is_nan());
    }

    #[test]
    fn ends_are_exact() {
        assert_eq!(wilson(0, 20, 0.95).low, 0.0);
        assert_eq!(wilson(20, 20, 0.95).high, 1.0);
    }

    #[test]
    fn one_stratum_is_wilson() {
        let (a, b) = (mean_of_proportions(&[(7, 12), (0, 0)], 0.9), wilson(7, 12, 0.9));
        assert!((a.low - b.low).abs() < 1e-15 && (a.high - b.high).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn limits_stand_around_the_estimate(n in 1u64..5000, share in 0.0f64..=1.0) {
            let k = (n as f64 * share).round() as u64;
            let i = wilson(k, n, 0.95);
            prop_assert!(0.0 <= i.low && i.low <= i.value && i.value <= i.high && i.high <= 1.0);
            // Swapping success and failure mirrors the interval.
            let m = wilson(n - k, n, 0.95);
            prop_assert!((i.low + m.high - 1.0).abs() < 1e-12);
        }
    }
}
