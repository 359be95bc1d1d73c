//! The layers as functions on tensors, and their gradients.

use candle_core::{D, Device, Tensor, Var};

use super::tensors::{element, f32s, first, last, plain, pointer, room};
use super::{Error, Gpu, Result};
use crate::Activation;
use crate::launch::Element;
use crate::plan::compose::Picture;
use crate::plan::loss::CrossEntropy;
use crate::plan::norm::BatchNorm;
use crate::plan::pool::{Planes, Pool};
use crate::plan::{self, Matrix, elementwise};

/// The matrix that `[n, h, w, channels]` is.
fn matrix(x: &Tensor) -> Result<Matrix> {
    let (n, h, w, channels) = x.dims4()?;
    Ok(Matrix { rows: n * h * w, channels, element: element(x)? })
}

fn planes(x: &Tensor) -> Result<Planes> {
    let (n, h, w, channels) = x.dims4()?;
    Ok(Planes { n, plane: h * w, channels, element: element(x)? })
}

fn like(x: &Tensor) -> Result<Tensor> {
    room(x, element(x)?, x.shape())
}

/// The values in the memory's order: channels last of images, row-major of anything else; and the way back.
fn in_order(gpu: &Gpu, x: &Tensor) -> Result<Tensor> {
    if x.rank() == 4 { last(gpu, x) } else { plain(x) }
}

fn back(x: &Tensor) -> Result<Tensor> {
    if x.rank() == 4 { first(x) } else { Ok(x.clone()) }
}

/// Channels last in memory, in the precision that the device is set to: what a network begins with.
///
/// # Errors
/// Those of the driver.
pub fn channels_last(gpu: &Gpu, x: &Tensor) -> Result<Tensor> {
    let to = if gpu.settings().bf16 { Element::Bf16 } else { Element::F32 };
    let x = plain(&last(gpu, x)?)?;
    first(&cast(gpu, &x, to)?)
}

/// The same values in another precision; nothing is done if they have it.
///
/// # Errors
/// Those of the driver.
pub fn cast(gpu: &Gpu, x: &Tensor, to: Element) -> Result<Tensor> {
    let (x, from) = (plain(x)?, element(x)?);
    if from == to {
        return Ok(x);
    }
    let y = room(&x, to, x.shape())?;
    gpu.run(&plan::convert::cast([from, to], x.elem_count()), &[Some(&x), Some(&y)])?;
    Ok(y)
}

/// `activation(x)`.
///
/// # Errors
/// Those of the driver.
pub fn activation(gpu: &Gpu, x: &Tensor, activation: Activation) -> Result<Tensor> {
    let x = in_order(gpu, x)?;
    let y = like(&x)?;
    let plan = elementwise::add_act(x.elem_count(), element(&x)?, activation, false);
    gpu.run(&plan, &[Some(&x), None, Some(&y)])?;
    back(&y)
}

/// The gradient of [`activation`].
///
/// # Errors
/// Those of the driver.
pub fn activation_gradient(gpu: &Gpu, x: &Tensor, activation: Activation, dy: &Tensor) -> Result<Tensor> {
    let (x, dy) = (in_order(gpu, x)?, in_order(gpu, dy)?);
    let d = like(&x)?;
    let plan = elementwise::add_act_gradient(x.elem_count(), element(&x)?, activation, false);
    gpu.run(&plan, &[Some(&x), None, Some(&dy), Some(&d)])?;
    back(&d)
}

/// `activation(a + b)`.
///
/// # Errors
/// Those of the driver.
pub fn add_act(gpu: &Gpu, a: &Tensor, b: &Tensor, activation: Activation) -> Result<Tensor> {
    let (a, b) = (in_order(gpu, a)?, in_order(gpu, b)?);
    let y = like(&a)?;
    let plan = elementwise::add_act(a.elem_count(), element(&a)?, activation, true);
    gpu.run(&plan, &[Some(&a), Some(&b), Some(&y)])?;
    back(&y)
}

/// The gradient of [`add_act`], the same with respect to both.
///
/// # Errors
/// Those of the driver.
pub fn add_act_gradient(
    gpu: &Gpu,
    a: &Tensor,
    b: &Tensor,
    activation: Activation,
    dy: &Tensor,
) -> Result<Tensor> {
    let (a, b, dy) = (in_order(gpu, a)?, in_order(gpu, b)?, in_order(gpu, dy)?);
    let d = like(&a)?;
    let plan = elementwise::add_act_gradient(a.elem_count(), element(&a)?, activation, true);
    gpu.run(&plan, &[Some(&a), Some(&b), Some(&dy), Some(&d)])?;
    back(&d)
}

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
/// [`Error::Unsupported`] for another type.
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

/// A variable whose memory a kernel changes.
fn in_place(variable: &Var) -> Result<Tensor> {
    let tensor = variable.as_detached_tensor();
    if element(&tensor)? != Element::F32 || !tensor.is_contiguous() || pointer(&tensor)? % 16 != 0 {
        return Err(Error::Unsupported("a variable that is not f32 and contiguous".to_owned()));
    }
    Ok(tensor)
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

/// Maxima, and the place of each in its window for the gradient.
///
/// # Errors
/// [`Error::Unsupported`] for windows of more than 256 pixels.
pub fn max_pool(gpu: &Gpu, x: &Tensor, pool: Pool, [oh, ow]: [usize; 2]) -> Result<[Tensor; 2]> {
    if !pool.fits_a_byte() {
        return Err(Error::Unsupported("max pooling over more than 256 pixels".to_owned()));
    }
    let x = last(gpu, x)?;
    let (n, _, _, c) = x.dims4()?;
    let y = room(&x, pool.element, (n, oh, ow, c))?;
    let places = room(&x, Element::U8, (n, oh, ow, c))?;
    gpu.run(&pool.max(), &[Some(&x), Some(&y), Some(&places)])?;
    Ok([first(&y)?, places])
}

/// The gradient of [`max_pool`].
///
/// # Errors
/// Those of the driver.
pub fn max_pool_gradient(
    gpu: &Gpu,
    places: &Tensor,
    pool: Pool,
    [h, w]: [usize; 2],
    dy: &Tensor,
) -> Result<Tensor> {
    let dy = last(gpu, dy)?;
    let dx = room(&dy, pool.element, (pool.n, h, w, pool.channels))?;
    gpu.run(&pool.max_gradient(), &[Some(places), Some(&dy), Some(&dx)])?;
    first(&dx)
}

/// Means of windows.
///
/// # Errors
/// Those of the driver.
pub fn avg_pool(gpu: &Gpu, x: &Tensor, pool: Pool, [oh, ow]: [usize; 2]) -> Result<Tensor> {
    let x = last(gpu, x)?;
    let y = room(&x, pool.element, (pool.n, oh, ow, pool.channels))?;
    gpu.run(&pool.avg(), &[Some(&x), Some(&y)])?;
    first(&y)
}

/// The gradient of [`avg_pool`].
///
/// # Errors
/// Those of the driver.
pub fn avg_pool_gradient(gpu: &Gpu, pool: Pool, [h, w]: [usize; 2], dy: &Tensor) -> Result<Tensor> {
    let dy = last(gpu, dy)?;
    let dx = room(&dy, pool.element, (pool.n, h, w, pool.channels))?;
    gpu.run(&pool.avg_gradient(), &[Some(&dy), Some(&dx)])?;
    first(&dx)
}

/// The mean of each plane, f32, `[n, channels]`.
///
/// # Errors
/// Those of the driver.
pub fn plane_mean(gpu: &Gpu, x: &Tensor) -> Result<Tensor> {
    let x = last(gpu, x)?;
    let p = planes(&x)?;
    let y = room(&x, Element::F32, (p.n, p.channels))?;
    gpu.run(&p.mean(), &[Some(&x), Some(&y)])?;
    Ok(y)
}

/// The gradient of [`plane_mean`] with respect to images of this size and precision.
///
/// # Errors
/// Those of the driver.
pub fn plane_mean_gradient(gpu: &Gpu, [h, w]: [usize; 2], to: Element, dy: &Tensor) -> Result<Tensor> {
    let dy = f32s(gpu, dy)?;
    let (n, channels) = dy.dims2()?;
    let dx = room(&dy, to, (n, h, w, channels))?;
    let p = Planes { n, plane: h * w, channels, element: to };
    gpu.run(&p.mean_gradient(), &[Some(&dy), Some(&dx)])?;
    first(&dx)
}

/// `x · gates`, the gates `[n, channels]`.
///
/// # Errors
/// Those of the driver.
pub fn scale(gpu: &Gpu, x: &Tensor, gates: &Tensor) -> Result<Tensor> {
    let (x, gates) = (last(gpu, x)?, f32s(gpu, gates)?);
    let y = like(&x)?;
    gpu.run(&plan::channels::scale(planes(&x)?), &[Some(&x), Some(&gates), Some(&y)])?;
    first(&y)
}

/// The gradients of [`scale`] with respect to x and to the gates (f32).
///
/// # Errors
/// Those of the driver.
pub fn scale_gradients(gpu: &Gpu, x: &Tensor, gates: &Tensor, dy: &Tensor) -> Result<[Tensor; 2]> {
    let (x, dy) = (last(gpu, x)?, last(gpu, dy)?);
    let dgates = room(&x, Element::F32, gates.shape())?;
    let plan = plan::channels::gates_gradient(planes(&x)?);
    gpu.run(&plan, &[Some(&x), Some(&dy), Some(&dgates)])?;
    Ok([scale(gpu, &first(&dy)?, gates)?, dgates])
}

/// A map of channels on the device, uploaded once.
fn map(gpu: &Gpu, like: &Tensor, channels: &[Option<usize>]) -> Result<Tensor> {
    let numbers: Vec<i32> = channels.iter().map(|c| c.map_or(-1, |c| c as i32)).collect();
    let mut maps = super::gpu::lock(&gpu.maps);
    if let Some(map) = maps.get(&numbers) {
        return Ok(map.clone());
    }
    let map = Tensor::from_slice(&numbers, numbers.len(), like.device())?;
    maps.insert(numbers, map.clone());
    Ok(map)
}

/// A tensor whose channel k is channel `from[0][k]` of a plus channel `from[1][k]` of b.
///
/// # Errors
/// Those of the driver.
pub fn assemble(gpu: &Gpu, a: &Tensor, b: &Tensor, from: [&[Option<usize>]; 2]) -> Result<Tensor> {
    let (a, b) = (last(gpu, a)?, last(gpu, b)?);
    let ((n, h, w, a_channels), b_channels) = (a.dims4()?, b.dim(3)?);
    let (channels, element) = (from[0].len(), element(&a)?);
    let (from_a, from_b) = (map(gpu, &a, from[0])?, map(gpu, &a, from[1])?);
    let y = room(&a, element, (n, h, w, channels))?;
    let plan = plan::channels::assemble(n * h * w, [a_channels, b_channels, channels], element);
    gpu.run(&plan, &[Some(&a), Some(&b), Some(&from_a), Some(&from_b), Some(&y)])?;
    first(&y)
}

/// The gradient of [`assemble`] with respect to an input whose channel c went to channel `to[c]`.
///
/// # Errors
/// Those of the driver.
pub fn assemble_gradient(gpu: &Gpu, to: &[Option<usize>], dy: &Tensor) -> Result<Tensor> {
    let dy = last(gpu, dy)?;
    let ((n, h, w, dy_channels), element) = (dy.dims4()?, element(&dy)?);
    let (channels, to) = (to.len(), map(gpu, &dy, to)?);
    let dx = room(&dy, element, (n, h, w, channels))?;
    let plan = plan::channels::assemble_gradient(n * h * w, channels, dy_channels, element);
    gpu.run(&plan, &[Some(&dy), Some(&to), Some(&dx)])?;
    first(&dx)
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

/// Dropout with the CPU's mask; its gradient is the same function of dy.
///
/// # Errors
/// Those of the driver.
pub fn dropout(gpu: &Gpu, x: &Tensor, p: f64, key: u64) -> Result<Tensor> {
    let x = f32s(gpu, x)?;
    let y = like(&x)?;
    gpu.run(&elementwise::dropout(x.elem_count(), p, key), &[Some(&x), Some(&y)])?;
    Ok(y)
}

/// `x wᵀ + bias`, f32.
///
/// # Errors
/// Those of the driver.
pub fn linear(gpu: &Gpu, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let y = f32s(gpu, x)?.matmul(&w.detach().t()?)?;
    match bias {
        Some(bias) => Ok(y.broadcast_add(&bias.detach())?),
        None => Ok(y),
    }
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

/// One step of SGD on a parameter, in place; the velocity is changed too. `rate` is `[1]` on the device.
///
/// # Errors
/// [`Error::Unsupported`] for anything but f32.
pub fn sgd(
    gpu: &Gpu,
    parameter: &Var,
    gradient: &Tensor,
    velocity: &Var,
    rate: &Tensor,
    [momentum, decay]: [f64; 2],
    nesterov: bool,
) -> Result<()> {
    let (p, v, g) = (in_place(parameter)?, in_place(velocity)?, f32s(gpu, gradient)?);
    let plan = elementwise::sgd(p.elem_count(), momentum, decay, nesterov);
    gpu.run(&plan, &[Some(&p), Some(&g), Some(&v), Some(rate)])
}

/// Pictures composed from layers that are on the device: `[count, 3, size, size]`, channels last, in the precision
/// that the device is set to.
///
/// `layers` are photographs, tiled backgrounds, masks and boxes as [`plan::compose::compose`] says.
///
/// # Errors
/// Those of the driver.
pub fn compose(
    gpu: &Gpu,
    layers: [&Tensor; 4],
    pictures: &[Picture],
    size: usize,
    channels: [(f32, f32); 3],
) -> Result<Tensor> {
    let numbers: Vec<i32> = pictures.iter().flat_map(|picture| picture.numbers()).collect();
    let device: &Device = layers[0].device();
    let numbers = Tensor::from_vec(numbers, (pictures.len(), 6), device)?;
    let to = if gpu.settings().bf16 { Element::Bf16 } else { Element::F32 };
    let out = room(layers[0], to, (pictures.len(), size, size, 3))?;
    let plan = plan::compose::compose(pictures.len(), size, channels, to);
    let [photos, tiled, masks, boxes] = layers.map(Some);
    gpu.run(&plan, &[photos, tiled, masks, boxes, Some(&numbers), Some(&out)])?;
    first(&out)
}
