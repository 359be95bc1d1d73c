//! An object pasted elsewhere: moved, scaled, with a soft edge, on a background brought nearer to its own.

mod object;

use crate::compose::Layers;
use crate::mask::{MaskBits, pack};
use crate::mask_noise::signed_distance;

/// How an object is pasted on a background. [`Paste::AS_IT_IS`] gives the mixed views.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paste {
    /// Where.
    pub place: Place,
    /// Longer side of the mask's bounding box, as a share of the picture's side, above 0 and at most 1; `None` is the
    /// object's own size.
    pub side: Option<f64>,
    /// Width of the soft edge, as a share of the picture's side, at least 0. From the outline inwards the object's weight
    /// rises linearly to 1: what lies outside the mask is never shown.
    pub feather: f64,
    /// How near the background's colours are brought to those of the object's own background, 0 (as they are) to 1: mean
    /// and standard deviation of each channel are moved by this share of the way.
    ///
    /// Source: E. Reinhard et al., "Color transfer between images", IEEE Computer Graphics and Applications 2001; here in
    /// RGB.
    pub similarity: f64,
}

/// Where an object is pasted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// Its own place: the middle of its bounding box stays, as far as the box stays in the picture.
    Own,
    /// So far along the way that the bounding box can go inside the picture: 0 is left or top, 1 is right or bottom.
    At {
        /// Across.
        x: f64,
        /// Down.
        y: f64,
    },
}

impl Paste {
    /// The object as its photograph shows it, on the background as it is.
    pub const AS_IT_IS: Self = Self { place: Place::Own, side: None, feather: 0.0, similarity: 0.0 };
}

/// Pastes the object of `foreground` on `background` (size·size·3 bytes, RGB), into `out` (the same).
///
/// An object that is neither scaled nor feathered keeps its pixels; one that is scaled is resampled by a triangle filter
/// that averages when it makes it smaller, and its mask is cut at a half. Only arithmetic that IEEE 754 rounds exactly.
///
/// # Panics
/// If a slice does not have the length that `size` asks for.
pub fn paste(how: &Paste, foreground: &Layers<'_>, background: &[u8], size: usize, out: &mut [u8]) {
    let bytes = size * size * 3;
    for (what, length) in [
        ("photo", foreground.photo.len()),
        ("own background", foreground.tiled.len()),
        ("background", background.len()),
        ("picture", out.len()),
    ] {
        assert_eq!(length, bytes, "bytes of a {size}x{size} {what}");
    }
    out.copy_from_slice(background);
    if how.similarity > 0.0 {
        liken(out, foreground.tiled, how.similarity);
    }
    let Some(placed) = object::place(how, foreground, size) else { return };
    let weights = weights(&placed.inside, size, how.feather * size as f64);
    for (index, to) in out.as_chunks_mut::<3>().0.iter_mut().enumerate() {
        if placed.inside[index] == 0 {
            continue;
        }
        let weight = weights.as_ref().map_or(1.0, |weights| weights[index]);
        for (to, from) in to.iter_mut().zip(placed.colour[index]) {
            *to = byte(weight * from + (1.0 - weight) * f64::from(*to));
        }
    }
}

/// The object's weight at each pixel inside a soft edge of so many pixels; `None` where it is 1 everywhere.
fn weights(inside: &[u8], size: usize, width: f64) -> Option<Vec<f64>> {
    if width <= 0.0 {
        return None;
    }
    let mut bits = Vec::new();
    pack(inside, &mut bits);
    let distance = signed_distance(&MaskBits::new(&bits, size))?;
    Some(distance.into_iter().map(|pixels| (pixels / width).clamp(0.0, 1.0)).collect())
}

/// Moves mean and standard deviation of each channel of `picture` by `share` of the way to those of `model`.
fn liken(picture: &mut [u8], model: &[u8], share: f64) {
    for channel in 0..3 {
        let of = |rgb: &[u8]| {
            let values = || rgb.iter().skip(channel).step_by(3).map(|&value| f64::from(value));
            let n = (rgb.len() / 3).max(1) as f64;
            let mean = values().sum::<f64>() / n;
            (mean, (values().map(|value| (value - mean) * (value - mean)).sum::<f64>() / n).sqrt())
        };
        let ((mean, spread), (to_mean, to_spread)) = (of(picture), of(model));
        // A channel without any contrast has none that could be stretched.
        let stretch = if spread > 0.0 { 1.0 + share * (to_spread / spread - 1.0) } else { 1.0 };
        let centre = mean + share * (to_mean - mean);
        for value in picture.iter_mut().skip(channel).step_by(3) {
            *value = byte((f64::from(*value) - mean) * stretch + centre);
        }
    }
}

fn byte(value: f64) -> u8 {
    (value + 0.5).clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{View, compose};

    const SIZE: usize = 16;

    /// An object of 4×6 pixels at (3, 2), each of its own colour, on backgrounds of noise.
    struct World {
        photo: Vec<u8>,
        tiled: Vec<u8>,
        behind: Vec<u8>,
        bits: Vec<u8>,
    }

    fn world() -> World {
        use rand_chacha::rand_core::Rng;
        let mut random = in9_base::rng::stream(1, "test", 0, 0);
        let mut noise = |low: u8, high: u8| -> Vec<u8> {
            (0..SIZE * SIZE * 3).map(|_| low + (random.next_u32() % u32::from(high - low)) as u8).collect()
        };
        let (photo, tiled, behind) = (noise(0, 255), noise(90, 110), noise(30, 180));
        let inside = |i: usize| (3..7).contains(&(i % SIZE)) && (2..8).contains(&(i / SIZE));
        let mask: Vec<u8> = (0..SIZE * SIZE).map(|i| u8::from(inside(i))).collect();
        let mut bits = Vec::new();
        pack(&mask, &mut bits);
        World { photo, tiled, behind, bits }
    }

    impl World {
        fn layers(&self) -> Layers<'_> {
            Layers { photo: &self.photo, tiled: &self.tiled, mask: MaskBits::new(&self.bits, SIZE) }
        }

        fn pasted(&self, how: Paste) -> Vec<u8> {
            let mut out = vec![0; SIZE * SIZE * 3];
            paste(&how, &self.layers(), &self.behind, SIZE, &mut out);
            out
        }
    }

    fn pixel(rgb: &[u8], x: usize, y: usize) -> &[u8] {
        &rgb[(y * SIZE + x) * 3..][..3]
    }

    #[test]
    fn as_it_is_it_is_the_mixed_view() {
        let world = world();
        let mut mixed = vec![0; SIZE * SIZE * 3];
        compose(View::MixedRand, &world.layers(), [0; 4], Some(&world.behind), SIZE, &mut mixed);
        assert!(world.pasted(Paste::AS_IT_IS) == mixed);
    }

    #[test]
    fn a_moved_object_keeps_its_pixels_and_stays_in_the_picture() {
        let world = world();
        for (x, y) in [(0.0, 0.0), (1.0, 1.0), (0.5, 0.0), (1.0, 0.0)] {
            let out = world.pasted(Paste { place: Place::At { x, y }, ..Paste::AS_IT_IS });
            let (left, top) = ((x * 12.0) as usize, (y * 10.0) as usize);
            for (v, u) in (0..SIZE).flat_map(|v| (0..SIZE).map(move |u| (v, u))) {
                let expected = match (u.checked_sub(left), v.checked_sub(top)) {
                    (Some(dx), Some(dy)) if dx < 4 && dy < 6 => pixel(&world.photo, 3 + dx, 2 + dy),
                    _ => pixel(&world.behind, u, v),
                };
                assert_eq!(pixel(&out, u, v), expected, "at ({x}, {y}): ({u}, {v})");
            }
        }
    }

    #[test]
    fn a_scaled_object_has_the_side_that_was_asked_for() {
        let world = world();
        let drawn = |out: &[u8]| -> Vec<(usize, usize)> {
            let all = (0..SIZE * SIZE).map(|i| (i % SIZE, i / SIZE));
            all.filter(|&(x, y)| pixel(out, x, y) != pixel(&world.behind, x, y)).collect()
        };
        for (side, height) in [(0.25, 4), (0.5, 8), (0.75, 12), (1.0, 16)] {
            let found = drawn(&world.pasted(Paste { side: Some(side), ..Paste::AS_IT_IS }));
            let rows: std::collections::BTreeSet<usize> = found.iter().map(|&(_, y)| y).collect();
            assert!(rows.len().abs_diff(height) <= 1, "{side}: {rows:?}");
            let columns: std::collections::BTreeSet<usize> = found.iter().map(|&(x, _)| x).collect();
            assert!(columns.len().abs_diff(height * 4 / 6) <= 1, "{side}: {columns:?}");
        }
        // Its own size by number is its own size.
        let own = world.pasted(Paste { side: Some(6.0 / 16.0), ..Paste::AS_IT_IS });
        assert!(own == world.pasted(Paste::AS_IT_IS));
    }

    #[test]
    fn a_soft_edge_fades_from_the_outline_inwards_and_never_outwards() {
        let (mut world, how) = (world(), Paste { feather: 4.0 / 16.0, ..Paste::AS_IT_IS });
        world.photo.fill(200);
        world.behind.fill(0);
        let out = world.pasted(how);
        // Distances to the outline are a half, one and a half; four pixels make it whole.
        assert_eq!([2, 3, 4, 5].map(|x| pixel(&out, x, 5)[0]), [0, 25, 75, 75]);
    }

    #[test]
    fn likeness_moves_mean_and_spread_of_the_background_and_leaves_the_object() {
        let world = world();
        let moments = |rgb: &[u8]| {
            let outside = |i: &usize| !world.layers().mask.bit(*i);
            let values: Vec<f64> = (0..SIZE * SIZE).filter(outside).map(|i| f64::from(rgb[i * 3])).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
        };
        let whole = world.pasted(Paste { similarity: 1.0, ..Paste::AS_IT_IS });
        let half = world.pasted(Paste { similarity: 0.5, ..Paste::AS_IT_IS });
        let (before, wanted) = (moments(&world.behind), moments(&world.tiled));
        let (after, between) = (moments(&whole), moments(&half));
        assert!((after.0 - wanted.0).abs() < 1.5 && (after.1 - wanted.1).abs() < 1.5, "{after:?} {wanted:?}");
        assert!(wanted.1 < between.1 && between.1 < before.1, "{wanted:?} {between:?} {before:?}");
        assert_eq!(pixel(&whole, 4, 4), pixel(&world.photo, 4, 4));
    }

    #[test]
    fn without_an_object_the_background_is_left() {
        let mut world = world();
        world.bits.fill(0);
        assert!(world.pasted(Paste { side: Some(0.5), feather: 0.1, ..Paste::AS_IT_IS }) == world.behind);
    }
}
