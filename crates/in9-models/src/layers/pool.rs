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
