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
/// let i = in9_analysis::stats::wilson(8, 10, 0.95);
/// assert_eq!((i.low * 1e4).round(), 4902.0);
/// assert_eq!((i.high * 1e4).round(), 9433.0);
/// ```
pub fn wilson(successes: u64, total: u64, level: f64) -> Interval {
    if total == 0 {
        return Interval::new(f64::NAN, 0.0, 1.0);
    }
    score_interval(successes as f64 / total as f64, total as f64, level)
}

/// Wilson's interval of a share whose trials come in clusters, (successes, trials) of each: with as many trials as
/// independent ones would be as certain.
///
/// With one trial a cluster it is [`wilson`]. The trials are divided by the design effect, the variance of the share by
/// clusters over that of independent trials, at least 1.
///
/// Source: L. Kish, "Survey Sampling", 1965, §8.2; E. L. Korn and B. I. Graubard, "Confidence intervals for
/// proportions with small expected number of positive counts estimated from survey data", 1998.
pub fn wilson_in_clusters(clusters: &[(u64, u64)], level: f64) -> Interval {
    let (successes, total) = clusters.iter().fold((0, 0), |(k, n), c| (k + c.0, n + c.1));
    if clusters.len() < 2 || clusters.iter().all(|c| c.1 <= 1) {
        return wilson(successes, total, level);
    }
    let (m, n) = (clusters.len() as f64, total as f64);
    let p = successes as f64 / n;
    let squares: f64 = clusters.iter().map(|&(k, t)| (k as f64 - p * t as f64).powi(2)).sum();
    let independent = p * (1.0 - p) / n;
    let effect = if independent > 0.0 {
        (squares * m / (m - 1.0) / (n * n) / independent).max(1.0)
    } else {
        // All right or all wrong: as many independent answers as there are clusters.
        n / m
    };
    score_interval(p, n / effect, level)
}

/// Wilson's interval of the share `p` of `n` trials, not necessarily whole.
fn score_interval(p: f64, n: f64, level: f64) -> Interval {
    let z = normal_quantile(0.5 + level / 2.0);
    let centre = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    // The limits touch the estimate exactly at 0 and 1; rounding must not push them past it.
    Interval::new(p, (centre - half).clamp(0.0, p), (centre + half).clamp(p, 1.0))
}

/// Interval of the unweighted mean of independent proportions, such as balanced accuracy.
///
/// `counts` holds (successes, total) of each stratum; strata without trials are left out. A normal interval around the
/// mean of the shares; each stratum's variance is that of the mean of Jeffreys' posterior, (k + ½) / (n + 1), so that a
/// small stratum with none or all right does not pass for certain. One stratum alone has [`wilson`]'s interval.
///
/// Combining the limits of the strata's Wilson intervals instead puts the lower limit too high where many shares are
/// near zero: their skewness averages out in a mean (`tests/coverage.rs`).
///
/// Source: L. D. Brown, T. T. Cai, A. DasGupta, "Interval estimation for a binomial proportion", Statistical Science
/// 2001, §3 and §4 (Jeffreys' prior).
pub fn mean_of_proportions(counts: &[(u64, u64)], level: f64) -> Interval {
    let strata: Vec<(u64, u64)> = counts.iter().copied().filter(|(_, n)| *n > 0).collect();
    match strata[..] {
        [] => return Interval::new(f64::NAN, 0.0, 1.0),
        [(k, n)] => return wilson(k, n, level),
        _ => {}
    }
    let m = strata.len() as f64;
    let value = strata.iter().map(|&(k, n)| k as f64 / n as f64).sum::<f64>() / m;
    let variance = |&(k, n): &(u64, u64)| of_share(k as f64, n as f64);
    let half = normal_quantile(0.5 + level / 2.0) * strata.iter().map(variance).sum::<f64>().sqrt() / m;
    Interval::new(value, (value - half).max(0.0), (value + half).min(1.0))
}

/// Interval of a weighted mean of independent proportions, by the method of [`mean_of_proportions`].
///
/// `strata` holds (successes, total, weight) of each stratum, where successes need not be whole; weights sum to 1, and no
/// stratum is empty.
pub(crate) fn weighted_mean_of_proportions(strata: &[(f64, f64, f64)], level: f64) -> Interval {
    let value: f64 = strata.iter().map(|(k, n, weight)| weight * k / n).sum();
    let variance: f64 = strata.iter().map(|&(k, n, weight)| weight * weight * of_share(k, n)).sum();
    let half = normal_quantile(0.5 + level / 2.0) * variance.sqrt();
    Interval::new(value, (value - half).max(0.0).min(value), (value + half).min(1.0).max(value))
}

/// Variance of a share of `n` trials at the mean of Jeffreys' posterior.
fn of_share(k: f64, n: f64) -> f64 {
    let p = (k + 0.5) / (n + 1.0);
    p * (1.0 - p) / n
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
    fn equal_weights_are_none() {
        let counts = [(7, 12), (30, 31), (0, 9)];
        let strata = counts.map(|(k, n)| (f64::from(k), f64::from(n), 1.0 / 3.0));
        let weighted = weighted_mean_of_proportions(&strata, 0.9);
        let plain = mean_of_proportions(&counts.map(|(k, n)| (k as u64, n as u64)), 0.9);
        for (a, b) in [(weighted.value, plain.value), (weighted.low, plain.low), (weighted.high, plain.high)]
        {
            assert!((a - b).abs() < 1e-12, "{weighted:?} {plain:?}");
        }
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
