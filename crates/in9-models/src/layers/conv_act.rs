//! Convolution with an optional bias, and an activation.

use candle_core::Tensor;
use in9_kernels::FrozenConv2d;

use crate::error::Result;
use crate::init::Init;
use crate::layers::{Activation, Conv};
use crate::model::{Context, Mode};
use crate::params::{Kind, Params};

/// `activation(conv(x) + bias)`: networks without batch norm, and convolutions that a batch norm
/// precedes.
pub struct ConvAct {
    conv: Conv,
    /// `[outputs, inputs / groups, kernel, kernel]`
    weight: Tensor,
    /// `[outputs]`
    bias: Option<Tensor>,
    activation: Activation,
    /// The same weight and bias, if they stay as they are.
    frozen: Option<FrozenConv2d>,
}

impl ConvAct {
    /// Parameters `name.weight` and, when `bias` says how it starts, `name.bias`.
    ///
    /// # Errors
    /// When `params` holds weights that do not fit.
    pub fn new(
        params: &Params,
        name: &str,
        conv: Conv,
        bias: Option<Init>,
        activation: Activation,
    ) -> Result<Self> {
        let weight = conv.weight(params, name)?;
        let bias = match bias {
            Some(init) => {
                let params = params.at(name);
                let bias = params.get("bias", &[conv.outputs()], Kind::Bias, init)?;
                Some(bias.value)
            }
            None => None,
        };
        let frozen = (!params.is_trainable()).then(|| FrozenConv2d::new(weight.clone(), bias.clone()));
        Ok(Self { conv, weight, bias, activation, frozen })
    }

    /// Convolves and activates.
    ///
    /// # Shapes
    /// - `x`: `[n, inputs, h, w]`
    /// - output: `[n, outputs, h', w']`
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, x: &Tensor, _context: &Context) -> Result<Tensor> {
        let config = self.conv.config(x)?;
        if let Some(frozen) = &self.frozen {
            return Ok(frozen.forward(x, &config, None, self.activation)?);
        }
        let bias = self.bias.as_ref();
        Ok(in9_kernels::conv2d_act(x, &self.weight, bias, &config, self.activation)?)
    }

    /// The same for the first layer: on the CPU the result of an evaluation is in [blocks](in9_kernels::blocked), and
    /// with it those of the layers that take it.
    ///
    /// # Errors
    /// As for [`ConvAct::forward`].
    pub fn enter(&self, x: &Tensor, context: &Context) -> Result<Tensor> {
        let config = self.conv.config(x)?;
        match (&self.frozen, context.mode()) {
            (Some(frozen), _) => Ok(frozen.forward_in_blocks(x, &config, None, self.activation)?),
            (None, Mode::Eval) => {
                let layer = FrozenConv2d::new(self.weight.clone(), self.bias.clone());
                Ok(layer.forward_in_blocks(x, &config, None, self.activation)?)
            }
            (None, Mode::Train { .. }) => self.forward(x, context),
        }
    }

    /// Weight and bias, variables in training.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = Tensor> {
        std::iter::once(self.weight.clone()).chain(self.bias.clone())
    }

    /// The same of pictures of one pixel, for 1×1 convolutions of one group, which are matrices.
    ///
    /// # Shapes
    /// - `x`: `[n, inputs]`
    /// - output: `[n, outputs]`
    ///
    /// # Errors
    /// When the shapes do not fit, among them those of a larger kernel.
    pub fn forward_vectors(&self, x: &Tensor) -> in9_kernels::Result<Tensor> {
        let [outputs, inputs, ..] = self.conv.weight_shape();
        let weight = in9_kernels::reshape(&self.weight, (outputs, inputs))?;
        let y = in9_kernels::linear(x, &weight, self.bias.as_ref())?;
        self.activation.apply(&y)
    }
}
