//! Initial values of parameters, drawn from one ChaCha stream per parameter.
//!
//! The stream is keyed by (seed, the parameter's full name), so adding a layer moves no other
//! layer's weights, and the same seed gives the same bytes on every machine and thread count.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// How a parameter starts.
///
/// Fans are those of PyTorch: for a weight of shape `[out, in, k…]`, `fan_in = in·k…` and
/// `fan_out = out·k…`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Every element has this value.
    Constant(f64),
    /// Normal around 0 with this standard deviation.
    Normal {
        /// The standard deviation.
        std: f64,
    },
    /// Uniform in `[-bound, bound)`.
    Uniform {
        /// The bound.
        bound: f64,
    },
    /// Normal with `std = sqrt(2 / fan_out)`: torchvision's convolutions in residual networks
    /// (He et al. 2015, "Delving deep into rectifiers", for the gradient's variance).
    KaimingFanOut,
    /// Normal with `std = sqrt(2 / fan_in)` (the same paper, for the activations' variance).
    KaimingFanIn,
    /// Uniform in `±1 / sqrt(fan_in)`: PyTorch's default for linear layers and convolutions.
    FanInUniform,
}

impl Init {
    /// Values for a parameter of this name and shape, row-major.
    pub fn values(self, seed: u64, name: &str, shape: &[usize]) -> Vec<f64> {
        let count = shape.iter().product();
        let normal = |std: f64| {
            let mut stream = Stream::new(seed, name);
            (0..count).map(|_| std * stream.normal()).collect()
        };
        let uniform = |bound: f64| {
            let mut stream = Stream::new(seed, name);
            (0..count).map(|_| bound * (2.0 * stream.unit() - 1.0)).collect()
        };
        let receptive: usize = shape.iter().skip(2).product();
        let fan_out = shape.first().copied().unwrap_or(1) * receptive;
        let fan_in = shape.get(1).copied().unwrap_or(1) * receptive;
        match self {
            Init::Constant(value) => vec![value; count],
            Init::Normal { std } => normal(std),
            Init::Uniform { bound } => uniform(bound),
            Init::KaimingFanOut => normal((2.0 / fan_out as f64).sqrt()),
            Init::KaimingFanIn => normal((2.0 / fan_in as f64).sqrt()),
            Init::FanInUniform => uniform(1.0 / (fan_in as f64).sqrt()),
        }
    }
}

/// One parameter's stream of random numbers.
struct Stream {
    rng: ChaCha8Rng,
    spare: Option<f64>,
}

impl Stream {
    fn new(seed: u64, name: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("in9-models initial value of a parameter");
        hasher.update(&seed.to_le_bytes());
        hasher.update(name.as_bytes());
        Self { rng: ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()), spare: None }
    }

    /// Uniform in `[0, 1)` with 53 random bits.
    fn unit(&mut self) -> f64 {
        (self.rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal by the polar method of Marsaglia (two values a draw, one kept).
    ///
    /// `ln` and `sqrt` are the only functions used, so that the values do not hang on a
    /// platform's trigonometry.
    fn normal(&mut self) -> f64 {
        if let Some(value) = self.spare.take() {
            return value;
        }
        loop {
            let u = 2.0 * self.unit() - 1.0;
            let v = 2.0 * self.unit() - 1.0;
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let factor = (-2.0 * s.ln() / s).sqrt();
                self.spare = Some(v * factor);
                return u * factor;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_and_std(values: &[f64]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let var = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        (mean, var.sqrt())
    }

    #[test]
    fn kaiming_fan_out_has_its_standard_deviation() {
        let values = Init::KaimingFanOut.values(1, "conv1.weight", &[64, 16, 3, 3]);
        let (mean, std) = mean_and_std(&values);
        assert!(mean.abs() < 0.003, "{mean}");
        assert!((std / (2.0f64 / 576.0).sqrt() - 1.0).abs() < 0.02, "{std}");
    }

    #[test]
    fn default_of_a_linear_layer_fills_its_range() {
        let values = Init::FanInUniform.values(1, "fc.weight", &[9, 256]);
        let bound = 1.0 / 16.0;
        assert!(values.iter().all(|v| v.abs() <= bound));
        let (mean, std) = mean_and_std(&values);
        assert!(mean.abs() < 0.003, "{mean}");
        assert!((std / (bound / 3f64.sqrt()) - 1.0).abs() < 0.05, "{std}");
    }

    #[test]
    fn streams_differ_by_seed_and_name_only() {
        let of = |seed, name| Init::Normal { std: 1.0 }.values(seed, name, &[4]);
        assert_eq!(of(3, "a"), of(3, "a"));
        assert_ne!(of(3, "a"), of(4, "a"));
        assert_ne!(of(3, "a"), of(3, "b"));
    }
}
