//! Layers: parameters with torchvision's names around the kernels' operations.
//!
//! Each is made by `new(&params, names…, sizes…)` and run by `forward(&x, context)`. In
//! [`Mode::Train`](crate::Mode::Train) batch norms use the batch's statistics and move the running
//! ones; in [`Mode::Eval`](crate::Mode::Eval) they are folded into the convolution before them,
//! once for a frozen model.

mod batch_norm;
mod conv;
mod conv_act;
mod conv_bn_act;
mod dropout;
mod linear;
mod pool;
mod squeeze_excite;

pub use batch_norm::BatchNorm;
pub use conv::{Conv, Padding};
pub use conv_act::ConvAct;
pub use conv_bn_act::ConvBnAct;
pub use dropout::Dropout;
pub use linear::Linear;
pub use pool::{adaptive_avg_pool, flatten, global_avg_pool, max_pool};
pub use squeeze_excite::SqueezeExcite;

pub use in9_kernels::Activation;

use candle_core::Tensor;

use crate::error::Result;

/// The `channels` channels of `x` as planes; in an evaluation on the CPU it is in blocks.
///
/// # Shapes
/// - `x`: `[n, channels, h, w]`, or in [blocks](in9_kernels::blocked)
/// - output: `[n, channels, h, w]`
///
/// # Errors
/// When `x` has fewer channels.
pub fn planes(x: &Tensor, channels: usize) -> Result<Tensor> {
    Ok(in9_kernels::blocked::to_planes(x)?.narrow(1, 0, channels)?)
}

/// `activation(x + y)`: the end of a residual block.
///
/// # Errors
/// When the shapes differ.
pub fn add_act(x: &Tensor, y: &Tensor, activation: Activation) -> Result<Tensor> {
    Ok(in9_kernels::add_act(x, y, activation)?)
}
