//! The linear layer, the loss and the answers.

use candle_core::{D, Tensor};

use super::like;
use crate::Activation;
use crate::device::tensors::{f32s, plain, room};
use crate::device::{Gpu, Result};
use crate::launch::Element;
use crate::plan::loss::CrossEntropy;
use crate::plan::{Matrix, norm};

/// `x wᵀ + bias`, f32.
///
/// # Errors
/// Those of the driver.
pub fn linear(gpu: &Gpu, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let y = f32s(gpu, x)?.matmul(&w.detach().t()?)?;
    let Some(bias) = bias else { return Ok(y) };
    let (bias, out) = (f32s(gpu, bias)?, like(&y)?);
    let channels = bias.elem_count();
    let matrix = Matrix { rows: y.elem_count() / channels.max(1), channels, element: Element::F32 };
    // Candle's addition of a row would upload the sizes, which a graph must not do.
    let plan = norm::epilogue(matrix, Activation::None, true, false);
    gpu.run(&plan, &[Some(&y), Some(&bias), None, Some(&out)])?;
    Ok(out)
}

/// The gradients of [`linear`] with respect to x, w and the bias, f32.
///
/// # Errors
/// Those of the driver.
pub fn linear_gradients(gpu: &Gpu, x: &Tensor, w: &Tensor, dy: &Tensor) -> Result<[Tensor; 3]> {
    let (x, dy) = (f32s(gpu, x)?, f32s(gpu, dy)?);
    let rows = dy.dim(D::Minus2)?;
    let ones = Tensor::ones((1, rows), dy.dtype(), dy.device())?;
    let bias = ones.matmul(&dy)?.squeeze(0)?;
    Ok([dy.matmul(&w.detach())?, dy.t()?.matmul(&x)?, bias])
}

/// The mean loss (a scalar), NaN if a target is no class, and what the gradient needs.
///
/// # Errors
/// Those of the driver.
pub fn cross_entropy(gpu: &Gpu, logits: &Tensor, targets: &Tensor, smoothing: f64) -> Result<[Tensor; 2]> {
    let (logits, targets) = (f32s(gpu, logits)?, plain(targets)?);
    let (rows, classes) = logits.dims2()?;
    let (loss, log_sums) = (room(&logits, Element::F32, 1)?, room(&logits, Element::F32, rows)?);
    let plan = CrossEntropy { rows, classes, smoothing }.forward();
    gpu.run(&plan, &[Some(&logits), Some(&targets), Some(&loss), Some(&log_sums)])?;
    Ok([loss.reshape(())?, log_sums])
}

/// The gradient of [`cross_entropy`] with respect to the logits, f32.
///
/// # Errors
/// Those of the driver.
pub fn cross_entropy_gradient(
    gpu: &Gpu,
    [logits, targets, log_sums]: [&Tensor; 3],
    smoothing: f64,
    d: &Tensor,
) -> Result<Tensor> {
    let (logits, targets, d) = (f32s(gpu, logits)?, plain(targets)?, plain(&d.reshape(1)?)?);
    let (rows, classes) = logits.dims2()?;
    let dx = like(&logits)?;
    let plan = CrossEntropy { rows, classes, smoothing }.backward();
    gpu.run(&plan, &[Some(&logits), Some(&targets), Some(log_sums), Some(&d), Some(&dx)])?;
    Ok(dx)
}

/// How many rows have their greatest value at their target: a scalar.
///
/// # Errors
/// Those of the driver.
pub fn correct(gpu: &Gpu, logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let (logits, targets) = (f32s(gpu, logits)?, plain(targets)?);
    let (rows, classes) = logits.dims2()?;
    let count = room(&logits, Element::F32, 1)?;
    let plan = CrossEntropy { rows, classes, smoothing: 0.0 }.correct();
    gpu.run(&plan, &[Some(&logits), Some(&targets), Some(&count)])?;
    Ok(count.reshape(())?)
}
