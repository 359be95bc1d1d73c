//! The fully connected layer.

use crate::{Error, Result};
use candle_core::Tensor;

/// `x wᵀ + bias`.
///
/// # Shapes
/// - `x`: `[n, in]`
/// - `w`: `[out, in]`
/// - `bias`: `[out]`
/// - result: `[n, out]`
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit.
pub fn linear(x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    const OP: &str = "linear";
    let &[out, inputs] = w.dims() else {
        return Err(Error::shape(OP, "w", "[out, in]", w.dims()));
    };
    if x.rank() != 2 || x.dims()[1] != inputs {
        return Err(Error::shape(OP, "x", format!("[n, {inputs}]"), x.dims()));
    }
    let y = x.matmul(&w.t()?)?;
    match bias {
        Some(bias) if bias.dims() != [out] => Err(Error::shape(OP, "bias", format!("[{out}]"), bias.dims())),
        Some(bias) => Ok(y.broadcast_add(bias)?),
        None => Ok(y),
    }
}
