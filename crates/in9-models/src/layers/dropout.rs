//! Dropout (Srivastava et al. 2014) whose masks follow from the run's seed.

use candle_core::Tensor;

use crate::error::Result;
use crate::model::{Context, Mode};
use crate::params::Params;

/// Sets each value to zero with probability `rate` in training and scales the others up; the
/// identity in evaluation.
///
/// The mask of a step is keyed by (seed, step, the layer's name), so an interrupted run draws the
/// same masks when it goes on.
pub struct Dropout {
    rate: f64,
    name: String,
}

impl Dropout {
    /// The layer `name` of this level, with `rate` in `0..1` unless `params` overrides it
    /// ([`Params::with_dropout`]).
    pub fn new(params: &Params, name: &str, rate: f64) -> Self {
        Self { rate: params.dropout().unwrap_or(rate), name: params.name(name) }
    }

    /// Applies the layer.
    ///
    /// # Shapes
    /// `x` and the output: any, the same
    ///
    /// # Errors
    /// When `rate` is not in `0..1`.
    pub fn forward(&self, x: &Tensor, context: &Context) -> Result<Tensor> {
        match context.mode() {
            Mode::Train { seed, step } if self.rate != 0.0 => {
                #[cfg(feature = "cuda")]
                if let Some(key) = crate::replay::step_keys::next(&self.name)? {
                    return Ok(in9_kernels::dropout_on_gpu(x, self.rate, &key)?);
                }
                Ok(in9_kernels::dropout(x, self.rate, Self::key(&self.name, seed, step))?)
            }
            _ => Ok(x.clone()),
        }
    }

    /// The key of the layer of this name in a step.
    pub(crate) fn key(name: &str, seed: u64, step: u64) -> u64 {
        let mut hasher = blake3::Hasher::new_derive_key("in9-models dropout mask of a step");
        hasher.update(&seed.to_le_bytes());
        hasher.update(&step.to_le_bytes());
        hasher.update(name.as_bytes());
        let mut key = [0; 8];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        u64::from_le_bytes(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    fn dropped(name: &str, mode: Mode) -> Vec<f32> {
        let params = Params::random(0, DType::F32, &Device::Cpu);
        let layer = Dropout::new(&params, name, 0.5);
        let x = Tensor::ones(64, DType::F32, &Device::Cpu).unwrap();
        layer.forward(&x, &Context::new(mode)).unwrap().to_vec1().unwrap()
    }

    #[test]
    fn masks_differ_by_layer_and_step_and_keep_the_mean() {
        let train = |seed, step| Mode::Train { seed, step };
        let a = dropped("a", train(1, 2));
        assert_eq!(a, dropped("a", train(1, 2)));
        assert_ne!(a, dropped("b", train(1, 2)));
        assert_ne!(a, dropped("a", train(1, 3)));
        assert_ne!(a, dropped("a", train(2, 2)));
        assert!(a.iter().all(|&v| v == 0.0 || v == 2.0), "{a:?}");
        assert_eq!(dropped("a", Mode::Eval), vec![1.0; 64]);
    }
}
