//! Rows of an image with zeros around them, so that no window reaches beyond what is there.

use super::lanes::BLOCK;
use crate::conv::geometry::Geometry;
use std::ops::Range;

/// Rows and columns of the padded input that some output rows read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Size {
    /// Of `rows` output rows.
    pub(super) fn of(g: &Geometry, rows: usize) -> Self {
        Self {
            rows: rows.saturating_sub(1) * g.sy + (g.kh - 1) * g.dy + 1,
            columns: (g.ow - 1) * g.sx + (g.kw - 1) * g.dx + 1,
        }
    }
}

/// What of the padded rows and columns is image: where it begins, and the part of the image that it is.
struct Overlap {
    before: usize,
    image: Range<usize>,
}

impl Overlap {
    /// Of `size` positions from `first - pad` of the image on.
    fn new(first: usize, pad: usize, size: usize, image: usize) -> Self {
        let before = pad.saturating_sub(first).min(size);
        let start = (first + before).saturating_sub(pad).min(image);
        Self { before, image: start..image.min(start + size - before) }
    }
}

/// Fills `[blocks][rows][columns][8]` from an image in blocks, for output rows from `first` on.
pub(super) fn blocks(x: &[f32], g: &Geometry, first: usize, size: Size, to: &mut [f32]) {
    if g.plane_in() == 0 {
        return to.fill(0.0);
    }
    let rows = Overlap::new(first * g.sy, g.top, size.rows, g.h);
    let columns = Overlap::new(0, g.left, size.columns, g.w);
    let planes =
        x.chunks_exact(g.plane_in() * BLOCK).zip(to.chunks_exact_mut(size.rows * size.columns * BLOCK));
    for (x, to) in planes {
        for (row, to) in to.chunks_exact_mut(size.columns * BLOCK).enumerate() {
            let from = rows.image.start + row.wrapping_sub(rows.before);
            if row < rows.before || from >= rows.image.end {
                to.fill(0.0);
                continue;
            }
            let x = &x[(from * g.w + columns.image.start) * BLOCK..][..columns.image.len() * BLOCK];
            let (before, rest) = to.split_at_mut(columns.before * BLOCK);
            let (middle, after) = rest.split_at_mut(x.len());
            before.fill(0.0);
            middle.copy_from_slice(x);
            after.fill(0.0);
        }
    }
}

/// Fills `[rows][columns][channels]` from an image in planes, for output rows from `first` on.
pub(super) fn planes(x: &[f32], g: &Geometry, first: usize, size: Size, to: &mut [f32]) {
    let rows = Overlap::new(first * g.sy, g.top, size.rows, g.h);
    let columns = Overlap::new(0, g.left, size.columns, g.w);
    to.fill(0.0);
    if g.plane_in() == 0 || columns.image.is_empty() {
        return;
    }
    for (c, x) in x.chunks_exact(g.plane_in()).enumerate() {
        for (row, from) in rows.image.clone().enumerate() {
            let at = ((rows.before + row) * size.columns + columns.before) * g.ci + c;
            let x = &x[from * g.w + columns.image.start..][..columns.image.len()];
            to[at..].iter_mut().step_by(g.ci).zip(x).for_each(|(to, x)| *to = *x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Conv2dConfig;

    /// Every position against the definition, for strides, padding on one side only, and rows in the middle.
    #[test]
    fn every_position_is_the_image_or_zero() {
        for (side, kernel, stride, padding) in [
            (7, 3, 1, [1; 4]),
            (9, 5, 2, [2; 4]),
            (8, 3, 2, [0, 1, 0, 1]),
            (5, 7, 2, [3; 4]),
            (6, 1, 2, [0; 4]),
        ] {
            let config = Conv2dConfig { stride: [stride; 2], padding, ..Conv2dConfig::new(1, 0) };
            let g = Geometry::new(&[1, 16, side, side], &[8, 16, kernel, kernel], &config).unwrap();
            let value = |c: usize, y: usize, x: usize| (c * 100 + y * 10 + x) as f32 + 1.0;
            let pixel = |i: usize| (i / side, i % side);
            let in_blocks: Vec<f32> = (0..16 * side * side)
                .map(|i| {
                    let (y, x) = pixel(i / 8 % (side * side));
                    value(i / (8 * side * side) * 8 + i % 8, y, x)
                })
                .collect();
            let in_planes: Vec<f32> = (0..16 * side * side)
                .map(|i| {
                    let (y, x) = pixel(i % (side * side));
                    value(i / (side * side), y, x)
                })
                .collect();
            for first in 0..g.oh {
                let size = Size::of(&g, (g.oh - first).min(2));
                let mut padded =
                    [vec![9f32; 16 * size.rows * size.columns], vec![9f32; 16 * size.rows * size.columns]];
                blocks(&in_blocks, &g, first, size, &mut padded[0]);
                planes(&in_planes, &g, first, size, &mut padded[1]);
                for (c, row, column) in (0..16).flat_map(|c| {
                    (0..size.rows * size.columns).map(move |i| (c, i / size.columns, i % size.columns))
                }) {
                    let (y, x) = (first * stride + row, column);
                    let inside = (padding[0]..side + padding[0]).contains(&y)
                        && (padding[2]..side + padding[2]).contains(&x);
                    let expected = if inside { value(c, y - padding[0], x - padding[2]) } else { 0.0 };
                    let at = ((c / 8 * size.rows + row) * size.columns + column) * 8 + c % 8;
                    assert_eq!(padded[0][at], expected, "{side} {kernel} {first} {c} {row} {column}");
                    assert_eq!(padded[1][(row * size.columns + column) * 16 + c], expected);
                }
            }
        }
    }
}
