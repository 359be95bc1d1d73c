//! Batch normalisation (Ioffe and Szegedy 2015) over `[n, channels, h, w]`.

use std::sync::OnceLock;

use candle_core::{Tensor, Var};
use in9_kernels::{BatchNormOutput, FrozenConv2d};

use crate::error::{Error, Result};
use crate::init::Init;
use crate::layers::Activation;
use crate::model::{Context, Mode};
use crate::params::{Kind, Params};

/// Share of the batch's statistics in the running ones after a step, PyTorch's default.
const MOMENTUM: f64 = 0.1;

/// A batch norm and the activation after it, with parameters `name.{weight,bias,running_mean,running_var}`.
///
/// Use [`ConvBnAct`](crate::layers::ConvBnAct) where a convolution stands directly before it.
pub struct BatchNorm {
    name: String,
    /// `[channels]`
    pub(crate) weight: Tensor,
    /// `[channels]`
    pub(crate) bias: Tensor,
    /// `[channels]`
    pub(crate) running_mean: Tensor,
    /// `[channels]`, unbiased
    pub(crate) running_var: Tensor,
    /// The running statistics of a trainable layer.
    running: Option<(Var, Var)>,
    /// See [`BatchNorm::fold`]; of a frozen layer.
    folded: OnceLock<FrozenConv2d>,
    pub(crate) eps: f64,
    momentum: f64,
    pub(crate) activation: Activation,
}

impl BatchNorm {
    /// With PyTorch's `eps` of 1e-5.
    ///
    /// # Errors
    /// When `params` holds weights that do not fit.
    pub fn new(params: &Params, name: &str, channels: usize, activation: Activation) -> Result<Self> {
        Self::with_eps(params, name, channels, activation, 1e-5)
    }

    /// With this `eps`, added to the variance.
    ///
    /// # Errors
    /// When `params` holds weights that do not fit.
    pub fn with_eps(
        params: &Params,
        name: &str,
        channels: usize,
        activation: Activation,
        eps: f64,
    ) -> Result<Self> {
        let params = params.at(name);
        let get = |name: &str, kind, value| params.get(name, &[channels], kind, Init::Constant(value));
        let weight = get("weight", Kind::Norm, 1.0)?;
        let bias = get("bias", Kind::Norm, 0.0)?;
        let mean = get("running_mean", Kind::Running, 0.0)?;
        let var = get("running_var", Kind::Running, 1.0)?;
        Ok(Self {
            name: params.name(""),
            weight: weight.value,
            bias: bias.value,
            running_mean: mean.value,
            running_var: var.value,
            running: mean.variable.zip(var.variable),
            folded: OnceLock::new(),
            eps,
            momentum: MOMENTUM,
            activation,
        })
    }

    /// The same with another share of the batch's statistics in the running ones.
    pub fn momentum(self, momentum: f64) -> Self {
        Self { momentum, ..self }
    }

    /// Normalises and activates.
    ///
    /// # Shapes
    /// `x` and the output: `[n, channels, h, w]`
    ///
    /// # Errors
    /// [`Error::Frozen`] in training without variables; shapes that do not fit.
    pub fn forward(&self, x: &Tensor, context: &Context) -> Result<Tensor> {
        match context.mode() {
            Mode::Train { .. } => self.train(x),
            Mode::Eval => {
                // A 1×1 convolution of each channel alone is scale, shift and activation in one pass.
                let channels = self.bias.elem_count();
                let config = in9_kernels::Conv2dConfig::default().with_groups(channels);
                if self.running.is_some() {
                    // The variables may move before the next call.
                    let (scale, shift) = self.fold()?;
                    return Ok(in9_kernels::conv2d_act(x, &scale, Some(&shift), &config, self.activation)?);
                }
                let folded = match self.folded.get() {
                    Some(folded) => folded,
                    None => {
                        let (scale, shift) = self.fold()?;
                        self.folded.get_or_init(|| FrozenConv2d::new(scale, Some(shift)))
                    }
                };
                Ok(folded.forward(x, &config, None, self.activation)?)
            }
        }
    }

    /// What the running statistics make of the layer: a scale, `[channels, 1, 1, 1]`, and a shift,
    /// `[channels]`.
    fn fold(&self) -> Result<(Tensor, Tensor)> {
        let scale = (&self.weight / (&self.running_var + self.eps)?.sqrt()?)?;
        let shift = (&self.bias - (&scale * &self.running_mean)?)?;
        Ok((scale.reshape(((), 1, 1, 1))?, shift))
    }

    pub(crate) fn train(&self, x: &Tensor) -> Result<Tensor> {
        Ok(self.statistics(x, &self.weight, &self.bias)?.y)
    }

    /// Normalises by the batch's statistics with these scales and shifts, and moves the running
    /// statistics.
    pub(crate) fn statistics(&self, x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<BatchNormOutput> {
        let (mean, var) = self.running()?;
        let output = in9_kernels::batch_norm_train(x, weight, bias, self.eps, self.activation)?;
        in9_kernels::update_running_stats(mean, var, &output, self.momentum)?;
        Ok(output)
    }

    fn running(&self) -> Result<&(Var, Var)> {
        self.running.as_ref().ok_or_else(|| Error::Frozen(self.name.clone()))
    }
}
