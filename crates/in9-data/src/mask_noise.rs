//! Masks whose outline is displaced at random, and how far the outlines of two masks lie apart.
//!
//! The model of a mask's error: each point of the true outline is moved along its normal by a smooth Gaussian field. Its
//! standard deviation, in pixels, is the error's size; its correlation length says over how many pixels of the outline
//! the error stays alike.

use image::{GrayImage, Luma};
use imageproc::definitions::Image;
use imageproc::distance_transform::euclidean_squared_distance_transform;

use crate::mask::{MaskBits, pack};
use crate::rng::unit;
use rand_chacha::rand_core::Rng;

/// How masks are displaced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaskNoise {
    /// Standard deviation of the displacement, in pixels; at least 0.
    pub sigma: f64,
    /// Correlation length of the displacement, in pixels; at least 1.
    pub correlation: f64,
}

impl MaskNoise {
    /// The mask with its outline displaced, packed as [`MaskBits`] are. An empty mask stays empty, a full one full.
    ///
    /// Uses only arithmetic that IEEE 754 rounds exactly: the same random numbers give the same bits everywhere.
    pub fn displace(&self, mask: &MaskBits<'_>, random: &mut impl Rng) -> Vec<u8> {
        let size = mask.size();
        let Some(distance) = signed_distance(mask) else { return mask.bytes().to_vec() };
        let field = Field::draw(size, self.correlation.max(1.0), random);
        let mut moved = vec![0; size * size];
        for (y, row) in moved.chunks_exact_mut(size).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = u8::from(distance[y * size + x] + self.sigma * field.at(x, y) > 0.0);
            }
        }
        let mut bits = Vec::with_capacity(mask.bytes().len());
        pack(&moved, &mut bits);
        bits
    }
}

/// Distance of each pixel's centre to the mask's outline, in pixels: positive inside, negative outside; `None` if there is
/// no outline.
///
/// The distance to the nearest pixel of the other kind, less a half: the outline lies between them.
pub(crate) fn signed_distance(mask: &MaskBits<'_>) -> Option<Vec<f64>> {
    let size = mask.size();
    let area = mask.area();
    if area == 0 || area == size * size {
        return None;
    }
    let to_nearest = |inside: bool| -> Image<Luma<f64>> {
        let picture = GrayImage::from_fn(size as u32, size as u32, |x, y| {
            Luma([u8::from(mask.get(x as usize, y as usize) == inside)])
        });
        euclidean_squared_distance_transform(&picture)
    };
    let (to_foreground, to_background) = (to_nearest(true), to_nearest(false));
    let signed = to_foreground
        .pixels()
        .zip(to_background.pixels())
        .map(|(fore, back)| if back[0] > 0.0 { back[0].sqrt() - 0.5 } else { 0.5 - fore[0].sqrt() });
    Some(signed.collect())
}

/// A smooth Gaussian field of mean 0 and variance 1: Gaussian values on a lattice, blended between its points with weights
/// that fall off smoothly, divided by the root of the sum of their squares.
struct Field {
    step: f64,
    columns: usize,
    values: Vec<f64>,
}

impl Field {
    fn draw(size: usize, step: f64, random: &mut impl Rng) -> Self {
        let columns = (size as f64 / step) as usize + 2;
        Self { step, columns, values: (0..columns * columns).map(|_| gaussian(random)).collect() }
    }

    fn at(&self, x: usize, y: usize) -> f64 {
        let place = |v: usize| {
            let at = v as f64 / self.step;
            let cell = at as usize;
            (cell, smooth(at - cell as f64))
        };
        let ((column, right), (row, below)) = (place(x), place(y));
        let (mut sum, mut squares) = (0.0, 0.0);
        for (dy, weight_y) in [(0, 1.0 - below), (1, below)] {
            for (dx, weight_x) in [(0, 1.0 - right), (1, right)] {
                let weight = weight_x * weight_y;
                sum += weight * self.values[(row + dy) * self.columns + column + dx];
                squares += weight * weight;
            }
        }
        sum / f64::sqrt(squares)
    }
}

/// A step from 0 to 1 without corners.
fn smooth(t: f64) -> f64 {
    t * t * (3.0 - 2.0 * t)
}

/// Nearly a standard normal number: the sum of twelve uniform ones, less its mean. No tail beyond six, and no function
/// that platforms round differently.
fn gaussian(random: &mut impl Rng) -> f64 {
    (0..12).map(|_| f64::from(unit(random))).sum::<f64>() - 6.0
}

/// How far the outlines of two masks lie apart: the standard deviation, in pixels, of the displacement that
/// [`MaskNoise`] would need to make one of the other, from the area in which they differ and the length of the outline;
/// `None` if either has no outline.
///
/// A Gaussian displacement of standard deviation σ along an outline of length L changes an area of L·σ·√(2/π).
///
/// # Panics
/// If the masks are not of one size.
pub fn outline_distance(mask: &MaskBits<'_>, reference: &MaskBits<'_>) -> Option<f64> {
    assert_eq!(mask.size(), reference.size(), "sides of two masks");
    let length = outline_length(reference);
    if length == 0.0 || outline_length(mask) == 0.0 {
        return None;
    }
    let differing: u32 = mask.bytes().iter().zip(reference.bytes()).map(|(a, b)| (a ^ b).count_ones()).sum();
    Some(f64::from(differing) / length * (std::f64::consts::PI / 2.0).sqrt())
}

/// Length of an outline, in pixels: the sides between pixels of both kinds, times π/4, which is right on average over the
/// directions that an outline takes (Cauchy and Crofton).
fn outline_length(mask: &MaskBits<'_>) -> f64 {
    let size = mask.size();
    let differ = |a: (usize, usize), b: (usize, usize)| u32::from(mask.get(a.0, a.1) != mask.get(b.0, b.1));
    let sides: u32 = (0..size)
        .flat_map(|i| (1..size).map(move |j| (i, j)))
        .map(|(i, j)| differ((j, i), (j - 1, i)) + differ((i, j), (i, j - 1)))
        .sum();
    f64::from(sides) * std::f64::consts::FRAC_PI_4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::stream;

    fn disc(size: usize, radius: f64) -> Vec<u8> {
        let centre = size as f64 / 2.0;
        let inside = |at: usize| {
            let (x, y) = ((at % size) as f64 + 0.5 - centre, (at / size) as f64 + 0.5 - centre);
            u8::from(x * x + y * y < radius * radius)
        };
        let mut bits = Vec::new();
        pack(&(0..size * size).map(inside).collect::<Vec<_>>(), &mut bits);
        bits
    }

    #[test]
    fn the_field_has_mean_0_variance_1_and_its_correlation_length() {
        let (mut values, mut near, mut far) = (Vec::new(), 0.0, 0.0);
        for draw in 0..400 {
            let field = Field::draw(64, 8.0, &mut stream(1, "field", draw, 0));
            let [here, next, away] = [(21, 30), (22, 30), (50, 30)].map(|(x, y)| field.at(x, y));
            values.push(here);
            near += here * next / 400.0;
            far += here * away / 400.0;
        }
        let mean = values.iter().sum::<f64>() / 400.0;
        let variance = values.iter().map(|v| v * v).sum::<f64>() / 400.0;
        assert!(mean.abs() < 0.15 && (variance - 1.0).abs() < 0.2, "{mean} {variance}");
        assert!(near > 0.8 && far.abs() < 0.15, "{near} {far}");
    }

    #[test]
    fn an_outline_is_displaced_by_what_is_asked_and_the_distance_finds_it_again() {
        let bits = disc(128, 40.0);
        let mask = MaskBits::new(&bits, 128);
        for sigma in [1.0, 2.0, 4.0] {
            let noise = MaskNoise { sigma, correlation: 12.0 };
            let found = (0..40).map(|draw| {
                let moved = noise.displace(&mask, &mut stream(2, "displace", draw, 0));
                outline_distance(&MaskBits::new(&moved, 128), &mask).unwrap()
            });
            let found = found.sum::<f64>() / 40.0;
            assert!((found / sigma - 1.0).abs() < 0.12, "{found} of {sigma}");
        }
    }

    #[test]
    fn nothing_is_moved_by_nothing_and_what_has_no_outline_stays() {
        let (bits, empty, full) = (disc(30, 9.0), vec![0; 113], disc(30, 99.0));
        let still = MaskNoise { sigma: 0.0, correlation: 5.0 };
        let much = MaskNoise { sigma: 5.0, correlation: 5.0 };
        let random = || stream(3, "still", 0, 0);
        assert_eq!(still.displace(&MaskBits::new(&bits, 30), &mut random()), bits);
        assert_ne!(much.displace(&MaskBits::new(&bits, 30), &mut random()), bits);
        for whole in [&empty, &full] {
            assert_eq!(&much.displace(&MaskBits::new(whole, 30), &mut random()), whole);
            assert_eq!(outline_distance(&MaskBits::new(whole, 30), &MaskBits::new(&bits, 30)), None);
        }
        assert_eq!(outline_distance(&MaskBits::new(&bits, 30), &MaskBits::new(&bits, 30)), Some(0.0));
    }
}
