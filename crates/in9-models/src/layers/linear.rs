//! The fully connected layer.

use candle_core::Tensor;

use crate::error::Result;
use crate::init::Init;
use crate::params::{Kind, Params};

/// `x · weightᵀ + bias`.
pub struct Linear {
    /// `[outputs, inputs]`
    weight: Tensor,
    /// `[outputs]`
    bias: Tensor,
}

impl Linear {
    /// Parameters `name.weight` and `name.bias` with PyTorch's initial values, uniform in
    /// `±1 / sqrt(inputs)`.
    ///
    /// # Errors
    /// When `params` holds weights that do not fit.
    pub fn new(params: &Params, name: &str, inputs: usize, outputs: usize) -> Result<Self> {
        let bound = 1.0 / (inputs as f64).sqrt();
        let init = Init::Uniform { bound };
        Self::with_init(params, name, inputs, outputs, init, init)
    }

    /// With these initial values of the weight and the bias.
    ///
    /// # Errors
    /// When `params` holds weights that do not fit.
    pub fn with_init(
        params: &Params,
        name: &str,
        inputs: usize,
        outputs: usize,
        weight: Init,
        bias: Init,
    ) -> Result<Self> {
        let params = params.at(name);
        let weight = params.get("weight", &[outputs, inputs], Kind::Weight, weight)?;
        let bias = params.get("bias", &[outputs], Kind::Bias, bias)?;
        Ok(Self { weight: weight.value, bias: bias.value })
    }

    /// Applies the layer.
    ///
    /// # Shapes
    /// - `x`: `[n, inputs]`
    /// - output: `[n, outputs]`
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(in9_kernels::linear(x, &self.weight, Some(&self.bias))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};
    use std::collections::HashMap;

    #[test]
    fn multiplies_by_the_transposed_weight() {
        let device = Device::Cpu;
        let weight = Tensor::new(&[[1f32, 2.0], [3.0, 4.0], [5.0, 6.0]], &device).unwrap();
        let bias = Tensor::new(&[0.5f32, 0.0, -1.0], &device).unwrap();
        let tensors = HashMap::from([("fc.weight".into(), weight), ("fc.bias".into(), bias)]);
        let params = Params::frozen(tensors, DType::F32, &device);
        let layer = Linear::new(&params, "fc", 2, 3).unwrap();
        let x = Tensor::new(&[[1f32, -1.0]], &device).unwrap();
        let y = layer.forward(&x).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(y, [[-0.5, -1.0, -2.0]]);
    }
}
