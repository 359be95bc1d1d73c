//! The fully connected layer.

use std::sync::OnceLock;

use candle_core::Tensor;
use in9_kernels::tokens::{self, FrozenLinear, Nonlinearity};

use crate::error::Result;
use crate::init::Init;
use crate::params::{Kind, Params};

/// `x · weightᵀ + bias` on the last axis.
pub struct Linear {
    /// `[outputs, inputs]`
    weight: Tensor,
    /// `[outputs]`
    bias: Option<Tensor>,
    /// Both, packed for tokens when the first ones come.
    packed: OnceLock<Box<FrozenLinear>>,
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
        Ok(Self::of(weight.value, Some(bias.value)))
    }

    /// Without a bias.
    ///
    /// # Errors
    /// When `params` holds weights that do not fit.
    pub fn without_bias(
        params: &Params,
        name: &str,
        inputs: usize,
        outputs: usize,
        init: Init,
    ) -> Result<Self> {
        let weight = params.at(name).get("weight", &[outputs, inputs], Kind::Weight, init)?;
        Ok(Self::of(weight.value, None))
    }

    /// Of a weight `[outputs, inputs]` and a bias `[outputs]`.
    pub(crate) fn of(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self { weight, bias, packed: OnceLock::new() }
    }

    /// The layer that multiplies what this one computes by `scale`, `[outputs]`, channel by channel.
    ///
    /// # Errors
    /// When there are not as many.
    #[cfg(feature = "transformers")]
    pub(crate) fn scaled(&self, scale: &Tensor) -> Result<Self> {
        let bias = self.bias.as_ref().map(|bias| bias * scale).transpose()?;
        Ok(Self::of(self.weight.broadcast_mul(&scale.unsqueeze(1)?)?, bias))
    }

    /// The `count` outputs from `first` on: what a stacked layer computes of one of its parts.
    ///
    /// # Errors
    /// When there are not as many.
    #[cfg(feature = "transformers")]
    pub(crate) fn outputs(&self, first: usize, count: usize) -> Result<Self> {
        let bias = self.bias.as_ref().map(|bias| bias.narrow(0, first, count)).transpose()?;
        Ok(Self::of(self.weight.narrow(0, first, count)?, bias))
    }

    /// Applies the layer.
    ///
    /// # Shapes
    /// - `x`: `[…, inputs]`, such as `[n, inputs]` or `[n, tokens, inputs]`
    /// - output: `[…, outputs]`
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if x.rank() <= 2 {
            return Ok(in9_kernels::linear(x, &self.weight, self.bias.as_ref())?);
        }
        self.finished(x, Nonlinearity::None, None)
    }

    /// `nonlinearity(x · weightᵀ + bias) + residual` of tokens.
    ///
    /// # Shapes
    /// - `x`: `[…, tokens, inputs]`
    /// - `residual`, output: `[…, tokens, outputs]`
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub(crate) fn finished(
        &self,
        x: &Tensor,
        nonlinearity: Nonlinearity,
        residual: Option<&Tensor>,
    ) -> Result<Tensor> {
        let outputs = self.weight.dim(0)?;
        let has_no_graph = [Some(x), Some(&self.weight), residual].into_iter().flatten().all(tokens::runs_on);
        if has_no_graph && FrozenLinear::suits(outputs) {
            let packed = match self.packed.get() {
                Some(packed) => packed,
                None => {
                    let packed = FrozenLinear::new(&self.weight, self.bias.as_ref())?;
                    self.packed.get_or_init(|| Box::new(packed))
                }
            };
            return Ok(packed.forward(x, nonlinearity, residual)?);
        }
        let y = x.flatten_to(x.rank() - 2)?.matmul(&self.weight.t()?)?;
        let y = match &self.bias {
            Some(bias) => y.broadcast_add(bias)?,
            None => y,
        };
        let mut shape = x.dims().to_vec();
        if let Some(last) = shape.last_mut() {
            *last = outputs;
        }
        let y = nonlinear(nonlinearity, &y.reshape(shape)?)?;
        match residual {
            Some(residual) => Ok((y + residual)?),
            None => Ok(y),
        }
    }
}

/// Applies the function to every value, by operations that Candle can go back through.
fn nonlinear(nonlinearity: Nonlinearity, x: &Tensor) -> Result<Tensor> {
    Ok(match nonlinearity {
        Nonlinearity::None => x.clone(),
        Nonlinearity::Gelu => x.gelu_erf()?,
        Nonlinearity::GeluTanh => x.gelu()?,
        Nonlinearity::QuickGelu => (x * in9_kernels::Activation::Sigmoid.apply(&(x * 1.702)?)?)?,
    })
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
        let tokens = Tensor::new(&[[[1f32, -1.0], [0.0, 1.0]]], &device).unwrap();
        let y = layer.forward(&tokens).unwrap().to_vec3::<f32>().unwrap();
        assert_eq!(y, [[[-0.5, -1.0, -2.0], [2.5, 4.0, 5.0]]]);
    }

    /// On Candle's own operations, as where a gradient is wanted, and packed.
    #[test]
    fn both_ways_give_the_same() {
        let device = Device::Cpu;
        let values = |len: usize, step: usize| -> Vec<f32> {
            (0..len).map(|i| ((i * step) % 19) as f32 / 9.0 - 1.0).collect()
        };
        let tensor = |shape: &[usize], step| {
            Tensor::from_vec(values(shape.iter().product(), step), shape, &device).unwrap()
        };
        let layer = Linear::of(tensor(&[16, 12], 7), Some(tensor(&[16], 5)));
        let (x, residual) = (tensor(&[2, 5, 12], 11), tensor(&[2, 5, 16], 3));
        let watched = candle_core::Var::from_tensor(&x).unwrap();
        for nonlinearity in Nonlinearity::ALL {
            for residual in [None, Some(&residual)] {
                let packed = layer.finished(&x, nonlinearity, residual).unwrap();
                let plain = layer.finished(watched.as_tensor(), nonlinearity, residual).unwrap();
                assert!(plain.track_op() && !packed.track_op());
                let apart = (packed - plain.detach()).unwrap().abs().unwrap().max_all().unwrap();
                assert!(apart.to_scalar::<f32>().unwrap() < 2e-6, "{nonlinearity:?}");
            }
        }
    }

    #[cfg(feature = "transformers")]
    #[test]
    fn some_outputs_are_computed_as_with_the_others() {
        let weight = Tensor::new(&[[1f32, 2.0], [3.0, 4.0], [5.0, 6.0]], &Device::Cpu).unwrap();
        let bias = Tensor::new(&[0.5f32, 0.0, -1.0], &Device::Cpu).unwrap();
        let layer = Linear::of(weight, Some(bias));
        let x = Tensor::new(&[[1f32, -1.0]], &Device::Cpu).unwrap();
        let last = layer.outputs(2, 1).unwrap().forward(&x).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(last, [[-2.0]]);
    }
}
