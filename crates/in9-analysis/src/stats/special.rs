//! Distributions behind the tests and intervals: normal, Student t and binomial.
//!
//! By `statrs`; the oracle test holds each against SciPy (`tests/statistics_oracle.rs`). Arguments outside a
//! function's domain give NaN.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal, StudentsT};
use statrs::function::beta::checked_beta_reg;
use statrs::function::gamma::checked_gamma_ur;

/// Regularised incomplete beta function I_x(a, b) for `a, b > 0` and `x` in `0..=1`.
pub fn beta_inc(a: f64, b: f64, x: f64) -> f64 {
    checked_beta_reg(a, b, x).unwrap_or(f64::NAN)
}

/// Upper tail of the chi-square distribution with one degree of freedom, `x >= 0`.
pub fn chi2_1_sf(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    checked_gamma_ur(0.5, x / 2.0).unwrap_or(f64::NAN)
}

/// Distribution function of the standard normal.
pub fn normal_cdf(z: f64) -> f64 {
    // By the chi-square distribution of z²: statrs' own is right to eleven digits only.
    let tail = 0.5 * chi2_1_sf(z * z);
    if z > 0.0 { 1.0 - tail } else { tail }
}

/// Quantile of the standard normal for `p` in `0..=1`.
pub fn normal_quantile(p: f64) -> f64 {
    if (0.0..=1.0).contains(&p) { Normal::standard().inverse_cdf(p) } else { f64::NAN }
}

/// Distribution function of Student's t with `df > 0` degrees of freedom.
pub fn t_cdf(t: f64, df: f64) -> f64 {
    StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |d| d.cdf(t))
}

/// Quantile of Student's t with `df > 0` degrees of freedom for `p` in `0..=1`.
pub fn t_quantile(p: f64, df: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, df) {
        Ok(d) if (0.0..=1.0).contains(&p) => d.inverse_cdf(p),
        _ => f64::NAN,
    }
}

/// P(X <= k) for X binomial with `n` trials of probability `p` in `0..=1`.
pub fn binomial_cdf(k: u64, n: u64, p: f64) -> f64 {
    Binomial::new(p, n).map_or(f64::NAN, |d| d.cdf(k))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-10);
        assert!((t_quantile(0.975, 4.0) - 2.776_445_105_197_793).abs() < 1e-8);
        // P(X <= 1) of four fair coins: (1 + 4) / 16.
        assert!((binomial_cdf(1, 4, 0.5) - 5.0 / 16.0).abs() < 1e-14);
        assert_eq!(binomial_cdf(4, 4, 0.5), 1.0);
        assert_eq!((beta_inc(2.0, 3.0, 0.0), beta_inc(2.0, 3.0, 1.0)), (0.0, 1.0));
    }

    #[test]
    fn distributions_are_symmetric() {
        for z in [0.1, 1.0, 2.5, 6.0] {
            assert!((normal_cdf(z) + normal_cdf(-z) - 1.0).abs() < 1e-14);
            assert!((t_cdf(z, 3.0) + t_cdf(-z, 3.0) - 1.0).abs() < 1e-14);
        }
    }

    #[test]
    fn outside_its_domain_a_function_is_not_a_number() {
        assert!(
            normal_quantile(1.5).is_nan()
                && t_quantile(0.5, 0.0).is_nan()
                && t_quantile(f64::NAN, 3.0).is_nan()
        );
        assert!(
            beta_inc(-1.0, 1.0, 0.5).is_nan() && binomial_cdf(1, 2, 7.0).is_nan() && chi2_1_sf(-1.0).is_nan()
        );
    }
}
