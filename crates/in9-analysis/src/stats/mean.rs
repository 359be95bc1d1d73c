//! Mean of a few repeated measurements, such as training seeds.

use super::Interval;
use super::special::t_quantile;

/// Mean of `values` with Student's t limits at `level`; NaN limits for fewer than two values.
///
/// Right for a handful of training seeds, where the bootstrap has too few things to resample.
///
/// ```
/// let i = in9_analysis::stats::student(&[1.0, 2.0, 3.0], 0.95);
/// assert_eq!(i.value, 2.0);
/// assert!((i.high - 4.484).abs() < 1e-3);
/// ```
pub fn student(values: &[f64], level: f64) -> Interval {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    if values.len() < 2 {
        return Interval::new(mean, f64::NAN, f64::NAN);
    }
    let half = t_quantile(0.5 + level / 2.0, n - 1.0) * deviation(values) / n.sqrt();
    Interval::new(mean, mean - half, mean + half)
}

/// Sample standard deviation (divisor n − 1); NaN for fewer than two values.
fn deviation(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_no_limits() {
        let i = student(&[3.0], 0.95);
        assert!(i.value == 3.0 && i.low.is_nan());
        assert!((deviation(&[1.0, 3.0]) - 2f64.sqrt()).abs() < 1e-15);
    }
}
