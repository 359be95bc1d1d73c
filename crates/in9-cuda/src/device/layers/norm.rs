//! Batch norm, its running statistics, and the gradient of a bias.

use candle_core::{Tensor, Var};

use super::{elementwise::in_place, like, matrix};
use crate::Activation;
use crate::device::tensors::{f32s, first, last, plain, room};
use crate::device::{Gpu, Result};
use crate::launch::Element;
use crate::plan;
use crate::plan::norm::BatchNorm;

/// Batch norm by the batch's statistics, then the activation: y, mean, biased variance.
///
/// # Errors
/// Those of the driver.
pub fn batch_norm(
    gpu: &Gpu,
    x: &Tensor,
    [gamma, beta]: [&Tensor; 2],
    eps: f64,
    activation: Activation,
) -> Result<[Tensor; 3]> {
    let (x, gamma, beta) = (last(gpu, x)?, f32s(gpu, gamma)?, f32s(gpu, beta)?);
    let (y, mean, var) = (like(&x)?, like(&gamma)?, like(&gamma)?);
    let layer = BatchNorm { x: matrix(&x)?, eps, activation, residual: false };
    let buffers = [Some(&x), Some(&gamma), Some(&beta), None, Some(&y), Some(&mean), Some(&var)];
    gpu.run(&layer.forward(), &buffers)?;
    Ok([first(&y)?, mean, var])
}

/// The gradients of [`batch_norm`] with respect to x, gamma and beta.
///
/// # Errors
/// Those of the driver.
pub fn batch_norm_gradients(
    gpu: &Gpu,
    x: &Tensor,
    [gamma, beta, mean, var]: [&Tensor; 4],
    eps: f64,
    activation: Activation,
    dy: &Tensor,
) -> Result<[Tensor; 3]> {
    let (x, dy) = (last(gpu, x)?, last(gpu, dy)?);
    let (gamma, beta) = (f32s(gpu, gamma)?, f32s(gpu, beta)?);
    let (mean, var) = (plain(mean)?, plain(var)?);
    let (dx, dgamma, dbeta) = (like(&x)?, like(&gamma)?, like(&gamma)?);
    let layer = BatchNorm { x: matrix(&x)?, eps, activation, residual: false };
    let inputs = [Some(&x), Some(&gamma), Some(&beta), None, Some(&mean), Some(&var), Some(&dy)];
    let outputs = [Some(&dx), None, Some(&dgamma), Some(&dbeta)];
    gpu.run(&layer.backward(), &[&inputs[..], &outputs].concat())?;
    Ok([first(&dx)?, dgamma, dbeta])
}

/// Moves running statistics, f32 and contiguous, in place.
///
/// # Errors
/// [`Error::Unsupported`](crate::device::Error::Unsupported) for another type.
pub fn running_statistics(
    gpu: &Gpu,
    [running_mean, running_var]: [&Var; 2],
    [mean, var]: [&Tensor; 2],
    momentum: f64,
    count: usize,
) -> Result<()> {
    let (running_mean, running_var) = (in_place(running_mean)?, in_place(running_var)?);
    let plan = plan::norm::running_statistics(mean.elem_count(), momentum, count);
    let (mean, var) = (plain(mean)?, plain(var)?);
    gpu.run(&plan, &[Some(&running_mean), Some(&running_var), Some(&mean), Some(&var)])
}

/// The sum of each channel, f32: the gradient of a bias.
///
/// # Errors
/// Those of the driver.
pub fn bias_gradient(gpu: &Gpu, dy: &Tensor) -> Result<Tensor> {
    let dy = last(gpu, dy)?;
    let (m, sums) = (matrix(&dy)?, room(&dy, Element::F32, dy.dim(3)?)?);
    gpu.run(&plan::norm::bias_gradient(m), &[Some(&dy), Some(&sums)])?;
    Ok(sums)
}
