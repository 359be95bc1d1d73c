//! Special functions behind the tests and intervals: normal, Student t and binomial distributions.
//!
//! Accurate to about 1e-12, which the oracle test asserts against SciPy.

/// Natural logarithm of the gamma function for `x > 0` (Lanczos' approximation, g = 7, nine terms).
pub fn ln_gamma(x: f64) -> f64 {
    const C: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        // Reflection keeps the series on its good side.
        let pi = std::f64::consts::PI;
        return (pi / (pi * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let t = x + 7.5;
    let series = C[1..].iter().enumerate().fold(C[0], |s, (i, c)| s + c / (x + i as f64 + 1.0));
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + series.ln()
}

/// Regularised incomplete beta function I_x(a, b) for `a, b > 0` and `x` in `0..=1`.
///
/// Continued fraction evaluated by Lentz's method, on the side where it converges fast.
pub fn beta_inc(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_inc(b, a, 1.0 - x);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp() / a;
    let tiny = 1e-300;
    let away = |v: f64| if v.abs() < tiny { tiny } else { v };
    let (mut c, mut d) = (1.0, 1.0 / away(1.0 - (a + b) * x / (a + 1.0)));
    let mut f = d;
    for m in 1..500 {
        let m = m as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        f *= c * d;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        let step = c * d;
        f *= step;
        if (step - 1.0).abs() < 1e-15 {
            break;
        }
    }
    front * f
}

/// Regularised lower incomplete gamma function P(a, x) for `a > 0`, `x >= 0`.
fn gamma_inc(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term.abs() > sum.abs() * 1e-16 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return front * sum;
    }
    1.0 - gamma_tail(a, x, front)
}

/// Continued fraction of the upper incomplete gamma function, times its front factor.
fn gamma_tail(a: f64, x: f64, front: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut c = 1e300;
    let mut d = 1.0 / b;
    let mut h = d;
    for i in 1..500 {
        let an = -(i as f64) * (i as f64 - a);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        let step = c * d;
        h *= step;
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    front * h
}

/// Upper tail of the chi-square distribution with one degree of freedom, `x >= 0`.
pub fn chi2_1_sf(x: f64) -> f64 {
    let (a, x) = (0.5, x / 2.0);
    if x < a + 1.0 { 1.0 - gamma_inc(a, x) } else { gamma_tail(a, x, (a * x.ln() - x - ln_gamma(a)).exp()) }
}

/// Distribution function of the standard normal.
pub fn normal_cdf(z: f64) -> f64 {
    let tail = 0.5 * chi2_1_sf(z * z);
    if z > 0.0 { 1.0 - tail } else { tail }
}

/// Quantile of the standard normal for `p` in `0..1`, by bisection.
pub fn normal_quantile(p: f64) -> f64 {
    bisect(normal_cdf, p, -40.0, 40.0)
}

/// Distribution function of Student's t with `df > 0` degrees of freedom.
pub fn t_cdf(t: f64, df: f64) -> f64 {
    let tail = 0.5 * beta_inc(df / 2.0, 0.5, df / (df + t * t));
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// Quantile of Student's t with `df` degrees of freedom for `p` in `0..1`, by bisection.
pub fn t_quantile(p: f64, df: f64) -> f64 {
    bisect(|t| t_cdf(t, df), p, -1e5, 1e5)
}

/// P(X <= k) for X binomial with `n` trials of probability `p`.
pub fn binomial_cdf(k: u64, n: u64, p: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    beta_inc((n - k) as f64, k as f64 + 1.0, 1.0 - p)
}

fn bisect(f: impl Fn(f64) -> f64, target: f64, mut low: f64, mut high: f64) -> f64 {
    // 200 halvings end at neighbouring floats from any start used here.
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if f(middle) < target {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert!((ln_gamma(5.0) - 24f64.ln()).abs() < 1e-12);
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-10);
        assert!((t_quantile(0.975, 4.0) - 2.776_445_105_197_793).abs() < 1e-8);
        // P(X <= 1) of four fair coins: (1 + 4) / 16.
        assert!((binomial_cdf(1, 4, 0.5) - 5.0 / 16.0).abs() < 1e-14);
        assert_eq!(binomial_cdf(4, 4, 0.5), 1.0);
    }

    #[test]
    fn distributions_are_symmetric() {
        for z in [0.1, 1.0, 2.5, 6.0] {
            assert!((normal_cdf(z) + normal_cdf(-z) - 1.0).abs() < 1e-14);
            assert!((t_cdf(z, 3.0) + t_cdf(-z, 3.0) - 1.0).abs() < 1e-14);
        }
    }
}
