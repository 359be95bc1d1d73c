//! McNemar's test of two classifiers on the same images.

use super::special::{binomial_cdf, chi2_1_sf};
use serde::Serialize;

/// Outcome of McNemar's test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct McNemar {
    /// Images that only the first classifier gets right.
    pub only_first: u64,
    /// Images that only the second classifier gets right.
    pub only_second: u64,
    /// Exact two-sided p-value: binomial with one half on the discordant images.
    pub p_exact: f64,
    /// p-value of the chi-square approximation with continuity correction.
    pub p_chi2: f64,
}

/// McNemar's test from the two discordant counts.
///
/// Source: Q. McNemar, "Note on the sampling error of the difference between correlated proportions
/// or percentages", Psychometrika 1947; continuity correction after A. L. Edwards, 1948.
///
/// ```
/// let t = in9_analysis::stats::mcnemar(1, 7);
/// assert!((t.p_exact - 2.0 * 9.0 / 256.0).abs() < 1e-12);
/// ```
pub fn mcnemar(only_first: u64, only_second: u64) -> McNemar {
    let n = only_first + only_second;
    let (p_exact, p_chi2) = if n == 0 {
        (1.0, 1.0)
    } else {
        let apart = only_first.abs_diff(only_second) as f64;
        let statistic = (apart - 1.0).max(0.0).powi(2) / n as f64;
        let tail = binomial_cdf(only_first.min(only_second), n, 0.5);
        ((2.0 * tail).min(1.0), chi2_1_sf(statistic))
    };
    McNemar { only_first, only_second, p_exact, p_chi2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_decides_nothing() {
        assert_eq!(mcnemar(0, 0).p_exact, 1.0);
        assert_eq!(mcnemar(5, 5).p_exact, 1.0);
    }

    #[test]
    fn order_does_not_matter() {
        assert_eq!(mcnemar(3, 12).p_exact, mcnemar(12, 3).p_exact);
        assert!(mcnemar(3, 12).p_exact < 0.05);
    }
}
