//! What is odd about some of ImageNet's photographs and boxes.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::dice::Dice;
use crate::error::{Error, Result};
use crate::ilsvrc;
use crate::photograph::{Key, Photograph};

/// What is odd about a photograph, beside the flaws that the toy world has anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dirt {
    /// Nothing.
    None,
    /// A JPEG of four inks.
    Cmyk,
    /// A PNG with a JPEG's name.
    Png,
    /// A JPEG of one channel.
    Grey,
    /// A box that reaches one pixel too far on each side, so that it may end at the width and height.
    OffByOne,
    /// Nobody drew a box; of training photographs only.
    Unboxed,
}

impl Dirt {
    /// The name in the table of dirt.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Cmyk => "cmyk",
            Self::Png => "png",
            Self::Grey => "grey",
            Self::OffByOne => "box-off-by-one",
            Self::Unboxed => "unannotated",
        }
    }

    /// Draws it for a photograph. All but the boxes is more frequent than in the real set, where there are two dozen CMYK
    /// photographs and one PNG in a million, so that a small stand-in has each.
    pub(super) fn draw(key: &Key) -> Self {
        let purpose = if key.train { "stand-in/train/dirt" } else { "stand-in/val/dirt" };
        match Dice::new(key.seed, purpose, key.number * 9 + key.class as u64).unit() {
            u if u < 0.01 => Self::Cmyk,
            u if u < 0.02 => Self::Png,
            u if u < 0.04 => Self::Grey,
            u if u < 0.14 => Self::OffByOne,
            u if u < 0.24 => Self::Unboxed,
            _ => Self::None,
        }
    }
}

/// The file of a photograph with its dirt; boxes are changed in the photograph.
pub(super) fn soil(photo: &mut Photograph, dirt: Dirt, stem: &str) -> Result<Vec<u8>> {
    let (width, height) = (photo.width as u32, photo.height as u32);
    let failed = |source| Error::Encode { photograph: stem.into(), source };
    let mut bytes = Vec::new();
    match dirt {
        Dirt::None | Dirt::Unboxed => return ilsvrc::jpeg(photo, stem),
        Dirt::OffByOne => {
            for corners in &mut photo.boxes {
                corners[2] = (corners[2] + 1).min(width);
                corners[3] = (corners[3] + 1).min(height);
            }
            return ilsvrc::jpeg(photo, stem);
        }
        Dirt::Png => PngEncoder::new(Cursor::new(&mut bytes))
            .write_image(&photo.rgb, width, height, ExtendedColorType::Rgb8)
            .map_err(failed)?,
        Dirt::Grey => JpegEncoder::new_with_quality(&mut bytes, photo.quality)
            .write_image(&grey(&photo.rgb), width, height, ExtendedColorType::L8)
            .map_err(failed)?,
        Dirt::Cmyk => {
            // Photographs are at most a few hundred pixels a side.
            let (columns, rows) = (width as u16, height as u16);
            let mut encoder = Encoder::new(&mut bytes, photo.quality);
            // Inks at a lower resolution are no colour differences, and decoders do not agree on them.
            encoder.set_sampling_factor(SamplingFactor::F_1_1);
            encoder
                .encode(&inks(&photo.rgb), columns, rows, ColorType::Cmyk)
                .map_err(|error| failed(image::ImageError::IoError(std::io::Error::other(error))))?;
        }
    }
    Ok(bytes)
}

/// One value a pixel.
fn grey(rgb: &[u8]) -> Vec<u8> {
    let luma = |p: &[u8]| (299 * u32::from(p[0]) + 587 * u32::from(p[1]) + 114 * u32::from(p[2])) / 1000;
    rgb.chunks_exact(3).map(|pixel| luma(pixel) as u8).collect()
}

/// Cyan, magenta, yellow and black of each pixel.
fn inks(rgb: &[u8]) -> Vec<u8> {
    let mut inks = Vec::with_capacity(rgb.len() / 3 * 4);
    for pixel in rgb.chunks_exact(3) {
        let light = pixel[0].max(pixel[1]).max(pixel[2]);
        let ink = |value: u8| match light {
            0 => 0,
            light => (255 * u32::from(light - value) / u32::from(light)) as u8,
        };
        inks.extend([ink(pixel[0]), ink(pixel[1]), ink(pixel[2]), 255 - light]);
    }
    inks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photograph(colours: Option<u64>) -> Photograph {
        let key = Key {
            seed: 3,
            rho: 0.5,
            size_leak: 0.0,
            place_leak: 0.0,
            train: true,
            class: 1,
            fine: 0,
            number: 4,
            colours,
        };
        key.take()
    }

    #[test]
    fn four_inks_give_the_colours_back() {
        assert_eq!(inks(&[255, 0, 0, 0, 0, 0]), [0, 255, 255, 0, 0, 0, 0, 255]);
        let mut photo = photograph(Some(7));
        let mean = |rgb: &[u8]| rgb.iter().map(|v| f64::from(*v)).sum::<f64>() / rgb.len() as f64;
        let expected = mean(&photo.rgb);
        let bytes = soil(&mut photo, Dirt::Cmyk, "x").unwrap();
        let back = image::load_from_memory(&bytes).unwrap().into_rgb8();
        assert!((mean(back.as_raw()) - expected).abs() < 8.0, "{} for {expected}", mean(back.as_raw()));
        let png = soil(&mut photo, Dirt::Png, "x").unwrap();
        assert!(png.starts_with(&[0x89, b'P', b'N', b'G']));
        let grey = soil(&mut photo, Dirt::Grey, "x").unwrap();
        assert_eq!(image::load_from_memory(&grey).unwrap().color(), image::ColorType::L8);
    }

    #[test]
    fn a_box_off_by_one_may_end_at_the_width() {
        let mut photo = photograph(None);
        let (width, height) = (photo.width as u32, photo.height as u32);
        photo.boxes = vec![[0, 0, width - 1, height - 3]];
        soil(&mut photo, Dirt::OffByOne, "x").unwrap();
        assert_eq!(photo.boxes, [[0, 0, width, height - 2]]);
    }
}
