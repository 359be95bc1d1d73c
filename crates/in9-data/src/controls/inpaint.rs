//! The photograph without its object: the hole is filled from its rim.

use crate::mask::MaskBits;

/// How far around the object its photograph is not trusted, in pixels: 7 at 224, 2 at 64. There the object's shadow, its
/// colours blurred by resizing, and what the mask missed would show through.
pub(crate) fn margin(size: usize) -> usize {
    (size / 32).max(1)
}

/// Sweeps of diffusion at each level of the pyramid.
const SWEEPS: usize = 8;

/// Fills the object and [`margin`] around it from the rest of the photograph, into `out` (size·size·3 bytes, RGB).
///
/// Pull: pictures of half the side each, whose pixels are means of what is known below them, until everything is known.
/// Push: from the smallest up, unknown pixels take the value of the picture above, interpolated, and are then smoothed
/// among themselves and their known neighbours: sweeps towards the solution of Laplace's equation, in which a hole is as
/// smooth as its rim allows. Known pixels stay as they are. Mid grey where nothing is known.
///
/// Source: S. J. Gortler et al., "The Lumigraph", SIGGRAPH 1996, section 3.4 (push and pull), with the diffusion of
/// M. Bertalmio et al., "Image inpainting", SIGGRAPH 2000, reduced to its isotropic case. Sums are taken in one fixed order.
pub(crate) fn inpaint(photo: &[u8], mask: MaskBits<'_>, size: usize, out: &mut [u8]) {
    let mut known = Level::new(size);
    let hole = widened(mask, size, margin(size));
    for (index, pixel) in photo.as_chunks::<3>().0.iter().enumerate() {
        if !hole[index] {
            known.colour[index] = pixel.map(f32::from);
            known.known[index] = true;
        }
    }
    let filled = fill(known);
    for (index, (to, colour)) in out.as_chunks_mut::<3>().0.iter_mut().zip(filled).enumerate() {
        *to = match hole[index] {
            true => colour.map(|value| (value + 0.5).clamp(0.0, 255.0) as u8),
            false => [photo[index * 3], photo[index * 3 + 1], photo[index * 3 + 2]],
        };
    }
}

/// The mask with every pixel up to `by` rows and columns away from it.
fn widened(mask: MaskBits<'_>, size: usize, by: usize) -> Vec<bool> {
    let mut along = vec![false; size * size];
    for index in (0..size * size).filter(|&index| mask.bit(index)) {
        let (row, x) = (index / size * size, index % size);
        along[row + x.saturating_sub(by)..=row + (x + by).min(size - 1)].fill(true);
    }
    let mut both = vec![false; size * size];
    for y in 0..size {
        for near in y.saturating_sub(by)..=(y + by).min(size - 1) {
            let (to, from) = (&mut both[y * size..][..size], &along[near * size..][..size]);
            to.iter_mut().zip(from).for_each(|(to, from)| *to |= from);
        }
    }
    both
}

/// A square picture of which some pixels are known.
struct Level {
    size: usize,
    colour: Vec<[f32; 3]>,
    known: Vec<bool>,
}

impl Level {
    fn new(size: usize) -> Self {
        Self { size, colour: vec![[128.0; 3]; size * size], known: vec![false; size * size] }
    }

    /// The picture of half the side, rounded up: each pixel the mean of the known ones among its four.
    fn halved(&self) -> Self {
        let mut half = Self::new(self.size.div_ceil(2));
        for y in 0..half.size {
            for x in 0..half.size {
                let (mut sum, mut count) = ([0.0f32; 3], 0.0f32);
                for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                    let (y, x) = (2 * y + dy, 2 * x + dx);
                    if y < self.size && x < self.size && self.known[y * self.size + x] {
                        let colour = self.colour[y * self.size + x];
                        sum = std::array::from_fn(|c| sum[c] + colour[c]);
                        count += 1.0;
                    }
                }
                if count > 0.0 {
                    half.colour[y * half.size + x] = sum.map(|sum| sum / count);
                    half.known[y * half.size + x] = true;
                }
            }
        }
        half
    }

    /// The colour of pixel (x, y) of the picture of twice the side, interpolated between four pixels of this one.
    fn interpolated(&self, x: usize, y: usize) -> [f32; 3] {
        // The centre of a pixel lies a quarter of a pixel of this picture off: three parts of the near one, one of the next.
        let near = |at: usize| {
            let own = (at / 2).min(self.size - 1);
            let next =
                if at.is_multiple_of(2) { own.saturating_sub(1) } else { (own + 1).min(self.size - 1) };
            [(own, 0.75f32), (next, 0.25)]
        };
        let mut sum = [0.0f32; 3];
        for (row, down) in near(y) {
            for (column, across) in near(x) {
                let colour = self.colour[row * self.size + column];
                sum = std::array::from_fn(|c| sum[c] + down * across * colour[c]);
            }
        }
        sum
    }

    /// Replaces each of the pixels `unknown` by the mean of its neighbours, all at once.
    fn diffuse(&mut self, unknown: &[usize], next: &mut Vec<[f32; 3]>) {
        let size = self.size;
        next.clear();
        next.extend(unknown.iter().map(|&index| {
            let (y, x) = (index / size, index % size);
            let (mut sum, mut count) = ([0.0f32; 3], 0.0f32);
            let mut add = |index: usize| {
                sum = std::array::from_fn(|c| sum[c] + self.colour[index][c]);
                count += 1.0;
            };
            if y > 0 {
                add(index - size);
            }
            if x > 0 {
                add(index - 1);
            }
            if x + 1 < size {
                add(index + 1);
            }
            if y + 1 < size {
                add(index + size);
            }
            // A picture of one pixel has no neighbours.
            if count > 0.0 { sum.map(|sum| sum / count) } else { self.colour[index] }
        }));
        unknown.iter().zip(next.iter()).for_each(|(&index, &colour)| self.colour[index] = colour);
    }
}

/// The colours of the whole picture.
fn fill(bottom: Level) -> Vec<[f32; 3]> {
    let mut levels = vec![bottom];
    while let Some(last) = levels.last() {
        if last.size == 1 || last.known.iter().all(|&known| known) {
            break;
        }
        let half = last.halved();
        levels.push(half);
    }
    let mut above: Option<Level> = None;
    let mut next = Vec::new();
    while let Some(mut level) = levels.pop() {
        let unknown: Vec<usize> = (0..level.known.len()).filter(|&index| !level.known[index]).collect();
        if let Some(above) = &above {
            for &index in &unknown {
                level.colour[index] = above.interpolated(index % level.size, index / level.size);
            }
            for _ in 0..SWEEPS {
                level.diffuse(&unknown, &mut next);
            }
        }
        above = Some(level);
    }
    above.map(|level| level.colour).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A photograph of a colour a pixel, with a square object of another colour.
    fn world(
        size: usize,
        object: std::ops::Range<usize>,
        colour: impl Fn(usize, usize) -> u8,
    ) -> (Vec<u8>, Vec<u8>) {
        let inside = |x: usize, y: usize| object.contains(&x) && object.contains(&y);
        let pixels = (0..size * size).map(|i| (i % size, i / size));
        let photo =
            pixels.clone().flat_map(|(x, y)| [if inside(x, y) { 255 } else { colour(x, y) }; 3]).collect();
        let mask: Vec<u8> = pixels.map(|(x, y)| u8::from(inside(x, y))).collect();
        let mut bits = Vec::new();
        crate::mask::pack(&mask, &mut bits);
        (photo, bits)
    }

    fn filled(size: usize, object: std::ops::Range<usize>, colour: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        let (photo, bits) = world(size, object, colour);
        let mut out = vec![0; photo.len()];
        inpaint(&photo, MaskBits::new(&bits, size), size, &mut out);
        out
    }

    #[test]
    fn a_flat_background_is_whole_again() {
        for (size, object) in [(40, 5..31), (37, 0..20), (64, 10..63), (1, 1..1)] {
            let out = filled(size, object, |_, _| 90);
            assert!(out.iter().all(|&value| value == 90), "{size}");
        }
    }

    #[test]
    fn a_ramp_goes_on_through_the_hole_and_what_is_known_stays() {
        let size = 64;
        let out = filled(size, 24..40, |x, _| (2 * x + 40) as u8);
        for (index, pixel) in out.as_chunks::<3>().0.iter().enumerate() {
            let (x, y) = (index % size, index / size);
            let apart = i32::from(pixel[0]) - (2 * x as i32 + 40);
            // A linear function solves Laplace's equation: only the pyramid's rounding stays.
            let limit = if (22..42).contains(&x) && (22..42).contains(&y) { 6 } else { 0 };
            assert!(apart.abs() <= limit, "{x}, {y}: {apart}");
        }
    }

    #[test]
    fn where_nothing_is_known_it_is_grey() {
        assert!(filled(9, 0..9, |_, _| 7).iter().all(|&value| value == 128));
    }

    #[test]
    fn the_margin_around_the_object_is_filled_too() {
        // A halo of one pixel around the object, as resizing leaves: gone.
        let size = 64;
        let near = |v: usize| (23..=40).contains(&v);
        let out = filled(size, 24..40, |x, y| if near(x) && near(y) { 250 } else { 60 });
        assert!(out.iter().all(|&value| value == 60));
    }
}
