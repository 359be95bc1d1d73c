//! Antialiased resizing of RGB and grey pictures.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};

/// Resizes the window (left, top, width, height) of `pixels` (`width`×`height`) to `side`×`side`.
///
/// A triangle filter, widened by the scale when shrinking. The kind of pixel is a type, because
/// `Resizer::resize` would compile all thirteen. The error is the library's.
pub(crate) fn square<P: PixelTrait>(
    resizer: &mut Resizer,
    pixels: &[u8],
    size: (u32, u32),
    part: [f64; 4],
    side: u32,
    out: &mut [u8],
) -> Result<(), String> {
    window::<P>(resizer, pixels, size, part, (side, side), out)
}

/// The same to any width and height.
pub(crate) fn window<P: PixelTrait>(
    resizer: &mut Resizer,
    pixels: &[u8],
    (width, height): (u32, u32),
    part: [f64; 4],
    (across, down): (u32, u32),
    out: &mut [u8],
) -> Result<(), String> {
    let source = TypedImageRef::<P>::from_buffer(width, height, pixels).map_err(|e| e.to_string())?;
    let mut target = TypedImage::<P>::from_buffer(across, down, out).map_err(|e| e.to_string())?;
    resizer.resize_typed(&source, &mut target, &options(part)).map_err(|e| e.to_string())
}

/// The same of pixels that are no bytes.
pub(crate) fn window_of<P: PixelTrait>(
    resizer: &mut Resizer,
    pixels: &[P],
    (width, height): (u32, u32),
    part: [f64; 4],
    (across, down): (u32, u32),
    out: &mut [P],
) -> Result<(), String> {
    let source = TypedImageRef::<P>::new(width, height, pixels).map_err(|e| e.to_string())?;
    let mut target = TypedImage::<P>::from_pixels_slice(across, down, out).map_err(|e| e.to_string())?;
    resizer.resize_typed(&source, &mut target, &options(part)).map_err(|e| e.to_string())
}

fn options([left, top, across, down]: [f64; 4]) -> ResizeOptions {
    ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
        .crop(left, top, across, down)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fast_image_resize::pixels::{U8, U8x3};

    #[test]
    fn halves_are_means_of_what_the_filter_covers() {
        // 4×4 in columns of 0 and 200: every pixel of the half size sees as much of both, but for the
        // edges, where the filter's end falls outside.
        let pixels: Vec<u8> = (0..16).flat_map(|i| [if i % 2 == 0 { 0 } else { 200 }; 3]).collect();
        let mut out = [0; 12];
        square::<U8x3>(&mut Resizer::new(), &pixels, (4, 4), [0.0, 0.0, 4.0, 4.0], 2, &mut out).unwrap();
        assert!(out.iter().all(|v| v.abs_diff(100) <= 15), "{out:?}");
        let whole: Vec<u8> = (0..16).collect();
        let mut same = [0; 4];
        square::<U8>(&mut Resizer::new(), &whole, (4, 4), [1.0, 1.0, 2.0, 2.0], 2, &mut same).unwrap();
        assert_eq!(same, [5, 6, 9, 10]);
        assert!(square::<U8x3>(&mut Resizer::new(), &pixels, (5, 4), [0.0; 4], 2, &mut out).is_err());
    }
}
