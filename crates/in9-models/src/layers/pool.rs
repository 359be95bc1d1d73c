//! Pooling.

use candle_core::Tensor;

use crate::error::Result;

/// The mean of each channel.
///
/// # Shapes
/// - `x`: `[n, channels, h, w]`
/// - output: `[n, channels]`
///
/// # Errors
/// When `x` has not four dimensions.
pub fn global_avg_pool(x: &Tensor) -> Result<Tensor> {
    Ok(in9_kernels::global_avg_pool(x)?)
}

/// The greatest value in square windows of `kernel` pixels, every `stride` pixels; `padding` pixels
/// on each side never win.
///
/// # Shapes
/// - `x`: `[n, channels, h, w]`
/// - output: `[n, channels, h', w']` with `h' = (h + 2 padding - kernel) / stride + 1`
///
/// # Errors
/// When the picture is smaller than the kernel.
pub fn max_pool(x: &Tensor, kernel: usize, stride: usize, padding: usize) -> Result<Tensor> {
    Ok(in9_kernels::max_pool2d(x, [kernel; 2], [stride; 2], [padding; 4])?)
}

/// The means of `side × side` nearly equal parts of the picture, which overlap where it does not
/// divide, as in PyTorch.
///
/// # Shapes
/// - `x`: `[n, channels, h, w]`
/// - output: `[n, channels, side, side]`
///
/// # Errors
/// When the picture is empty.
pub fn adaptive_avg_pool(x: &Tensor, side: usize) -> Result<Tensor> {
    Ok(in9_kernels::adaptive_avg_pool2d(&in9_kernels::blocked::to_planes(x)?, [side; 2])?)
}

/// The values of each picture in one row.
///
/// # Shapes
/// - `x`: `[n, channels, h, w]`
/// - output: `[n, channels · h · w]`
///
/// # Errors
/// When `x` has no dimensions.
pub fn flatten(x: &Tensor) -> Result<Tensor> {
    let n = x.dim(0)?;
    let values: usize = x.dims()[1..].iter().product();
    Ok(in9_kernels::reshape(x, (n, values))?)
}
