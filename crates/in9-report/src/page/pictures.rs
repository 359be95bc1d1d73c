//! Pictures inside the page, as data addresses.

use crate::error::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use in9_analysis::output::png;

/// Up to this side pictures are stored without loss and shown with hard pixel edges.
pub(crate) const SMALL: usize = 128;

/// A `size × size` RGB picture as a `data:` address: PNG when small, JPEG otherwise.
///
/// # Errors
/// If the picture cannot be encoded.
pub(crate) fn data_address(rgb: &[u8], size: usize) -> Result<String> {
    if size <= SMALL {
        return Ok(png_address(&png(rgb, size)?));
    }
    let mut jpeg = Vec::new();
    let side = size as u32;
    JpegEncoder::new_with_quality(&mut jpeg, 87).write_image(rgb, side, side, ExtendedColorType::Rgb8)?;
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg)))
}

/// A PNG file as a `data:` address.
pub(crate) fn png_address(file: &[u8]) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(file))
}

/// An SVG file as a `data:` address.
pub(crate) fn svg_address(file: &str) -> String {
    format!("data:image/svg+xml;base64,{}", STANDARD.encode(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4648_examples() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foob", "Zm9vYg=="), ("fools", "Zm9vbHM=")]
        {
            assert_eq!(png_address(plain.as_bytes()), format!("data:image/png;base64,{coded}"));
        }
    }

    #[test]
    fn small_pictures_are_png_and_large_ones_jpeg() {
        let address = |size: usize| data_address(&vec![7; 3 * size * size], size).unwrap();
        assert!(address(4).starts_with("data:image/png;base64,iVBOR"));
        assert!(address(SMALL + 1).starts_with("data:image/jpeg;base64,/9j/"));
    }
}
