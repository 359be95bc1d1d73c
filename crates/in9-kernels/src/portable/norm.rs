//! Batch normalisation in training.

use crate::{Activation, BatchNormOutput, Result};
use candle_core::Tensor;

/// As [`crate::batch_norm_train`].
pub(crate) fn batch_norm_train(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    eps: f64,
    activation: Activation,
) -> Result<BatchNormOutput> {
    let (n, channels, h, w) = x.dims4()?;
    let count = n * h * w;
    let mean_of =
        |t: &Tensor| -> Result<Tensor> { Ok(t.sum_keepdim((0, 2, 3))?.affine(1.0 / count as f64, 0.0)?) };
    let mean = mean_of(x)?;
    let centred = x.broadcast_sub(&mean)?;
    let var = mean_of(&centred.sqr()?)?;
    let scale = (var.affine(1.0, eps)?.sqrt()?.recip()? * gamma.reshape((1, channels, 1, 1))?)?;
    let y = centred.broadcast_mul(&scale)?.broadcast_add(&beta.reshape((1, channels, 1, 1))?)?;
    Ok(BatchNormOutput {
        y: super::activation(&y, activation)?,
        batch_mean: mean.detach().flatten_all()?,
        batch_var: var.detach().flatten_all()?,
        count,
    })
}
