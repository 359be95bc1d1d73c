//! What stands between the two layers of a transformer's perceptron.

use crate::activation::exp;
use crate::simd::loops::fma;
use crate::simd::{Level, for_each_level};

/// A function that is applied to every value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nonlinearity {
    /// The identity.
    None,
    /// `x Φ(x)`, with the error function (Hendrycks and Gimpel 2016, arXiv 1606.08415).
    Gelu,
    /// Its approximation by a hyperbolic tangent, `x σ(√(8/π) (x + 0.044715 x³))`.
    GeluTanh,
    /// `x σ(1.702 x)`, with which OpenAI trained.
    QuickGelu,
}

impl Nonlinearity {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Gelu, Self::GeluTanh, Self::QuickGelu];

    /// `f(x)`.
    #[cfg(test)]
    pub(super) fn value(self, x: f32) -> f32 {
        let mut y = [x];
        self.apply_to(Level::Portable, &mut y);
        y[0]
    }

    /// `y = f(y)`.
    pub(super) fn apply_to(self, level: Level, y: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Gelu => gelu(level, y),
            Self::GeluTanh => gelu_tanh(level, y),
            Self::QuickGelu => quick_gelu(level, y),
        }
    }
}

for_each_level! {
    fn gelu(y: &mut [f32]) {
        for y in y {
            let a = y.abs();
            // Beyond, it is below 1e-31: as zeros these do not become denormal numbers in products, which are slow.
            let tail = if a >= 12.0 { 0.0 } else { a * tail::<FMA>(a) };
            *y = y.max(0.0) - tail;
        }
    }
}

for_each_level! {
    fn gelu_tanh(y: &mut [f32]) {
        // 2 √(2/π).
        const SLOPE: f32 = 1.595_769;
        for y in y {
            let inner = SLOPE * fma::<FMA>(0.044_715 * *y * *y, *y, *y);
            *y /= 1.0 + exp::<FMA>(-inner);
        }
    }
}

for_each_level! {
    fn quick_gelu(y: &mut [f32]) {
        for y in y {
            *y /= 1.0 + exp::<FMA>(-1.702 * *y);
        }
    }
}

/// `1 − Φ(a)` for `a ≥ 0`, as `exp(−a²/2)` times a polynomial in `t = 1 / (1 + p a)`; within 1.3e-6 of itself.
///
/// The form is Hastings' (Abramowitz and Stegun 1964, 7.1.26), of a higher degree; `tests/oracles/gelu_tail.py` fitted it.
#[inline(always)]
fn tail<const FMA: bool>(a: f32) -> f32 {
    const P: f32 = 0.305;
    const SERIES: [f32; 8] = [
        0.036_699_302,
        -0.152_988_78,
        0.185_717_69,
        -0.037_977_565,
        0.121_022_07,
        0.103_420_75,
        0.122_466_84,
        0.121_639_736,
    ];
    let t = 1.0 / fma::<FMA>(P, a, 1.0);
    let mut series = SERIES[0];
    for &term in &SERIES[1..] {
        series = fma::<FMA>(series, t, term);
    }
    exp::<FMA>(-0.5 * a * a) * series * t
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The normal distribution function by its series, which is exact enough up to |x| = 5.
    fn phi(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for k in 1..200 {
            term *= -x * x / (2.0 * k as f64);
            sum += term / (2 * k + 1) as f64;
        }
        0.5 + sum / (2.0 * std::f64::consts::PI).sqrt()
    }

    #[test]
    fn every_function_is_its_definition_at_every_level() {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let xs: Vec<f32> = (-420..=420).map(|i| i as f32 / 100.0).collect();
        for level in Level::available() {
            for nonlinearity in Nonlinearity::ALL {
                let mut y = xs.clone();
                nonlinearity.apply_to(level, &mut y);
                for (&x, &y) in xs.iter().zip(&y) {
                    let wide = f64::from(x);
                    let inner = (8.0 / std::f64::consts::PI).sqrt() * (wide + 0.044715 * wide.powi(3));
                    let expected = match nonlinearity {
                        Nonlinearity::None => wide,
                        Nonlinearity::Gelu => wide * phi(wide),
                        Nonlinearity::GeluTanh => wide * sigmoid(inner),
                        Nonlinearity::QuickGelu => wide * sigmoid(1.702 * wide),
                    };
                    assert!((f64::from(y) - expected).abs() < 6e-7, "{level:?} {nonlinearity:?} {x}: {y}");
                }
            }
        }
    }

    #[test]
    fn far_away_and_what_is_not_a_number() {
        for level in Level::available() {
            for nonlinearity in [Nonlinearity::Gelu, Nonlinearity::GeluTanh, Nonlinearity::QuickGelu] {
                let mut y = [40.0, -40.0, f32::NAN, 0.0, f32::INFINITY];
                nonlinearity.apply_to(level, &mut y);
                assert_eq!((y[0], y[4]), (40.0, f32::INFINITY), "{nonlinearity:?}");
                assert!(y[1].abs() < 1e-20 && y[2].is_nan() && y[3] == 0.0, "{nonlinearity:?} {y:?}");
            }
        }
    }
}
