//! Pictures composed on the device.

use candle_core::{Device, Tensor};

use crate::device::tensors::{first, room};
use crate::device::{Gpu, Result};
use crate::launch::Element;
use crate::plan;
use crate::plan::compose::Picture;

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
