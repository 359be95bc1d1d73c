//! The blurred background of the ninth view.

use crate::mask::MaskBits;

/// Radius of each of the three box filters, in pixels: 7 at 224, 2 at 64.
fn radius(size: usize) -> usize {
    (size / 32).max(1)
}

/// Blurs the background of a photograph, ignoring its foreground, into `out` (size·size·3 bytes).
///
/// The paper does not give its kernel. Ours is three box filters of side 2·radius + 1 (close to a
/// Gaussian of σ ≈ 7.5 pixels at 224), normalised over background pixels only, so that the colour
/// of the object does not bleed into its surroundings. Where no background is near, black.
pub(crate) fn background(photo: &[u8], mask: MaskBits<'_>, size: usize, out: &mut [u8]) {
    let pixels = size * size;
    let mut planes = vec![0f32; pixels * 4];
    for index in 0..pixels {
        if !mask.bit(index) {
            for channel in 0..3 {
                planes[channel * pixels + index] = f32::from(photo[index * 3 + channel]);
            }
            planes[3 * pixels + index] = 1.0;
        }
    }
    let mut between = vec![0f32; pixels];
    for plane in planes.chunks_exact_mut(pixels) {
        for _ in 0..3 {
            rows(plane, &mut between, size, radius(size));
            columns(&between, plane, size, radius(size));
        }
    }
    for index in 0..pixels {
        let weight = planes[3 * pixels + index];
        for channel in 0..3 {
            // A weight this small is rounding of an exact zero: no background within reach.
            let value = if weight > 1e-6 { planes[channel * pixels + index] / weight } else { 0.0 };
            out[index * 3 + channel] = (value + 0.5).clamp(0.0, 255.0) as u8;
        }
    }
}

/// Means over windows along each row; beyond the ends nothing counts (weights are blurred alike, so the division
/// restores the scale). Every sum is taken from left to right, for all pixels of the row at once.
fn rows(plane: &[f32], out: &mut [f32], size: usize, radius: usize) {
    let mut padded = vec![0f32; size + 2 * radius];
    for (row, sums) in plane.chunks_exact(size).zip(out.chunks_exact_mut(size)) {
        padded[radius..radius + size].copy_from_slice(row);
        sums.fill(0.0);
        (0..=2 * radius).for_each(|from| add(sums, &padded[from..from + size]));
        scale(sums, radius);
    }
}

/// As [`rows`], along each column: sums from top to bottom.
fn columns(plane: &[f32], out: &mut [f32], size: usize, radius: usize) {
    for (y, sums) in out.chunks_exact_mut(size).enumerate() {
        sums.fill(0.0);
        let window = y.saturating_sub(radius)..(y + radius + 1).min(size);
        window.for_each(|from| add(sums, &plane[from * size..(from + 1) * size]));
        scale(sums, radius);
    }
}

fn add(sums: &mut [f32], values: &[f32]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

fn scale(sums: &mut [f32], radius: usize) {
    let scale = 1.0 / (2 * radius + 1) as f32;
    sums.iter_mut().for_each(|sum| *sum *= scale);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_background_stays_flat_whatever_the_object() {
        let size = 40;
        let mut photo = vec![90u8; size * size * 3];
        let mut pixels = vec![0u8; size * size];
        for y in 12..25 {
            for x in 10..30 {
                pixels[y * size + x] = 1;
                photo[(y * size + x) * 3] = 255;
            }
        }
        let mut bits = Vec::new();
        crate::mask::pack(&pixels, &mut bits);
        let mut out = vec![0; photo.len()];
        background(&photo, MaskBits::new(&bits, size), size, &mut out);
        assert!((0..size * size).filter(|&i| pixels[i] == 0).all(|i| out[i * 3..i * 3 + 3] == [90; 3]));
    }

    #[test]
    fn blurring_smooths() {
        let size = 32;
        let photo: Vec<u8> = (0..size * size).flat_map(|i| [if i % 2 == 0 { 0 } else { 200 }; 3]).collect();
        let mut out = vec![0; photo.len()];
        background(&photo, MaskBits::new(&vec![0; size * size / 8], size), size, &mut out);
        let middle = out[(16 * size + 16) * 3];
        assert!((85..=115).contains(&middle), "{middle}");
    }
    #[test]
    fn every_mean_is_that_of_its_window_taken_in_order() {
        let size = 37;
        let plane: Vec<f32> = (0..size * size).map(|i| (i * 7919 % 256) as f32 / 3.0).collect();
        let mean = |at: usize, value: &dyn Fn(usize) -> f32, radius: usize| {
            let window = at.saturating_sub(radius)..(at + radius + 1).min(size);
            window.map(value).sum::<f32>() * (1.0 / (2 * radius + 1) as f32)
        };
        for radius in [1, 2, 7, 40] {
            let (mut along, mut down) = (vec![0f32; size * size], vec![0f32; size * size]);
            rows(&plane, &mut along, size, radius);
            columns(&plane, &mut down, size, radius);
            for (y, x) in (0..size).flat_map(|y| (0..size).map(move |x| (y, x))) {
                let expected = mean(x, &|x| plane[y * size + x], radius);
                assert_eq!(along[y * size + x].to_bits(), expected.to_bits());
                let expected = mean(y, &|y| plane[y * size + x], radius);
                assert_eq!(down[y * size + x].to_bits(), expected.to_bits());
            }
        }
    }
}
