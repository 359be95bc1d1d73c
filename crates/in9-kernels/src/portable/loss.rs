//! Cross-entropy.

use crate::Result;
use candle_core::{D, DType, Tensor};

/// As [`crate::cross_entropy`].
pub(crate) fn cross_entropy(logits: &Tensor, targets: &Tensor, smoothing: f64) -> Result<Tensor> {
    let max = logits.detach().max_keepdim(D::Minus1)?;
    let shifted = logits.broadcast_sub(&max)?;
    let log_sum = shifted.exp()?.sum_keepdim(D::Minus1)?.log()?;
    let log_p = shifted.broadcast_sub(&log_sum)?;
    let targets = targets.to_dtype(DType::U32)?.unsqueeze(1)?.contiguous()?;
    let of_target = log_p.gather(&targets, 1)?.mean_all()?;
    let of_all = log_p.mean_all()?;
    Ok((of_target.affine(smoothing - 1.0, 0.0)? - of_all.affine(smoothing, 0.0)?)?)
}
