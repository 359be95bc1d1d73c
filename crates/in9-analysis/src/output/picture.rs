//! Pictures as files.

use crate::error::{Error, Result};
use image::{ExtendedColorType, ImageEncoder};

/// A `size × size` picture as PNG, from `size · size · 3` RGB bytes, row by row, pixel by pixel.
///
/// # Errors
/// If `rgb` has another length.
pub fn png(rgb: &[u8], size: usize) -> Result<Vec<u8>> {
    let mut png = Vec::new();
    image::codecs::png::PngEncoder::new(&mut png)
        .write_image(rgb, size as u32, size as u32, ExtendedColorType::Rgb8)
        .map_err(Error::encode("PNG"))?;
    Ok(png)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pictures_keep_their_pixels() {
        let rgb: Vec<u8> = (0..48).collect();
        let read = image::load_from_memory(&png(&rgb, 4).unwrap()).unwrap().to_rgb8();
        assert_eq!(read.into_raw(), rgb);
    }
}
