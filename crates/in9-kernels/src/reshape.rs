//! Other shapes and layouts of the same elements.

use candle_core::{Shape, Tensor};

use crate::Result;

/// `x` with another shape, its elements in row-major order. Differentiable.
///
/// It is Candle's own operation; networks use this one so that a recording on a GPU sees it.
///
/// # Errors
/// [`Error::Candle`](crate::Error::Candle) if the shape does not have as many elements.
pub fn reshape(x: &Tensor, shape: impl Into<Shape>) -> Result<Tensor> {
    let shape = shape.into();
    #[cfg(feature = "cuda")]
    if crate::gpu::takes(&[x]).is_some() {
        return crate::gpu::reshape(x, shape.dims());
    }
    Ok(x.reshape(shape)?)
}

/// Pictures as a network's first layer reads them fastest: on an open GPU channels last and in its precision, and
/// elsewhere as they are.
///
/// # Shapes
/// `x` and the result: `[batch, channels, height, width]`
///
/// # Errors
/// [`Error::Candle`](crate::Error::Candle) for what the device reports.
pub fn network_input(x: &Tensor) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if let Some(gpu) = crate::gpu::takes(&[x]) {
        return crate::gpu::network_input(&gpu, x);
    }
    Ok(x.clone())
}
