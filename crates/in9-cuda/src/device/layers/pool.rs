//! Maxima and means of windows, and means of planes.

use candle_core::Tensor;

use super::planes;
use crate::device::tensors::{f32s, first, last, room};
use crate::device::{Error, Gpu, Result};
use crate::launch::Element;
use crate::plan::pool::{Planes, Pool};

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
