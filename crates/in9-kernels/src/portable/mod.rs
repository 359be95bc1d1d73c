//! The same layers composed of Candle's own operations, for any device and floating-point type.
//!
//! Only operations whose gradients are correct in Candle are used. This is what runs on CUDA, and what the
//! tests compare the fused kernels with.

mod conv;
mod loss;
mod norm;
mod pool;

use crate::{Activation, Result};
use candle_core::{Tensor, Var};
pub(crate) use conv::conv2d;
pub(crate) use loss::cross_entropy;
pub(crate) use norm::batch_norm_train;
pub(crate) use pool::{avg_pool2d, max_pool2d};

/// Gradients of the inner product `<f(inputs), dy>` with respect to every input, by Candle's autograd.
pub(crate) fn gradients(
    inputs: &[&Tensor],
    dy: &Tensor,
    f: impl Fn(&[Tensor]) -> Result<Tensor>,
) -> Result<Vec<Tensor>> {
    let variables: Vec<Var> =
        inputs.iter().map(|t| Var::from_tensor(&t.detach())).collect::<candle_core::Result<_>>()?;
    let tensors: Vec<Tensor> = variables.iter().map(|v| v.as_tensor().clone()).collect();
    let mut store = (f(&tensors)? * dy.detach())?.sum_all()?.backward()?;
    let of = |v: &Var| match store.remove(v) {
        Some(gradient) => Ok(gradient),
        None => Ok(v.zeros_like()?),
    };
    variables.iter().map(of).collect()
}

/// `f(x)`, with the gradients that [`Activation`] documents where `f` has no derivative.
pub(crate) fn activation(x: &Tensor, activation: Activation) -> Result<Tensor> {
    // Comparisons with NaN are false, and every `where_cond` below selects `x` then: NaN stays NaN.
    let between = |low: f64, high: f64| -> Result<Tensor> {
        let bound = |value: f64| x.zeros_like()?.affine(1.0, value);
        // The bounds are constants, so they have no gradient.
        let capped = x.ge(high)?.where_cond(&bound(high)?, x)?;
        Ok(x.le(low)?.where_cond(&bound(low)?, &capped)?)
    };
    Ok(match activation {
        Activation::None => x.clone(),
        Activation::Relu => x.le(0f64)?.where_cond(&x.zeros_like()?, x)?,
        Activation::Relu6 => between(0.0, 6.0)?,
        Activation::HardSwish => {
            let middle = (x * (x + 3.0)?)?.affine(1.0 / 6.0, 0.0)?;
            let lower = x.le(-3f64)?.where_cond(&x.zeros_like()?, &middle)?;
            x.ge(3f64)?.where_cond(x, &lower)?
        }
        Activation::Silu => (x * sigmoid(x)?)?,
        Activation::HardSigmoid => between(-3.0, 3.0)?.affine(1.0 / 6.0, 0.5)?,
        Activation::Sigmoid => sigmoid(x)?,
    })
}

/// The sigmoid as `(tanh(x / 2) + 1) / 2`, whose gradient is finite for every `x`. That of
/// `1 / (1 + exp(-x))` is not.
fn sigmoid(x: &Tensor) -> Result<Tensor> {
    Ok(x.affine(0.5, 0.0)?.tanh()?.affine(0.5, 0.5)?)
}

/// `count` slices of dimension `dim`, every `step`-th from `start` on. Differentiable.
fn strided(x: &Tensor, dim: usize, start: usize, count: usize, step: usize) -> Result<Tensor> {
    if step == 1 {
        return Ok(x.narrow(dim, start, count)?);
    }
    let missing = (start + count * step).saturating_sub(x.dim(dim)?);
    let x = x.pad_with_zeros(dim, 0, missing)?;
    let x = x.narrow(dim, start, count * step)?.contiguous()?;
    let mut shape = x.dims().to_vec();
    shape[dim] = count;
    shape.insert(dim + 1, step);
    Ok(x.reshape(shape)?.narrow(dim + 1, 0, 1)?.squeeze(dim + 1)?)
}
