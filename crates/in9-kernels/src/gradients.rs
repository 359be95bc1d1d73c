//! The backward passes of the training layers as plain functions, without an autograd graph.
//!
//! Candle's `backward` allocates a tensor of zeros and adds to it for every edge of the graph. Code that
//! knows its own graph (a residual block, a whole network) can avoid that: call the layers on detached
//! tensors, keep the tensors that the functions below take, and pass the gradient of each layer on to
//! the one before.
//!
//! Each function computes the same bits as the backward pass of its layer.
//!
//! ```
//! use candle_core::{DType, Device, Tensor};
//! use in9_kernels::{Conv2dConfig, conv2d, gradients};
//!
//! let x = Tensor::ones((1, 1, 4, 4), DType::F32, &Device::Cpu)?;
//! let w = Tensor::ones((1, 1, 3, 3), DType::F32, &Device::Cpu)?;
//! let config = Conv2dConfig::new(1, 0);
//! let y = conv2d(&x, &w, None, &config)?;
//! // The gradients of the sum of `y`: every tap meets all four outputs.
//! let (dx, dw) = gradients::conv2d(&x, &w, &y.ones_like()?, &config, true)?;
//! assert_eq!(dw.flatten_all()?.to_vec1::<f32>()?, [4.0; 9]);
//! assert_eq!(dx.map(|dx| dx.dims().to_vec()), Some(vec![1, 1, 4, 4]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::{
    Activation, BatchNormOutput, ChannelSource, Conv2dConfig, Result, add, channels, conv, norm, pool, scale,
};
use candle_core::Tensor;

/// Gradients of [`crate::conv2d`] with respect to `x` (only if `needs_x`) and `w`.
///
/// The gradient with respect to a bias is the sum of `dy` over images and pixels.
///
/// # Shapes
/// - `x`, `w`: as passed to the forward call
/// - `dy`: the gradient with respect to the result, `[batch, out, oh, ow]`
/// - results: those of `x` and `w`
///
/// # Errors
/// As for [`crate::conv2d`], and [`Error::Shape`](crate::Error::Shape) if `dy` has another shape than the
/// result.
pub fn conv2d(
    x: &Tensor,
    w: &Tensor,
    dy: &Tensor,
    config: &Conv2dConfig,
    needs_x: bool,
) -> Result<(Option<Tensor>, Tensor)> {
    conv::gradients(x, w, dy, config, needs_x)
}

/// Gradients of [`crate::batch_norm_train`] with respect to `x`, `gamma` and `beta`, in this order.
///
/// The arguments are those of the forward call, `output` is its result (only the statistics are used),
/// and `dy` is the gradient with respect to `output.y`.
///
/// # Errors
/// As for [`crate::batch_norm_train`], and [`Error::Shape`](crate::Error::Shape) if `dy` has another shape
/// than `x`.
pub fn batch_norm_train(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    output: &BatchNormOutput,
    eps: f64,
    activation: Activation,
    dy: &Tensor,
) -> Result<[Tensor; 3]> {
    norm::gradients(x, gamma, beta, output, eps, activation, dy)
}

/// The gradient of [`crate::max_pool2d`] with respect to `x`.
///
/// The arguments are those of the forward call, and `dy` is the gradient with respect to its result.
///
/// # Errors
/// As for [`crate::max_pool2d`], and [`Error::Shape`](crate::Error::Shape) if `dy` has another shape than
/// the result.
pub fn max_pool2d(
    x: &Tensor,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 4],
    dy: &Tensor,
) -> Result<Tensor> {
    pool::max_pool2d_gradient(x, kernel, stride, padding, dy)
}

/// The gradient of [`crate::add_act`], which is the same with respect to both terms.
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) if the shapes differ.
pub fn add_act(a: &Tensor, b: &Tensor, activation: Activation, dy: &Tensor) -> Result<Tensor> {
    add::gradients(a, b, activation, dy)
}

/// The gradient of [`crate::scale_channels`] with respect to the gates: the sums of `x * dy` over pixels.
///
/// # Shapes
/// - `x`, `dy`: `[batch, channels, height, width]`
/// - result: `[batch, channels]`
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) if the shapes differ.
pub fn gates(x: &Tensor, dy: &Tensor) -> Result<Tensor> {
    scale::gates_gradient(x, dy)
}

/// The gradient of [`crate::scale_channels`] with respect to `x`, if its gates depend on the means of the channels of
/// `x` ([`crate::global_avg_pool`]), whose gradient is `dmeans`: `dy * gates + dmeans / pixels`.
///
/// # Shapes
/// - `gates`, `dmeans`: `[batch, channels]`
/// - `dy`, result: `[batch, channels, height, width]`
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) if the shapes do not fit.
pub fn gated(gates: &Tensor, dmeans: &Tensor, dy: &Tensor) -> Result<Tensor> {
    scale::gated_gradient(gates, dmeans, dy)
}

/// The gradients of [`crate::assemble_channels`] with respect to `a` and `b`, zero in the channels that are not used;
/// none for a tensor of which no channel is used.
///
/// # Errors
/// As for [`crate::assemble_channels`].
pub fn assemble_channels(
    a: &Tensor,
    b: &Tensor,
    sources: &[ChannelSource],
    dy: &Tensor,
) -> Result<[Option<Tensor>; 2]> {
    channels::gradients(a, b, sources, dy)
}
