//! Pixels to files.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use in9_data::MaskBits;

use crate::error::Result;

/// How much of a photograph JPEG keeps in an export, in `1..=100`.
const QUALITY: u8 = 85;

/// RGB bytes as PNG, quickly.
pub(crate) fn png(rgb: &[u8], size: usize) -> Result<Vec<u8>> {
    encode_png(rgb, size, ExtendedColorType::Rgb8, CompressionType::Fast)
}

/// A mask as PNG: white and opaque where the object is, transparent elsewhere.
pub(crate) fn mask_png(mask: &MaskBits<'_>) -> Result<Vec<u8>> {
    let size = mask.size();
    let mut on = vec![0; size * size];
    mask.expand_into(&mut on);
    let pixels: Vec<u8> = on.iter().flat_map(|&on| [255, 255 * on]).collect();
    encode_png(&pixels, size, ExtendedColorType::La8, CompressionType::Default)
}

/// RGB bytes in as few bytes as will do: PNG if that is no larger than JPEG, as it is for tiny or flat pictures. Returns
/// the bytes and the ending of a file of that kind.
pub(crate) fn smallest(rgb: &[u8], size: usize) -> Result<(Vec<u8>, &'static str)> {
    let mut jpeg = Vec::new();
    let side = side(size);
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).write_image(
        rgb,
        side,
        side,
        ExtendedColorType::Rgb8,
    )?;
    let png = encode_png(rgb, size, ExtendedColorType::Rgb8, CompressionType::Default)?;
    Ok(if png.len() <= jpeg.len() { (png, "png") } else { (jpeg, "jpg") })
}

fn encode_png(
    pixels: &[u8],
    size: usize,
    colour: ExtendedColorType,
    how: CompressionType,
) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(pixels.len() / 2);
    let side = side(size);
    PngEncoder::new_with_quality(&mut bytes, how, FilterType::Adaptive)
        .write_image(pixels, side, side, colour)?;
    Ok(bytes)
}

fn side(size: usize) -> u32 {
    // Sides of stored pictures are at most 16,384.
    u32::try_from(size).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_survive_their_encoding() {
        let rgb: Vec<u8> = (0..4 * 4 * 3).map(|i| (i * 5) as u8).collect();
        let back = image::load_from_memory(&png(&rgb, 4).unwrap()).unwrap();
        assert_eq!(back.to_rgb8().into_raw(), rgb);
        let mask = MaskBits::new(&[0b0110], 2);
        let back = image::load_from_memory(&mask_png(&mask).unwrap()).unwrap().to_rgba8();
        let opaque: Vec<bool> = back.pixels().map(|pixel| pixel[3] == 255).collect();
        assert_eq!(opaque, [false, true, true, false]);
    }

    #[test]
    fn a_flat_picture_is_exported_without_loss() {
        assert_eq!(smallest(&[9; 64 * 64 * 3], 64).unwrap().1, "png");
    }
}
