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
    let mut line = vec![0f32; size];
    for plane in planes.chunks_exact_mut(pixels) {
        for _ in 0..3 {
            for row in 0..size {
                box_line(plane, row * size, 1, radius(size), &mut line);
            }
            for column in 0..size {
                box_line(plane, column, size, radius(size), &mut line);
            }
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

/// Mean over a window along one line; beyond the ends nothing counts (weights are blurred alike, so
/// the division restores the scale).
fn box_line(plane: &mut [f32], start: usize, stride: usize, radius: usize, line: &mut [f32]) {
    let size = line.len();
    for (at, value) in line.iter_mut().enumerate() {
        *value = plane[start + at * stride];
    }
    let scale = 1.0 / (2 * radius + 1) as f32;
    for at in 0..size {
        let window = &line[at.saturating_sub(radius)..(at + radius + 1).min(size)];
        plane[start + at * stride] = window.iter().sum::<f32>() * scale;
    }
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
}
