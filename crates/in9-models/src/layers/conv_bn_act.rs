//! Convolution, batch norm and activation, the brick of residual networks.

use std::sync::OnceLock;

use candle_core::Tensor;
use in9_kernels::{Conv2dConfig, FrozenConv2d};

use crate::error::Result;
use crate::init::Init;
use crate::layers::{Activation, BatchNorm, Conv, add_act};
use crate::model::{Context, Mode};
use crate::params::{Kind, Params};
use crate::tape::{ConvBn, Tape};

/// `activation(batch_norm(conv(x)))`; the convolution has a bias only in [`ConvBnAct::with_bias`].
pub struct ConvBnAct {
    conv: Conv,
    /// `[outputs, inputs / groups, kernel, kernel]`
    weight: Tensor,
    /// `[outputs]`
    bias: Option<Tensor>,
    norm: BatchNorm,
    frozen: bool,
    folded: OnceLock<FrozenConv2d>,
}

impl ConvBnAct {
    /// Parameters `conv_name.weight` and `norm_name.{weight,bias,running_mean,running_var}`.
    ///
    /// # Errors
    /// When `params` holds weights that do not fit.
    pub fn new(
        params: &Params,
        conv_name: &str,
        norm_name: &str,
        conv: Conv,
        activation: Activation,
    ) -> Result<Self> {
        let weight = conv.weight(params, conv_name)?;
        let norm = BatchNorm::new(params, norm_name, conv.outputs(), activation)?;
        Ok(Self::from_parts(params, conv, weight, norm))
    }

    /// Like [`ConvBnAct::new`], with this `eps` in the batch norm.
    ///
    /// # Errors
    /// When `params` holds weights that do not fit.
    pub fn with_eps(
        params: &Params,
        conv_name: &str,
        norm_name: &str,
        conv: Conv,
        activation: Activation,
        eps: f64,
    ) -> Result<Self> {
        let weight = conv.weight(params, conv_name)?;
        let norm = BatchNorm::with_eps(params, norm_name, conv.outputs(), activation, eps)?;
        Ok(Self::from_parts(params, conv, weight, norm))
    }

    /// Like [`ConvBnAct::new`], with a bias `conv_name.bias` that starts at zero: the batch norm
    /// takes it away again, but published weights have one.
    ///
    /// # Errors
    /// When `params` holds weights that do not fit.
    pub fn with_bias(
        params: &Params,
        conv_name: &str,
        norm_name: &str,
        conv: Conv,
        activation: Activation,
    ) -> Result<Self> {
        let layer = Self::new(params, conv_name, norm_name, conv, activation)?;
        let params = params.at(conv_name);
        let bias = params.get("bias", &[conv.outputs()], Kind::Bias, Init::Constant(0.0))?;
        Ok(Self { bias: Some(bias.value), ..layer })
    }

    /// The same with another share of the batch's statistics in the running ones.
    pub fn momentum(self, momentum: f64) -> Self {
        Self { norm: self.norm.momentum(momentum), ..self }
    }

    fn from_parts(params: &Params, conv: Conv, weight: Tensor, norm: BatchNorm) -> Self {
        Self { conv, weight, bias: None, norm, frozen: !params.is_trainable(), folded: OnceLock::new() }
    }

    /// Convolves, normalises, activates.
    ///
    /// # Shapes
    /// - `x`: `[n, inputs, h, w]`
    /// - output: `[n, outputs, h', w']`
    ///
    /// # Errors
    /// [`Frozen`](crate::Error::Frozen) in training without variables; shapes that do not fit.
    pub fn forward(&self, x: &Tensor, context: &Context) -> Result<Tensor> {
        let config = self.conv.config(x)?;
        match context.mode() {
            Mode::Train { .. } => {
                if let Some(tape) = &context.tape {
                    return self.taped(x, config, &mut tape.borrow_mut());
                }
                let y = in9_kernels::conv2d(x, &self.weight, self.bias.as_ref(), &config)?;
                self.norm.train(&y)
            }
            Mode::Eval => self.infer(x, &config, None, self.norm.activation),
        }
    }

    /// The same for the first layer: on the CPU the result of an evaluation, and of a taped training, is in
    /// [blocks](in9_kernels::blocked), and with it those of the layers that take it.
    ///
    /// In an evaluation gradients reach the pictures, if they are variables, but not the parameters.
    ///
    /// # Errors
    /// As for [`ConvBnAct::forward`].
    pub fn enter(&self, x: &Tensor, context: &Context) -> Result<Tensor> {
        if let (Mode::Train { .. }, Some(tape)) = (context.mode(), &context.tape) {
            let config = self.conv.config(x)?;
            let (weight, bias) = (self.weight.detach(), self.bias.as_ref().map(Tensor::detach));
            let convolved = in9_kernels::blocked::conv2d(x, &weight, bias.as_ref(), &config)?;
            return self.normalise_taped(x, convolved, config, &mut tape.borrow_mut());
        }
        if context.mode() == Mode::Eval {
            let (config, activation) = (self.conv.config(x)?, self.norm.activation);
            if self.frozen {
                return Ok(self.folded()?.forward_in_blocks(x, &config, None, activation)?);
            }
            let (weight, bias) = self.fold()?;
            let folded = FrozenConv2d::new(weight, Some(bias));
            return Ok(folded.forward_in_blocks(x, &config, None, activation)?);
        }
        self.forward(x, context)
    }

    /// `activation(layer(x) + residual)`, the end of a residual block, in one pass at inference.
    ///
    /// # Shapes
    /// - `x`: `[n, inputs, h, w]`
    /// - `residual` and output: `[n, outputs, h', w']`
    ///
    /// # Errors
    /// As for [`ConvBnAct::forward`].
    pub fn forward_add(
        &self,
        x: &Tensor,
        residual: &Tensor,
        activation: Activation,
        context: &Context,
    ) -> Result<Tensor> {
        if context.mode() == Mode::Eval && self.norm.activation == Activation::None {
            return self.infer(x, &self.conv.config(x)?, Some(residual), activation);
        }
        context.add_act(&self.forward(x, context)?, residual, activation)
    }

    /// The layer with its running statistics, folded once if nothing can move them.
    fn infer(
        &self,
        x: &Tensor,
        config: &Conv2dConfig,
        residual: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor> {
        if self.frozen {
            return Ok(self.folded()?.forward(x, config, residual, activation)?);
        }
        let (weight, bias) = self.fold()?;
        if in9_kernels::blocked::is_in_blocks(x) {
            return Ok(FrozenConv2d::new(weight, Some(bias)).forward(x, config, residual, activation)?);
        }
        Ok(match residual {
            None => in9_kernels::conv2d_act(x, &weight, Some(&bias), config, activation)?,
            Some(residual) => {
                let y = in9_kernels::conv2d(x, &weight, Some(&bias), config)?;
                add_act(&y, residual, activation)?
            }
        })
    }

    /// Whether nothing can change the layer.
    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// The layer of a frozen model with its settings for `x` and its activation.
    ///
    /// # Errors
    /// When `x` has not the dimensions of a picture.
    pub(crate) fn frozen_for(&self, x: &Tensor) -> Result<(&FrozenConv2d, Conv2dConfig, Activation)> {
        Ok((self.folded()?, self.conv.config(x)?, self.norm.activation))
    }

    /// The frozen layer, made when it is first asked for.
    fn folded(&self) -> Result<&FrozenConv2d> {
        Ok(match self.folded.get() {
            Some(folded) => folded,
            None => {
                let (weight, bias) = self.fold()?;
                self.folded.get_or_init(|| FrozenConv2d::new(weight, Some(bias)))
            }
        })
    }

    /// The same as training on Candle's graph, with what the gradients need on the tape.
    fn taped(&self, x: &Tensor, config: Conv2dConfig, tape: &mut Tape) -> Result<Tensor> {
        let (weight, bias) = (self.weight.detach(), self.bias.as_ref().map(Tensor::detach));
        let convolved = in9_kernels::conv2d(x, &weight, bias.as_ref(), &config)?;
        self.normalise_taped(x, convolved, config, tape)
    }

    /// The batch norm of a convolution's result, with both on the tape.
    fn normalise_taped(
        &self,
        x: &Tensor,
        convolved: Tensor,
        config: Conv2dConfig,
        tape: &mut Tape,
    ) -> Result<Tensor> {
        let norm = &self.norm;
        let output = norm.statistics(&convolved, &norm.weight.detach(), &norm.bias.detach())?;
        let y = output.y.clone();
        tape.conv_bn(ConvBn {
            x: x.clone(),
            convolved,
            config,
            weight: self.weight.clone(),
            bias: self.bias.clone(),
            gamma: norm.weight.clone(),
            beta: norm.bias.clone(),
            output,
            eps: norm.eps,
            activation: norm.activation,
        });
        Ok(y)
    }

    /// The convolution's weight and bias with the batch norm folded in, outside any graph.
    fn fold(&self) -> Result<(Tensor, Tensor)> {
        let norm = &self.norm;
        Ok(in9_kernels::fold_batch_norm(
            &self.weight.detach(),
            self.bias.as_ref().map(Tensor::detach).as_ref(),
            &norm.weight.detach(),
            &norm.bias.detach(),
            &norm.running_mean,
            &norm.running_var,
            norm.eps,
        )?)
    }
}
