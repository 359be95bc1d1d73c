//! Layer normalisation.

use candle_core::Tensor;
use in9_kernels::tokens;

use crate::error::Result;
use crate::init::Init;
use crate::params::{Kind, Params};

/// `(x − mean) / sqrt(variance + ε) · weight + bias` over the last axis.
pub(crate) struct LayerNorm {
    /// `[width]`
    weight: Tensor,
    /// `[width]`
    bias: Tensor,
    epsilon: f32,
}

impl LayerNorm {
    /// Parameters `name.weight` and `name.bias`.
    pub(crate) fn new(params: &Params, name: &str, width: usize, epsilon: f64) -> Result<Self> {
        let params = params.at(name);
        let weight = params.get("weight", &[width], Kind::Norm, Init::Constant(1.0))?;
        let bias = params.get("bias", &[width], Kind::Norm, Init::Constant(0.0))?;
        Ok(Self { weight: weight.value, bias: bias.value, epsilon: epsilon as f32 })
    }

    /// # Shapes
    /// - `x`, output: `[…, width]`
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if tokens::runs_on(x) {
            return Ok(tokens::layer_norm(x, &self.weight, &self.bias, self.epsilon)?);
        }
        Ok(candle_nn::ops::layer_norm_slow(x, &self.weight, &self.bias, self.epsilon)?)
    }
}
