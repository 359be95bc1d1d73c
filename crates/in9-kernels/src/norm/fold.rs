//! Folding a batch norm into the convolution before it.

use super::{check_eps, check_vectors};
use crate::{Error, Result};
use candle_core::{DType, Tensor};

/// Folds a batch norm at inference into the convolution or linear layer before it: filters and bias of
/// the single layer that equals the two.
///
/// The filters are `w * gamma / sqrt(var + eps)` and the bias is
/// `beta + (bias - mean) * gamma / sqrt(var + eps)`, computed in f64. The results are no part of an
/// autograd graph.
///
/// # Shapes
/// - `w` and the first result: `[out, …]`
/// - `bias`, `gamma`, `beta`, `mean`, `var` and the second result: `[out]`
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit, [`Error::Range`] for a negative `eps`.
pub fn fold_batch_norm(
    w: &Tensor,
    bias: Option<&Tensor>,
    gamma: &Tensor,
    beta: &Tensor,
    mean: &Tensor,
    var: &Tensor,
    eps: f64,
) -> Result<(Tensor, Tensor)> {
    const OP: &str = "fold_batch_norm";
    let Some(&out) = w.dims().first() else {
        return Err(Error::shape(OP, "w", "[out, …]", w.dims()));
    };
    let mut vectors = vec![("gamma", gamma), ("beta", beta), ("mean", mean), ("var", var)];
    vectors.extend(bias.map(|bias| ("bias", bias)));
    check_vectors(OP, out, &vectors)?;
    check_eps(OP, eps)?;
    let wide = |t: &Tensor| t.detach().to_dtype(DType::F64);
    let scale = (wide(gamma)? / (wide(var)? + eps)?.sqrt()?)?;
    let shift = match bias {
        Some(bias) => (wide(bias)? - wide(mean)?)?,
        None => wide(mean)?.neg()?,
    };
    let folded_bias = (wide(beta)? + (shift * &scale)?)?.to_dtype(w.dtype())?;
    let mut column = vec![1; w.rank()];
    column[0] = out;
    let folded = wide(w)?.broadcast_mul(&scale.reshape(column)?)?;
    Ok((folded.to_dtype(w.dtype())?, folded_bias))
}
