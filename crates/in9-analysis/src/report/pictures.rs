//! Pictures inside the page, as data addresses.

use crate::error::{Error, Result};
use image::{ExtendedColorType, ImageEncoder};
use std::path::Path;

/// Up to this side pictures are stored without loss and shown with hard pixel edges.
pub const SMALL: usize = 128;

/// A `size × size` RGB picture as a `data:` address: PNG when small, JPEG otherwise.
///
/// # Errors
/// If the picture cannot be encoded.
pub fn data_address(rgb: &[u8], size: usize) -> Result<String> {
    if size > SMALL {
        let mut jpeg = Vec::new();
        let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 87);
        encode(encoder, rgb, size)?;
        return Ok(format!("data:image/jpeg;base64,{}", base64(&jpeg)));
    }
    Ok(format!("data:image/png;base64,{}", base64(&png(rgb, size)?)))
}

/// A `size × size` RGB picture as PNG.
///
/// # Errors
/// If the picture cannot be encoded.
pub fn png(rgb: &[u8], size: usize) -> Result<Vec<u8>> {
    let mut png = Vec::new();
    encode(image::codecs::png::PngEncoder::new(&mut png), rgb, size)?;
    Ok(png)
}

fn encode(encoder: impl ImageEncoder, rgb: &[u8], size: usize) -> Result<()> {
    encoder
        .write_image(rgb, size as u32, size as u32, ExtendedColorType::Rgb8)
        .map_err(|e| Error::input(Path::new("picture"), e.to_string()))
}

/// Base64 with padding (RFC 4648, section 4).
///
/// ```
/// assert_eq!(in9_analysis::report::pictures::base64(b"fools"), "Zm9vbHM=");
/// ```
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().enumerate().fold(0u32, |w, (i, &b)| w | u32::from(b) << (16 - 8 * i));
        for i in 0..4 {
            if i <= chunk.len() {
                text.push(char::from(ALPHABET[(word >> (18 - 6 * i) & 63) as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_4648_examples() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn small_pictures_keep_their_pixels() {
        let rgb: Vec<u8> = (0..48).collect();
        let read = image::load_from_memory(&png(&rgb, 4).unwrap()).unwrap().to_rgb8();
        assert_eq!(read.into_raw(), rgb);
        assert!(data_address(&rgb, 4).unwrap().starts_with("data:image/png;base64,iVBOR"));
    }
}
