//! Maps from gradients with respect to the pixels.

use super::map::Map;
use crate::error::Result;
use crate::probes::classifier::{GradientClassifier, Pictures};
use in9_data::rng::{stream, unit};

/// Largest absolute gradient over the colours of each pixel.
///
/// Source: K. Simonyan, A. Vedaldi, A. Zisserman, "Deep inside convolutional networks", 2013, §3.1.
///
/// # Errors
/// If the classifier fails.
pub fn input_gradient(
    classifier: &dyn GradientClassifier,
    pictures: &Pictures,
    classes: &[u16],
) -> Result<Vec<Map>> {
    let gradient = classifier.input_gradient(pictures, classes)?;
    Ok(gradient.chunks_exact(pictures.values()).map(|g| strongest_colour(g, pictures.size)).collect())
}

/// Settings of SmoothGrad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smooth {
    /// Noisy copies of each picture.
    pub samples: u32,
    /// Standard deviation of the noise as a share of the picture's range of values.
    pub noise: f32,
    /// Seed of the noise; keyed by picture, so batches change nothing.
    pub seed: u64,
}

impl Default for Smooth {
    fn default() -> Self {
        Self { samples: 16, noise: 0.15, seed: 0 }
    }
}

/// SmoothGrad: the mean gradient over noisy copies, then as [`input_gradient`].
///
/// `keys` name the pictures to the random stream. Source: D. Smilkov et al., "SmoothGrad: removing
/// noise by adding noise", 2017.
///
/// # Errors
/// If the classifier fails.
pub fn smooth_grad(
    classifier: &dyn GradientClassifier,
    pictures: &Pictures,
    classes: &[u16],
    keys: &[u64],
    settings: Smooth,
) -> Result<Vec<Map>> {
    let mut sum = vec![0.0f32; pictures.pixels.len()];
    for sample in 0..settings.samples.max(1) {
        let mut noisy = pictures.clone();
        for (picture, &key) in noisy.pixels.chunks_exact_mut(pictures.values()).zip(keys) {
            add_noise(picture, key, sample, settings);
        }
        let gradient = classifier.input_gradient(&noisy, classes)?;
        sum.iter_mut().zip(gradient).for_each(|(s, g)| *s += g);
    }
    Ok(sum.chunks_exact(pictures.values()).map(|g| strongest_colour(g, pictures.size)).collect())
}

fn add_noise(picture: &mut [f32], key: u64, sample: u32, settings: Smooth) {
    let (low, high) =
        picture.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    let deviation = settings.noise * (high - low);
    let mut random = stream(settings.seed, "smooth-grad", key, u64::from(sample));
    for pair in picture.chunks_mut(2) {
        // Box–Muller gives two normal numbers from two uniform ones; 1 − u keeps the logarithm finite.
        let radius = (-2.0 * (1.0 - unit(&mut random)).ln()).sqrt() * deviation;
        let angle = std::f32::consts::TAU * unit(&mut random);
        for (value, part) in pair.iter_mut().zip([angle.cos(), angle.sin()]) {
            *value += radius * part;
        }
    }
}

fn strongest_colour(gradient: &[f32], size: usize) -> Map {
    let plane = size * size;
    let values = (0..plane).map(|i| (0..3).map(|c| gradient[c * plane + i].abs()).fold(0.0, f32::max));
    Map { values: values.collect(), size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_colour_counts() {
        let g = [1.0, 0.0, 0.0, 0.0, -3.0, 0.5, 0.0, 0.0, 2.0, 0.0, 0.0, -1.0];
        assert_eq!(strongest_colour(&g, 2).values, [3.0, 0.5, 0.0, 1.0]);
    }

    #[test]
    fn noise_has_the_asked_deviation_and_is_keyed_by_picture() {
        let mut picture: Vec<f32> = (0..10_000).map(|i| (i % 2) as f32).collect();
        let before = picture.clone();
        add_noise(&mut picture, 5, 0, Smooth::default());
        let moved: Vec<f32> = picture.iter().zip(&before).map(|(a, b)| a - b).collect();
        let mean = moved.iter().sum::<f32>() / 1e4;
        let deviation = (moved.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 1e4).sqrt();
        assert!(mean.abs() < 0.01 && (deviation - 0.15).abs() < 0.01, "{mean} {deviation}");
        let mut other = before.clone();
        add_noise(&mut other, 6, 0, Smooth::default());
        assert_ne!(other, picture);
    }
}
