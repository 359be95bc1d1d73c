//! Channels that are scaled, split, joined and shuffled.

use candle_core::Tensor;

use super::{like, planes};
use crate::device::tensors::{element, f32s, first, last, room};
use crate::device::{Error, Gpu, Result};
use crate::launch::Element;
use crate::plan;

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
    let mut maps = crate::device::gpu::lock(&gpu.maps);
    if let Some(map) = maps.get(&numbers) {
        return Ok(map.clone());
    }
    if gpu.is_capturing() {
        return Err(Error::lasting("a map of channels"));
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
