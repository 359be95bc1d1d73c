//! The fully connected layer over tokens.

use candle_core::Tensor;

use crate::error::Result;
use crate::init::Init;
use crate::params::{Kind, Params};

/// `x · weightᵀ + bias` on the last axis.
pub(crate) struct TokenLinear {
    /// `[outputs, inputs]`
    weight: Tensor,
    /// `[outputs]`
    bias: Option<Tensor>,
}

impl TokenLinear {
    /// Parameters `name.weight` and, if there is one, `name.bias`.
    pub(crate) fn new(
        params: &Params,
        name: &str,
        inputs: usize,
        outputs: usize,
        bias: bool,
    ) -> Result<Self> {
        let params = params.at(name);
        let weight = params.get("weight", &[outputs, inputs], Kind::Weight, Init::Normal { std: 0.02 })?;
        let bias = match bias {
            true => Some(params.get("bias", &[outputs], Kind::Bias, Init::Constant(0.0))?.value),
            false => None,
        };
        Ok(Self { weight: weight.value, bias })
    }

    /// # Shapes
    /// - `x`: `[…, inputs]`, two or three axes
    /// - output: `[…, outputs]`
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mut shape = x.dims().to_vec();
        let (inputs, outputs) = (self.weight.dim(1)?, self.weight.dim(0)?);
        let rows = x.elem_count() / inputs.max(1);
        let y = x.reshape((rows, inputs))?.matmul(&self.weight.t()?)?;
        let y = match &self.bias {
            Some(bias) => y.broadcast_add(bias)?,
            None => y,
        };
        if let Some(last) = shape.last_mut() {
            *last = outputs;
        }
        Ok(y.reshape(shape)?)
    }

    /// The rows `first ..` of the layer alone: what a stacked layer computes of one of its parts.
    pub(crate) fn rows(&self, first: usize, count: usize) -> Result<Self> {
        let bias = self.bias.as_ref().map(|bias| bias.narrow(0, first, count)).transpose()?;
        Ok(Self { weight: self.weight.narrow(0, first, count)?, bias })
    }
}
