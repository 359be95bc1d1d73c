//! The tensor operations that layers are made of.

use candle_core::{Result, Tensor, Var};

/// The non-linearity after a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// The identity.
    None,
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x · relu6(x + 3) / 6`.
    HardSwish,
    /// `x · sigmoid(x)`.
    Silu,
}

impl Activation {
    pub(crate) fn apply(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Activation::None => Ok(x.clone()),
            Activation::Relu => x.relu(),
            Activation::Relu6 => x.clamp(0.0, 6.0),
            Activation::HardSwish => x * (((x + 3.0)?.clamp(0.0, 6.0)? / 6.0)?),
            Activation::Silu => x.silu(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conv2dConfig {
    pub(crate) stride: [usize; 2],
    pub(crate) padding: [usize; 4],
    pub(crate) dilation: [usize; 2],
    pub(crate) groups: usize,
}

pub(crate) fn conv2d(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, c: &Conv2dConfig) -> Result<Tensor> {
    let [top, bottom, left, right] = c.padding;
    let x = x.pad_with_zeros(2, top, bottom)?.pad_with_zeros(3, left, right)?;
    let y = x.conv2d(w, 0, c.stride[0], c.dilation[0], c.groups)?;
    match bias {
        Some(bias) => y.broadcast_add(&bias.reshape((1, (), 1, 1))?),
        None => Ok(y),
    }
}

pub(crate) fn conv2d_act(
    x: &Tensor,
    w: &Tensor,
    bias: Option<&Tensor>,
    c: &Conv2dConfig,
    act: Activation,
) -> Result<Tensor> {
    act.apply(&conv2d(x, w, bias, c)?)
}

pub(crate) fn fold_batch_norm(
    w: &Tensor,
    bias: Option<&Tensor>,
    gamma: &Tensor,
    beta: &Tensor,
    mean: &Tensor,
    var: &Tensor,
    eps: f64,
) -> Result<(Tensor, Tensor)> {
    let scale = (gamma / (var + eps)?.sqrt()?)?;
    let mean = match bias {
        Some(bias) => (mean - bias)?,
        None => mean.clone(),
    };
    let w = w.broadcast_mul(&scale.reshape(((), 1, 1, 1))?)?;
    Ok((w, (beta - (&scale * mean)?)?))
}

pub(crate) fn batch_norm_train(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    mean: &Var,
    var: &Var,
    eps: f64,
    momentum: f64,
    act: Activation,
) -> Result<Tensor> {
    let (n, c, h, w) = x.dims4()?;
    let count = (n * h * w) as f64;
    let rows = x.transpose(0, 1)?.reshape((c, ()))?;
    let batch_mean = rows.mean(1)?;
    let centred = rows.broadcast_sub(&batch_mean.reshape((c, 1))?)?;
    let batch_var = centred.sqr()?.mean(1)?;
    let blend = |old: &Var, new: &Tensor| {
        old.set(&((old.as_detached_tensor() * (1.0 - momentum))? + (new.detach() * momentum)?)?)
    };
    blend(mean, &batch_mean)?;
    blend(var, &(&batch_var * (count / (count - 1.0)))?)?;
    let scale = (gamma / (batch_var + eps)?.sqrt()?)?.reshape((c, 1))?;
    let y = centred.broadcast_mul(&scale)?.broadcast_add(&beta.reshape((c, 1))?)?;
    act.apply(&y.reshape((c, n, h, w))?.transpose(0, 1)?.contiguous()?)
}

pub(crate) fn add_act(x: &Tensor, y: &Tensor, act: Activation) -> Result<Tensor> {
    act.apply(&(x + y)?)
}

pub(crate) fn cross_entropy(logits: &Tensor, targets: &Tensor, smoothing: f64) -> Result<Tensor> {
    let log_p = candle_nn::ops::log_softmax(logits, 1)?;
    let picked = log_p.gather(&targets.unsqueeze(1)?, 1)?;
    let hard = picked.mean_all()?.neg()?;
    let flat = log_p.mean_all()?.neg()?;
    (hard * (1.0 - smoothing))? + (flat * smoothing)?
}
