//! The gradients of the training layers as plain functions, without a graph.
//!
//! Candle's `backward` allocates zeros and adds for every edge of the graph. Code that knows its
//! own graph (a residual block, a whole small network) can call the layers on detached tensors,
//! keep what the functions below ask for, and hand gradients from one to the next instead.
//! They compute exactly what the layers' own backward passes do.

use crate::{Activation, BatchNormOutput, Conv2dConfig, Result, add, conv, norm, pool};
use candle_core::Tensor;

/// Gradients of [`crate::conv2d`]: of `x` if `want_x`, and of `w`.
///
/// `x` and `w` are the layer's arguments, `dy` the gradient of its result, `[n, out, oh, ow]`.
/// The gradient of a bias is the sum of `dy` over images and pixels.
///
/// # Errors
/// As for [`crate::conv2d`], and if `dy` has not the result's shape.
pub fn conv2d(
    x: &Tensor,
    w: &Tensor,
    dy: &Tensor,
    config: &Conv2dConfig,
    want_x: bool,
) -> Result<(Option<Tensor>, Tensor)> {
    conv::gradients(x, w, dy, config, want_x)
}

/// Gradients of [`crate::batch_norm_train`]: of `x`, `gamma` and `beta`.
///
/// All arguments are those of the forward call, `output` its result (only the statistics are
/// used), `dy` the gradient of `output.y`.
///
/// # Errors
/// As for [`crate::batch_norm_train`], and if `dy` has not the shape of `x`.
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

/// The gradient of [`crate::max_pool2d`].
///
/// The arguments are those of the forward call, `dy` is the gradient of its result.
///
/// # Errors
/// As for [`crate::max_pool2d`], and if `dy` has not the result's shape.
pub fn max_pool2d(
    x: &Tensor,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 4],
    dy: &Tensor,
) -> Result<Tensor> {
    pool::max_pool2d_gradient(x, kernel, stride, padding, dy)
}

/// The gradient of [`crate::add_act`], the same for both terms.
///
/// # Errors
/// [`crate::Error::Shape`] if the shapes differ.
pub fn add_act(a: &Tensor, b: &Tensor, activation: Activation, dy: &Tensor) -> Result<Tensor> {
    add::gradients(a, b, activation, dy)
}
