//! From a decoded photograph to a network's input, bit for bit as Pillow would do it.

mod resample;

use std::fmt;
use std::ops::Range;

use in9_data::Normalization;

use crate::error::{Error, Result};

pub use resample::{Interpolation, resize};

/// An 8-bit RGB picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rgb {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[height, width, 3]`, row-major, `0..=255`.
    pub pixels: Vec<u8>,
}

impl Rgb {
    /// A picture of these pixels.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are not `width · height · 3` of them, or none.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Result<Self> {
        let wanted = width.checked_mul(height).and_then(|n| n.checked_mul(3));
        if wanted != Some(pixels.len()) || pixels.is_empty() {
            return Err(Error::Shape {
                what: "picture".into(),
                expected: format!("{width} × {height} × 3 bytes, at least one pixel"),
                found: vec![pixels.len()],
            });
        }
        Ok(Self { width, height, pixels })
    }

    /// The pixels of these columns and rows, which are in the picture.
    fn part(&self, columns: Range<usize>, rows: Range<usize>) -> Rgb {
        let row = |y: usize| &self.pixels[(y * self.width + columns.start) * 3..][..columns.len() * 3];
        let pixels = rows.clone().flat_map(|y| row(y).iter().copied()).collect();
        Rgb { width: columns.len(), height: rows.len(), pixels }
    }

    /// The part of this width and height at the centre. Where the picture is smaller, black is
    /// added around it, as torchvision does.
    ///
    /// The corner is the half of the difference, rounded to even as Python rounds.
    pub fn centre_crop(&self, width: usize, height: usize) -> Rgb {
        let left = corner(self.width, width);
        let top = corner(self.height, height);
        let mut pixels = vec![0; width * height * 3];
        for y in 0..height {
            let Some(row) = source(y, top, self.height) else { continue };
            for x in 0..width {
                let Some(column) = source(x, left, self.width) else { continue };
                let (to, from) = ((y * width + x) * 3, (row * self.width + column) * 3);
                pixels[to..to + 3].copy_from_slice(&self.pixels[from..from + 3]);
            }
        }
        Rgb { width, height, pixels }
    }
}

/// Where a crop of `size` begins in `length` pixels: `round_half_even((length - size) / 2)` when
/// it fits. A larger crop is centred by padding `(size - length) / 2` in front, rounded down.
fn corner(length: usize, size: usize) -> isize {
    if size > length {
        return -(((size - length) / 2) as isize);
    }
    let twice = length - size;
    let down = twice / 2;
    (down + usize::from(twice % 2 == 1 && down % 2 == 1)) as isize
}

fn source(at: usize, corner: isize, length: usize) -> Option<usize> {
    at.checked_add_signed(corner).filter(|&i| i < length)
}

/// How a photograph of any size becomes a square.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Crop {
    /// Resize the shorter side to `resize` pixels, keep the shape, cut the centre out:
    /// torchvision's and timm's order.
    ResizeThenCrop {
        /// The shorter side before the cut, in pixels.
        resize: usize,
    },
    /// Cut a square of this share of the shorter side out of the centre and resize it: the order
    /// of TensorFlow's EfficientNets.
    CropThenResize {
        /// Side of the square over the shorter side, `0..=1`.
        share: f64,
    },
}

/// Everything between a decoded photograph and a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preprocessing {
    /// Side of the network's input, in pixels.
    pub size: usize,
    /// How the square is made.
    pub crop: Crop,
    /// The filter of the resize.
    pub interpolation: Interpolation,
    /// Mean and deviation of each channel on the scale `0..=1`.
    pub normalization: Normalization,
}

/// One line: `resize the shorter side to 256 (bilinear), crop 224, mean … std …`.
impl fmt::Display for Preprocessing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, interpolation, .. } = self;
        match self.crop {
            Crop::ResizeThenCrop { resize } => {
                write!(f, "resize the shorter side to {resize} ({interpolation}), crop {size}")?;
            }
            Crop::CropThenResize { share } => {
                write!(f, "crop {share} of the shorter side, resize to {size} ({interpolation})")?;
            }
        }
        let Normalization { mean, std } = self.normalization;
        let three = |v: [f32; 3]| v.map(|v| format!("{v:.4}")).join(" ");
        write!(f, ", mean {}, std {}", three(mean), three(std))
    }
}

impl Preprocessing {
    /// The square that the network sees, 8 bit, before normalisation.
    pub fn square(&self, photo: &Rgb) -> Rgb {
        let short = photo.width.min(photo.height);
        match self.crop {
            Crop::ResizeThenCrop { resize: side } => {
                // The longer side is rounded down.
                let long = |length: usize| (side * length / short).max(1);
                let size = [long(photo.width), long(photo.height)];
                // What the crop keeps; where the picture is smaller, all of it.
                let kept = |length: usize| match usize::try_from(corner(length, self.size)) {
                    Ok(corner) => corner..(corner + self.size).min(length),
                    Err(_) => 0..length,
                };
                let [columns, rows] = size.map(kept);
                let part = resample::resize_part(photo, size, self.interpolation, columns, rows);
                part.centre_crop(self.size, self.size)
            }
            Crop::CropThenResize { share } => {
                let side = ((short as f64 * share) as usize).clamp(1, short);
                resize(&photo.centre_crop(side, side), self.size, self.size, self.interpolation)
            }
        }
    }

    /// Normalised planes `[3, size, size]` of a square from [`Preprocessing::square`].
    pub fn normalise(&self, square: &Rgb) -> Vec<f32> {
        let mut planes = vec![0.0; square.pixels.len()];
        self.normalization.bytes(&square.pixels, &mut planes);
        planes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_round_to_even_as_python_does() {
        assert_eq!(corner(5, 2), 2); // 1.5
        assert_eq!(corner(7, 2), 2); // 2.5
        assert_eq!(corner(256, 224), 16);
        assert_eq!(corner(2, 5), -1);
    }

    #[test]
    fn a_crop_larger_than_the_picture_is_padded_with_black() {
        let one = Rgb::new(1, 1, vec![7, 8, 9]).unwrap();
        let crop = one.centre_crop(3, 1);
        assert_eq!(crop.pixels, [0, 0, 0, 7, 8, 9, 0, 0, 0]);
    }

    #[test]
    fn a_preprocessing_is_told_in_one_line() {
        let own = Preprocessing {
            size: 224,
            crop: Crop::ResizeThenCrop { resize: 256 },
            interpolation: Interpolation::Bicubic,
            normalization: Normalization { mean: [0.5; 3], std: [0.25; 3] },
        };
        let line = "resize the shorter side to 256 (bicubic), crop 224, \
            mean 0.5000 0.5000 0.5000, std 0.2500 0.2500 0.2500";
        assert_eq!(own.to_string(), line);
        let tensorflow = Preprocessing { crop: Crop::CropThenResize { share: 0.875 }, ..own };
        assert!(
            tensorflow.to_string().starts_with("crop 0.875 of the shorter side, resize to 224 (bicubic)")
        );
    }

    /// At its full size each would have 12 gigabytes.
    #[test]
    fn long_thin_pictures_take_no_more_than_their_crop() {
        let own = Preprocessing {
            size: 224,
            crop: Crop::ResizeThenCrop { resize: 256 },
            interpolation: Interpolation::Bicubic,
            normalization: Normalization { mean: [0.5; 3], std: [0.25; 3] },
        };
        for (width, height) in [(1, 65_535), (65_535, 1), (2, 120_000)] {
            let picture = Rgb::new(width, height, vec![9; width * height * 3]).unwrap();
            let square = own.square(&picture);
            assert_eq!((square.width, square.height), (224, 224));
            assert!(square.pixels.iter().all(|&p| p == 9));
        }
    }

    #[test]
    fn wrong_byte_counts_are_refused() {
        assert!(Rgb::new(2, 2, vec![0; 11]).is_err());
        assert!(Rgb::new(0, 2, vec![]).is_err());
        assert!(Rgb::new(usize::MAX, 2, vec![0; 6]).is_err());
    }
}
