//! A part of a photograph as the values of a network's input.

use fast_image_resize::Resizer;
use fast_image_resize::pixels::U8x3;

use crate::photo::Photo;
use crate::resample;

use super::description::{InputDescription, Layout, Order};
use super::region::Region;

/// Brings the region to the input's size by the triangle filter, with antialiasing, and normalises it. What the region
/// leaves free is 0.
pub(super) fn values(
    photo: &Photo,
    region: &Region,
    input: &InputDescription,
    resizer: &mut Resizer,
) -> Result<Vec<f32>, String> {
    let [across, down] = region.within;
    let mut rgb = vec![0; across as usize * down as usize * 3];
    let size = (photo.width, photo.height);
    let part = region.part.map(f64::from);
    resample::window::<U8x3>(resizer, &photo.rgb, size, part, (across, down), &mut rgb)?;
    let [width, height] = input.size.map(|side| side as usize);
    let mut values = vec![0.0; width * height * 3];
    for (y, row) in rgb.chunks_exact(across as usize * 3).enumerate() {
        for (x, pixel) in row.as_chunks::<3>().0.iter().enumerate() {
            for channel in 0..3 {
                let byte = match input.order {
                    Order::Rgb => pixel[channel],
                    Order::Bgr => pixel[2 - channel],
                };
                let at = match input.layout {
                    Layout::Nchw => (channel * height + y) * width + x,
                    Layout::Nhwc => (y * width + x) * 3 + channel,
                };
                values[at] = (f32::from(byte) / input.scale - input.mean[channel]) / input.std[channel];
            }
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::super::description::Fit;
    use super::*;

    #[test]
    fn pixels_lie_as_they_are_asked_for_and_padding_is_nought() {
        let photo = Photo { width: 2, height: 1, rgb: vec![10, 20, 30, 40, 50, 60] };
        let region = Region { part: [0, 0, 2, 1], within: [2, 1] };
        let input = |layout, order| InputDescription {
            name: None,
            size: [2, 2],
            layout,
            order,
            fit: Fit::Pad,
            scale: 10.0,
            mean: [1.0, 0.0, 0.0],
            std: [1.0, 2.0, 1.0],
        };
        let of = |layout, order| values(&photo, &region, &input(layout, order), &mut Resizer::new()).unwrap();
        assert_eq!(of(Layout::Nchw, Order::Rgb), [0., 3., 0., 0., 1., 2.5, 0., 0., 3., 6., 0., 0.]);
        assert_eq!(of(Layout::Nhwc, Order::Rgb), [0., 1., 3., 3., 2.5, 6., 0., 0., 0., 0., 0., 0.]);
        assert_eq!(of(Layout::Nhwc, Order::Bgr)[..6], [2., 1., 1., 5., 2.5, 4.]);
    }
}
