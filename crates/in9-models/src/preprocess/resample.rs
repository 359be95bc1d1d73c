//! Pillow's resampling of 8-bit pictures, to the bit.
//!
//! Each output pixel is a weighted mean over a window of the input whose width grows with the
//! reduction (antialiasing). Weights are integers with 22 fractional bits; each of the two passes
//! is rounded to 8 bits, so their order shows. It is that of Pillow 13; before, the width always
//! came first.

use std::fmt;
use std::ops::Range;

use super::Rgb;

/// The filter of a resize.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interpolation {
    /// Triangle of radius 1.
    Bilinear,
    /// Keys' cubic with a = −0.5, radius 2.
    Bicubic,
}

impl fmt::Display for Interpolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bilinear => "bilinear",
            Self::Bicubic => "bicubic",
        })
    }
}

impl Interpolation {
    fn radius(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        const A: f64 = -0.5;
        let x = x.abs();
        match self {
            Self::Bilinear if x < 1.0 => 1.0 - x,
            Self::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
            Self::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
            _ => 0.0,
        }
    }
}

/// Fractional bits of a weight.
const BITS: u32 = 32 - 8 - 2;

/// The input pixels of one output pixel, and their weights.
struct Window {
    start: usize,
    weights: Vec<i32>,
}

/// The windows of the output pixels `part`, when `from` pixels become `to`.
fn windows(from: usize, to: usize, part: Range<usize>, filter: Interpolation) -> Vec<Window> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let radius = filter.radius() * stretch;
    let window = |i: usize| {
        let centre = (i as f64 + 0.5) * scale;
        // Casts to an unsigned number clamp at zero and cut the fraction off.
        let start = (centre - radius + 0.5) as usize;
        let end = ((centre + radius + 0.5) as usize).min(from);
        let weights: Vec<f64> =
            (start..end).map(|x| filter.weight((x as f64 - centre + 0.5) * (1.0 / stretch))).collect();
        let sum: f64 = weights.iter().sum();
        let fixed = |w: f64| {
            let scaled = w / sum * f64::from(1u32 << BITS);
            (scaled + 0.5f64.copysign(scaled)) as i32
        };
        Window { start, weights: weights.into_iter().map(fixed).collect() }
    };
    part.map(window).collect()
}

fn to_byte(sum: i32) -> u8 {
    ((sum + (1 << (BITS - 1))) >> BITS).clamp(0, 255) as u8
}

/// The picture at `width × height` pixels (each at least 1).
pub fn resize(picture: &Rgb, width: usize, height: usize, filter: Interpolation) -> Rgb {
    let (width, height) = (width.max(1), height.max(1));
    resize_part(picture, [width, height], filter, 0..width, 0..height)
}

/// The pixels `columns` and `rows` of the picture at `size`, which is `[width, height]`.
///
/// Only what these depend on is computed: a photograph of one column and 60,000 rows has 4 billion
/// pixels at a width of 256, of which a centre crop takes a few thousand.
pub(super) fn resize_part(
    picture: &Rgb,
    size: [usize; 2],
    filter: Interpolation,
    columns: Range<usize>,
    rows: Range<usize>,
) -> Rgb {
    let [width, height] = size;
    let height_first = height_first(picture, width, height);
    // A side that keeps its length is cut, the other filtered.
    let across = (width != picture.width).then(|| windows(picture.width, width, columns.clone(), filter));
    let down = (height != picture.height).then(|| windows(picture.height, height, rows.clone(), filter));
    // What the windows of each side look at.
    let columns = across.as_deref().map_or(columns, seen);
    let rows = down.as_deref().map_or(rows, seen);
    let (left, top) = (columns.start, rows.start);
    let picture = &picture.part(columns, rows);
    match (across, down) {
        (None, None) => picture.clone(),
        (None, Some(down)) => resize_rows(picture, &down, top),
        (Some(across), None) => resize_columns(picture, &across, left),
        (Some(across), Some(down)) if height_first => {
            resize_columns(&resize_rows(picture, &down, top), &across, left)
        }
        (Some(across), Some(down)) => resize_rows(&resize_columns(picture, &across, left), &down, top),
    }
}

/// The input pixels that `windows` look at.
fn seen(windows: &[Window]) -> Range<usize> {
    let start = windows.first().map_or(0, |window| window.start);
    start..windows.last().map_or(start, |window| window.start + window.weights.len())
}

/// Whether the height loses more than twice as many pixels as the width.
fn height_first(picture: &Rgb, width: usize, height: usize) -> bool {
    let lost = |from: usize, to: usize| from as i128 - to as i128;
    let (columns, rows) = (lost(picture.width, width), lost(picture.height, height));
    rows > 0 && rows > 2 * columns
}

/// Filters across, where column 0 of `picture` is number `left` of the windows' columns.
fn resize_columns(picture: &Rgb, windows: &[Window], left: usize) -> Rgb {
    let width = windows.len();
    let mut pixels = Vec::with_capacity(width * picture.height * 3);
    for row in picture.pixels.chunks_exact(picture.width * 3) {
        for Window { start, weights } in windows {
            let mut sums = [0i32; 3];
            for (pixel, weight) in row[(start - left) * 3..].chunks_exact(3).zip(weights) {
                for (sum, &value) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(value) * weight;
                }
            }
            pixels.extend(sums.map(to_byte));
        }
    }
    Rgb { width, height: picture.height, pixels }
}

/// Filters down, where row 0 of `picture` is number `top` of the windows' rows.
fn resize_rows(picture: &Rgb, windows: &[Window], top: usize) -> Rgb {
    let row = picture.width * 3;
    let height = windows.len();
    let mut pixels = Vec::with_capacity(row * height);
    let mut sums = vec![0i32; row];
    for Window { start, weights } in windows {
        sums.fill(0);
        for (line, weight) in picture.pixels[(start - top) * row..].chunks_exact(row).zip(weights) {
            for (sum, &value) in sums.iter_mut().zip(line) {
                *sum += i32::from(value) * weight;
            }
        }
        pixels.extend(sums.iter().map(|&sum| to_byte(sum)));
    }
    Rgb { width: picture.width, height, pixels }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn grey(width: usize, height: usize, values: &[u8]) -> Rgb {
        Rgb::new(width, height, values.iter().flat_map(|&v| [v; 3]).collect()).unwrap()
    }

    #[test]
    fn halving_a_row_of_four_bilinearly() {
        // The triangle is stretched to radius 2: weights 3 3 1 of 7 at the left edge.
        let out = resize(&grey(4, 1, &[0, 70, 140, 210]), 2, 1, Interpolation::Bilinear);
        assert_eq!(out, grey(2, 1, &[50, 160]));
    }

    #[test]
    fn the_height_goes_first_where_it_loses_more_than_twice_as_much() {
        let order = |w, h, to_w, to_h| height_first(&grey(w, h, &vec![0; w * h]), to_w, to_h);
        assert!(!order(60, 120, 30, 60) && order(60, 120, 31, 60));
        assert!(order(60, 60, 61, 59) && !order(60, 60, 90, 65));
    }

    #[test]
    fn same_size_is_the_same_picture() {
        let picture = grey(3, 2, &[1, 2, 3, 4, 5, 6]);
        assert_eq!(resize(&picture, 3, 2, Interpolation::Bicubic), picture);
    }

    proptest! {
        #[test]
        fn a_part_is_that_part_of_the_whole(
            seed: u8, w in 1usize..30, h in 1usize..30, to_w in 1usize..30, to_h in 1usize..30,
            x in 0.0f64..1.0, y in 0.0f64..1.0
        ) {
            let values: Vec<u8> = (0..w * h).map(|i| (i * 73 + i / 7) as u8 ^ seed).collect();
            let picture = grey(w, h, &values);
            let (left, top) = ((x * to_w as f64) as usize, (y * to_h as f64) as usize);
            let (columns, rows) = (left..(left + 5).min(to_w), top..(top + 3).min(to_h));
            for filter in [Interpolation::Bilinear, Interpolation::Bicubic] {
                let whole = resize(&picture, to_w, to_h, filter).part(columns.clone(), rows.clone());
                let part = resize_part(&picture, [to_w, to_h], filter, columns.clone(), rows.clone());
                prop_assert_eq!(part, whole);
            }
        }

        #[test]
        fn a_uniform_picture_stays_uniform(
            value: u8, w in 1usize..40, h in 1usize..40, to_w in 1usize..40, to_h in 1usize..40
        ) {
            for filter in [Interpolation::Bilinear, Interpolation::Bicubic] {
                let out = resize(&grey(w, h, &vec![value; w * h]), to_w, to_h, filter);
                prop_assert!(out.pixels.iter().all(|&p| p == value));
                prop_assert_eq!(out.pixels.len(), to_w * to_h * 3);
            }
        }
    }
}
