//! Random changes of pictures in training.

use fast_image_resize::Resizer;
use fast_image_resize::pixels::U8x3;
use in9_base::rng::{below, shuffle, unit};
use rand_chacha::ChaCha8Rng;

use crate::error::{Error, Result};
use crate::resample;

/// Strengths of colour jitter: each factor is drawn from 1 − strength to 1 + strength.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jitter {
    /// Brightness, 0..=1.
    pub brightness: f32,
    /// Contrast, 0..=1.
    pub contrast: f32,
    /// Saturation, 0..=1.
    pub saturation: f32,
}

/// How pictures are changed at random. Keyed by (seed, item, epoch).
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Augment {
    /// Not at all.
    #[default]
    None,
    /// Moved by up to `pixels` in each direction (what is uncovered is the mean colour, 0 after
    /// normalisation), and mirrored half of the time. For small pictures.
    ShiftFlip {
        /// Largest shift, in pixels.
        pixels: u32,
    },
    /// A random part, resized to the full size with antialiasing, as ImageNet is trained on.
    RandomResizedCrop {
        /// Least and greatest share of the area; the field uses (0.08, 1).
        scale: (f32, f32),
        /// Least and greatest width to height; the field uses (3/4, 4/3).
        ratio: (f32, f32),
        /// Whether half of the pictures are mirrored.
        flip: bool,
        /// Colour jitter; the paper's library uses 0.1 each.
        jitter: Option<Jitter>,
        /// Standard deviation of the "lighting" noise along the colours' principal components; the
        /// paper's library uses 0.05. 0 switches it off.
        lighting: f32,
    },
}

impl Augment {
    /// What the paper's library does on ImageNet.
    pub fn paper() -> Self {
        let jitter = Jitter { brightness: 0.1, contrast: 0.1, saturation: 0.1 };
        Self::RandomResizedCrop {
            scale: (0.08, 1.0),
            ratio: (0.75, 4.0 / 3.0),
            flip: true,
            jitter: Some(jitter),
            lighting: 0.05,
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        let bad = |setting, expected, found: String| Err(Error::Setting { setting, expected, found });
        match self {
            Self::None => Ok(()),
            Self::ShiftFlip { pixels } if *pixels > 1 << 14 => {
                bad("shift", "at most 16384", pixels.to_string())
            }
            Self::ShiftFlip { .. } => Ok(()),
            Self::RandomResizedCrop { scale, ratio, jitter, lighting, .. } => {
                let ordered = |(low, high): (f32, f32)| low > 0.0 && low <= high && high.is_finite();
                let strengths = jitter.map_or([0.0; 3], |j| [j.brightness, j.contrast, j.saturation]);
                if !ordered(*scale) || scale.1 > 1.0 {
                    return bad("scale of random crops", "0 < low <= high <= 1", format!("{scale:?}"));
                }
                if !ordered(*ratio) {
                    return bad("ratio of random crops", "0 < low <= high", format!("{ratio:?}"));
                }
                if !strengths.iter().all(|s| (0.0..=1.0).contains(s)) {
                    return bad("jitter", "strengths from 0 to 1", format!("{strengths:?}"));
                }
                if !(0.0..=10.0).contains(lighting) {
                    return bad("lighting", "0 to 10", lighting.to_string());
                }
                Ok(())
            }
        }
    }
}

/// Principal components of ImageNet's colours (scaled to 0..=1), each times its standard deviation,
/// as published with AlexNet: rows are R, G, B.
const LIGHTING: [[f32; 3]; 3] = {
    const EIGENVALUES: [f32; 3] = [0.2175, 0.0188, 0.0045];
    const EIGENVECTORS: [[f32; 3]; 3] =
        [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]];
    let mut scaled = EIGENVECTORS;
    let mut row = 0;
    while row < 3 {
        let mut column = 0;
        while column < 3 {
            scaled[row][column] = EIGENVECTORS[row][column] * EIGENVALUES[column];
            column += 1;
        }
        row += 1;
    }
    scaled
};

/// Buffers for random crops.
#[derive(Default)]
pub(super) struct Random {
    resizer: Resizer,
    resized: Vec<u8>,
}

impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Random").finish_non_exhaustive()
    }
}

impl Random {
    /// Crop a picture of `stored` pixels a side, resize to `size`, jitter, light; returns size·size·3 bytes, and whether they are to be mirrored.
    pub(super) fn apply(
        &mut self,
        rgb: &[u8],
        stored: usize,
        size: usize,
        rng: &mut ChaCha8Rng,
        scale: (f32, f32),
        ratio: (f32, f32),
        flip: bool,
        jitter: Option<Jitter>,
        lighting: f32,
    ) -> Result<(&[u8], bool)> {
        let [x, y, width, height] = random_crop(rng, stored as u32, scale, ratio);
        let failed =
            |e: String| Error::argument("cannot resize a picture", "a picture", e, "report this as a bug");
        self.resized.resize(size * size * 3, 0);
        let (side, window) = (stored as u32, [x, y, width, height].map(f64::from));
        resample::square::<U8x3>(
            &mut self.resizer,
            rgb,
            (side, side),
            window,
            size as u32,
            &mut self.resized,
        )
        .map_err(failed)?;
        let mirrored = flip && below(rng, 2) == 1;
        if let Some(jitter) = jitter {
            jitter_colours(&mut self.resized, jitter, rng);
        }
        if lighting > 0.0 {
            light(&mut self.resized, lighting, rng);
        }
        Ok((&self.resized, mirrored))
    }
}

/// A random box `[x, y, width, height]` of the wanted share and ratio; after ten boxes that do not
/// fit, the largest central one of an allowed ratio.
fn random_crop(rng: &mut ChaCha8Rng, size: u32, scale: (f32, f32), ratio: (f32, f32)) -> [u32; 4] {
    let side = size as f32;
    for _ in 0..10 {
        let area = side * side * (scale.0 + (scale.1 - scale.0) * unit(rng));
        let (low, high) = (ratio.0.ln(), ratio.1.ln());
        let ratio = (low + (high - low) * unit(rng)).exp();
        let (width, height) = ((area * ratio).sqrt().round() as u32, (area / ratio).sqrt().round() as u32);
        if (1..=size).contains(&width) && (1..=size).contains(&height) {
            return [below(rng, size - width + 1), below(rng, size - height + 1), width, height];
        }
    }
    let width = (side * ratio.1.min(1.0)).round().max(1.0) as u32;
    let height = (side / ratio.0.max(1.0)).round().max(1.0) as u32;
    [(size - width) / 2, (size - height) / 2, width, height]
}

fn luma(pixel: &[u8]) -> f32 {
    0.299 * f32::from(pixel[0]) + 0.587 * f32::from(pixel[1]) + 0.114 * f32::from(pixel[2])
}

/// Moves every value from `origin` by `factor`.
fn blend(value: u8, origin: f32, factor: f32) -> u8 {
    (origin + (f32::from(value) - origin) * factor + 0.5).clamp(0.0, 255.0) as u8
}

/// Brightness, contrast and saturation in random order.
fn jitter_colours(pixels: &mut [u8], jitter: Jitter, rng: &mut ChaCha8Rng) {
    let mut order = [0u8, 1, 2];
    shuffle(rng, &mut order);
    for step in order {
        let strength = [jitter.brightness, jitter.contrast, jitter.saturation][usize::from(step)];
        let factor = 1.0 + strength * (2.0 * unit(rng) - 1.0);
        match step {
            0 => pixels.iter_mut().for_each(|v| *v = blend(*v, 0.0, factor)),
            1 => {
                let sum: f64 = pixels.chunks_exact(3).map(|p| f64::from(luma(p))).sum();
                let mean = (sum / (pixels.len() / 3) as f64) as f32;
                pixels.iter_mut().for_each(|v| *v = blend(*v, mean, factor));
            }
            _ => {
                for pixel in pixels.chunks_exact_mut(3) {
                    let grey = luma(pixel);
                    pixel.iter_mut().for_each(|v| *v = blend(*v, grey, factor));
                }
            }
        }
    }
}

/// Adds one random colour, drawn along the principal components, to every pixel.
fn light(pixels: &mut [u8], deviation: f32, rng: &mut ChaCha8Rng) {
    let alphas: [f32; 3] = std::array::from_fn(|_| deviation * normal(rng));
    let offset: [f32; 3] =
        std::array::from_fn(|c| 255.0 * (0..3).map(|k| LIGHTING[c][k] * alphas[k]).sum::<f32>());
    for pixel in pixels.chunks_exact_mut(3) {
        for (value, offset) in pixel.iter_mut().zip(offset) {
            *value = (f32::from(*value) + offset + 0.5).clamp(0.0, 255.0) as u8;
        }
    }
}

/// A standard normal number, by Box and Muller.
fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let radius = (-2.0 * (1.0 - unit(rng)).ln()).sqrt();
    radius * (std::f32::consts::TAU * unit(rng)).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use in9_base::rng::stream;

    #[test]
    fn random_crops_stay_inside_and_cover_the_range() {
        let (mut least, mut most) = (f32::MAX, 0f32);
        for item in 0..2000 {
            let [x, y, w, h] =
                random_crop(&mut stream(0, "test", item, 0), 64, (0.08, 1.0), (0.75, 4.0 / 3.0));
            assert!(w > 0 && h > 0 && x + w <= 64 && y + h <= 64);
            let share = (w * h) as f32 / 4096.0;
            (least, most) = (least.min(share), most.max(share));
        }
        assert!(least < 0.1 && most > 0.95, "{least} {most}");
    }

    #[test]
    fn the_whole_picture_without_jitter_is_unchanged() {
        let rgb: Vec<u8> = (0..8 * 8 * 3).map(|i| i as u8).collect();
        let mut random = Random::default();
        let same =
            random.apply(&rgb, 8, 8, &mut stream(0, "t", 0, 0), (1.0, 1.0), (1.0, 1.0), false, None, 0.0);
        assert_eq!(same.unwrap(), (&rgb[..], false));
    }

    #[test]
    fn half_of_the_pictures_are_to_be_mirrored() {
        let (rgb, mut random) = (vec![7u8; 12], Random::default());
        let mut mirrored = |item| {
            let mut rng = stream(0, "t", item, 0);
            random.apply(&rgb, 2, 2, &mut rng, (1.0, 1.0), (1.0, 1.0), true, None, 0.0).unwrap().1
        };
        let count = (0..1000).filter(|&item| mirrored(item)).count();
        assert!((450..=550).contains(&count), "{count}");
    }

    #[test]
    fn no_jitter_strength_changes_nothing() {
        let rgb: Vec<u8> = (0..6 * 6 * 3).map(|i| (i * 7) as u8).collect();
        let mut pixels = rgb.clone();
        jitter_colours(
            &mut pixels,
            Jitter { brightness: 0.0, contrast: 0.0, saturation: 0.0 },
            &mut stream(0, "t", 0, 0),
        );
        assert_eq!(pixels, rgb);
    }

    #[test]
    fn impossible_settings_are_refused() {
        for (scale, ratio) in [((0.0, 1.0), (1.0, 1.0)), ((0.5, 1.5), (1.0, 1.0)), ((0.5, 1.0), (2.0, 1.0))] {
            let augment =
                Augment::RandomResizedCrop { scale, ratio, flip: true, jitter: None, lighting: 0.0 };
            assert!(augment.check().is_err());
        }
        assert!(Augment::paper().check().is_ok());
    }
}
