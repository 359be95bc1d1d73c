//! Depthwise convolution in blocks: each vector of channels has filters of its own.

use super::{
    lanes::{BLOCK, Lanes, for_each_isa},
    padded::{self, Size},
    product::{Finish, Output, activate, is_quick, quick},
};
use crate::{conv::geometry::Geometry, output, scratch, simd::Level};
use rayon::prelude::*;
use std::{mem::MaybeUninit, ops::Range};

/// About how many outputs one parallel task computes.
const TASK: usize = 1 << 15;
/// Registers of outputs computed together: enough that no multiply-add waits for another.
const TILE: usize = 8;

/// Filters of `[channels, 1, taps]` as `[blocks][taps][8]`, with zeros for the channels that `w` does not have.
pub(super) fn pack(w: &[f32], taps: usize, channels: usize) -> Vec<f32> {
    let channel = |i: usize| i / BLOCK / taps * BLOCK + i % BLOCK;
    let weight = |i: usize| w.get(channel(i) * taps + i / BLOCK % taps).copied().unwrap_or(0.0);
    (0..channels * taps).map(weight).collect()
}

/// Writes all outputs.
pub(super) fn forward(
    level: Level,
    x: &[f32],
    packed: &[f32],
    g: &Geometry,
    finish: Finish<'_>,
    out: Output,
) {
    let plane = g.plane_out() * BLOCK;
    let strips = plane.div_ceil(TASK).clamp(1, g.oh);
    (0..g.n * g.ci / BLOCK * strips).into_par_iter().for_each(|task| {
        let (plane_index, strip) = (task / strips, task % strips);
        let rows = g.oh * strip / strips..g.oh * (strip + 1) / strips;
        let block = plane_index % (g.ci / BLOCK);
        let at = plane_index * plane + rows.start * g.ow * BLOCK;
        let len = rows.len() * g.ow * BLOCK;
        // SAFETY: no other task has this plane's rows; `Output::at` checks that they lie in the buffer.
        let y = unsafe { std::slice::from_raw_parts_mut(out.at(at, len).cast(), len) };
        let plane = Plane {
            g,
            x: &x[plane_index * g.plane_in() * BLOCK..][..g.plane_in() * BLOCK],
            filters: &packed[block * g.taps() * BLOCK..][..g.taps() * BLOCK],
            bias: finish.bias.map(|bias| &bias[block * BLOCK..][..BLOCK]),
            finish: Finish { residual: finish.residual.map(|residual| &residual[at..][..len]), ..finish },
        };
        plane_rows(level, &plane, rows, y);
    });
}

/// The gradient with respect to the image as a convolution of the gradients of the outputs, [`spread`] by the stride, with
/// rotated filters. None for a dilated kernel, or one that is smaller than the padding.
pub(super) fn rotated(g: &Geometry) -> Option<Geometry> {
    if [g.dy, g.dx] != [1, 1] {
        return None;
    }
    let axis = |size: usize, out: usize, kernel: usize, stride: usize, before: usize| {
        let spread = (out - 1) * stride + 1;
        let first = (kernel - 1).checked_sub(before)?;
        Some((spread, first, (size + kernel - 1).checked_sub(spread + first)?))
    };
    let (h, top, bottom) = axis(g.h, g.oh, g.kh, g.sy, g.top)?;
    let (w, left, right) = axis(g.w, g.ow, g.kw, g.sx, g.left)?;
    Some(Geometry { h, w, oh: g.h, ow: g.w, sy: 1, sx: 1, top, bottom, left, right, ..*g })
}

/// The gradients of the outputs with the zeros between them that the stride leaves out.
pub(super) fn spread(dy: &[f32], g: &Geometry) -> Vec<f32> {
    let (h, w) = ((g.oh - 1) * g.sy + 1, (g.ow - 1) * g.sx + 1);
    output::chunks(dy.len() / g.plane_out() * h * w, h * w * BLOCK, |plane, to| {
        let from = dy[plane * g.plane_out() * BLOCK..].as_chunks::<BLOCK>().0;
        let (to, _) = to.as_chunks_mut::<BLOCK>();
        for (row, from) in from.chunks_exact(g.ow).take(g.oh).enumerate() {
            to[row * g.sy * w..].iter_mut().step_by(g.sx).zip(from).for_each(|(to, from)| *to = *from);
        }
    })
}

/// The gradient with respect to the filters, `[channels, 1, kh, kw]`.
pub(super) fn backward_weight(level: Level, x: &[f32], dy: &[f32], g: &Geometry) -> Vec<f32> {
    let (taps, blocks) = (g.taps(), g.ci / BLOCK);
    let size = Size::of(g, g.oh);
    let sums = output::chunks(g.ci * taps, taps * BLOCK, |block, sums| {
        let mut total = vec![0f64; sums.len()];
        scratch::with(size.rows * size.columns * BLOCK, |padded| {
            for i in 0..g.n {
                let plane = i * blocks + block;
                padded::blocks(
                    &x[plane * g.plane_in() * BLOCK..][..g.plane_in() * BLOCK],
                    g,
                    0,
                    size,
                    padded,
                );
                let dy = &dy[plane * g.plane_out() * BLOCK..][..g.plane_out() * BLOCK];
                // SAFETY: the function needs no promise.
                unsafe { products(level, padded, size, dy, g, sums) };
                total.iter_mut().zip(&*sums).for_each(|(total, sum)| *total += f64::from(*sum));
            }
        });
        sums.iter_mut().zip(total).for_each(|(sum, total)| *sum = total as f32);
    });
    // From `[blocks, taps, 8]`.
    let channel = |i: usize| i / taps;
    (0..sums.len())
        .map(|i| sums[(channel(i) / BLOCK * taps + i % taps) * BLOCK + channel(i) % BLOCK])
        .collect()
}

for_each_isa! {
    /// `sums[tap] = Σ x dy` over the pixels of one block, of padded rows of this size.
    ///
    /// # Safety
    /// None is needed beyond the bounds of the slices, which are checked.
    unsafe fn products<I>(x: &[f32], size: Size, dy: &[f32], g: &Geometry, sums: &mut [f32]) {
        assert!(size.rows > (g.oh - 1) * g.sy + (g.kh - 1) * g.dy);
        assert!(size.columns > (g.ow - 1) * g.sx + (g.kw - 1) * g.dx);
        assert!(x.len() >= size.rows * size.columns * BLOCK && dy.len() >= g.plane_out() * BLOCK);
        assert!(sums.len() >= g.taps() * BLOCK);
        let mut kx = 0;
        while kx < g.kw {
            let some = if g.kw - kx >= 3 { 3 } else { 1 };
            for ky in 0..g.kh {
                let to = sums[(ky * g.kw + kx) * BLOCK..].as_mut_ptr();
                // SAFETY: by the assertions all taps of all outputs lie in `x`, and there is a sum for each.
                unsafe {
                    if some == 3 {
                        tap_products::<I::Eight, 3>(x, size, dy, g, [ky, kx], to);
                    } else {
                        tap_products::<I::Eight, 1>(x, size, dy, g, [ky, kx], to);
                    }
                }
            }
            kx += some;
        }
    }
}

/// The sums of `T` neighbouring taps, from row `ky` and column `kx` of the kernel on.
///
/// # Safety
/// All taps of all outputs lie in `x`, and `to` has room for the sums.
#[inline(always)]
unsafe fn tap_products<E: Lanes, const T: usize>(
    x: &[f32],
    size: Size,
    dy: &[f32],
    g: &Geometry,
    [ky, kx]: [usize; 2],
    to: *mut f32,
) {
    // Two of each, so that additions need not wait for each other.
    let mut sums = [[E::splat(0.0); T]; 2];
    for row in 0..g.oh {
        let start = ((row * g.sy + ky * g.dy) * size.columns + kx * g.dx) * BLOCK;
        let (x, dy) = (x[start..].as_ptr(), dy[row * g.ow * BLOCK..].as_ptr());
        let mut column = 0;
        while column < g.ow {
            let pair = (g.ow - column).min(2);
            for (i, sums) in sums.iter_mut().enumerate().take(pair) {
                // SAFETY: taps of an output of the row, by the caller's promise.
                unsafe {
                    let gradient = E::load(dy.add((column + i) * BLOCK));
                    let x = x.add((column + i) * g.sx * BLOCK);
                    for (t, sum) in sums.iter_mut().enumerate() {
                        *sum = E::load(x.add(t * g.dx * BLOCK)).mul_add(gradient, *sum);
                    }
                }
            }
            column += pair;
        }
    }
    for t in 0..T {
        // SAFETY: there is room for the sums by the caller's promise.
        unsafe { sums[0][t].add(sums[1][t]).store_blocks(to.add(t * BLOCK), 0) };
    }
}

/// One block of channels of one image, `[oh, ow, 8]` from `[h, w, 8]`, on the calling thread.
///
/// `packed` has the filters, and `finish` the biases, of all blocks.
pub(super) fn filter_block(
    level: Level,
    x: &[f32],
    packed: &[f32],
    g: &Geometry,
    block: usize,
    finish: Finish<'_>,
    y: &mut [f32],
) {
    let plane = Plane {
        g,
        x: &x[..g.plane_in() * BLOCK],
        filters: &packed[block * g.taps() * BLOCK..][..g.taps() * BLOCK],
        bias: finish.bias.map(|bias| &bias[block * BLOCK..][..BLOCK]),
        finish,
    };
    // SAFETY: what is initialised may be taken for what need not be, as long as nothing else is written: the function
    // writes numbers only.
    let y = unsafe { &mut *(std::ptr::from_mut(y) as *mut [MaybeUninit<f32>]) };
    plane_rows(level, &plane, 0..g.oh, y);
}

/// One block of channels of one image.
struct Plane<'a> {
    g: &'a Geometry,
    /// `[h, w, 8]`
    x: &'a [f32],
    /// `[taps, 8]`
    filters: &'a [f32],
    /// `[8]`
    bias: Option<&'a [f32]>,
    /// Its residual begins with the first output that is written.
    finish: Finish<'a>,
}

/// Computes some rows of outputs, `[rows, ow, 8]`.
fn plane_rows(level: Level, plane: &Plane<'_>, rows: Range<usize>, y: &mut [MaybeUninit<f32>]) {
    let g = plane.g;
    if [g.kh, g.kw, g.sy, g.sx] == [1; 4] && [g.top, g.bottom, g.left, g.right] == [0; 4] {
        // A scale of each channel, as a batch norm is.
        let size = Size { rows: rows.len(), columns: g.w };
        let x = &plane.x[rows.start * g.w * BLOCK..];
        // SAFETY: the function needs no promise.
        return unsafe { filter_rows(level, plane, x, size, rows.len(), y) };
    }
    let size = Size::of(g, rows.len());
    // With zeros around it no tap is a special case; and the rows are then in the first-level cache.
    scratch::with(size.rows * size.columns * BLOCK, |x| {
        padded::blocks(plane.x, g, rows.start, size, x);
        // SAFETY: the function needs no promise.
        unsafe { filter_rows(level, plane, x, size, rows.len(), y) };
    });
}

for_each_isa! {
    /// The outputs of padded rows, `[rows, columns, 8]` of this size.
    ///
    /// # Safety
    /// None is needed beyond the bounds of the slices, which are checked.
    unsafe fn filter_rows<I>(plane: &Plane<'_>, x: &[f32], size: Size, rows: usize, y: &mut [MaybeUninit<f32>]) {
        let g = plane.g;
        assert!(size.rows > (rows - 1) * g.sy + (g.kh - 1) * g.dy);
        assert!(size.columns > (g.ow - 1) * g.sx + (g.kw - 1) * g.dx);
        assert!(x.len() >= size.rows * size.columns * BLOCK && plane.filters.len() >= g.taps() * BLOCK);
        assert!(y.len() == rows * g.ow * BLOCK && plane.bias.is_none_or(|bias| bias.len() == BLOCK));
        assert!(plane.finish.residual.is_none_or(|residual| residual.len() == y.len()));
        for row in 0..rows {
            let line = Line {
                plane,
                x: x[row * g.sy * size.columns * BLOCK..].as_ptr(),
                columns: size.columns,
                y: y.as_mut_ptr().cast(),
                at: row * g.ow * BLOCK,
            };
            // SAFETY: by the assertions all taps of all columns of every row lie in `x`. The constants are the layer's
            // own values.
            unsafe {
                match (g.kw, g.sx, g.dx) {
                    (3, 1, 1) => line.run::<I::Wide, I::Eight, 3, 1>(),
                    (5, 1, 1) => line.run::<I::Wide, I::Eight, 5, 1>(),
                    (3, 2, 1) => line.run::<I::Eight, I::Eight, 3, 2>(),
                    (5, 2, 1) => line.run::<I::Eight, I::Eight, 5, 2>(),
                    _ => line.run::<I::Eight, I::Eight, 0, 0>(),
                }
            }
        }
        if !is_quick(plane.finish.activation) {
            // SAFETY: the loop above wrote every output of the rows, column by column.
            let y = unsafe { &mut *(std::ptr::from_mut(y) as *mut [f32]) };
            activate::<I>(y, plane.finish.activation);
        }
    }
}

/// A row of outputs.
struct Line<'a> {
    plane: &'a Plane<'a>,
    /// The padded row of the first tap.
    x: *const f32,
    /// Columns of a padded row.
    columns: usize,
    y: *mut f32,
    /// The row's first element, in `y` and in the residual.
    at: usize,
}

impl Line<'_> {
    /// The whole row, in tiles of nearly equal size.
    ///
    /// # Safety
    /// All taps of all columns can be read, and the row's outputs written. Registers of more than one block need a
    /// stride of 1. `K` and `S` are the kernel's width, without dilation, and its stride, or 0 for any other kernel.
    #[inline(always)]
    unsafe fn run<L: Lanes, E: Lanes, const K: usize, const S: usize>(&self) {
        let pixels = L::COUNT / BLOCK;
        let registers = self.plane.g.ow / pixels;
        let tiles = registers.div_ceil(TILE);
        for tile in 0..tiles {
            let (start, end) = (registers * tile / tiles, registers * (tile + 1) / tiles);
            macro_rules! sizes {
                ($($size:literal)*) => {
                    match end - start {
                        // SAFETY: the tile is a part of the row.
                        $($size => unsafe { self.tile::<L, $size, K, S>(start * pixels) },)*
                        _ => unreachable!("tiles of a row are neither empty nor larger than the largest"),
                    }
                };
            }
            sizes!(1 2 3 4 5 6 7 8);
        }
        for column in registers * pixels..self.plane.g.ow {
            // SAFETY: the column is one of the row.
            unsafe { self.tile::<E, 1, K, S>(column) };
        }
    }

    /// `T` registers of outputs from `column` on.
    ///
    /// # Safety
    /// As for [`Self::run`].
    #[inline(always)]
    unsafe fn tile<L: Lanes, const T: usize, const K: usize, const S: usize>(&self, column: usize) {
        let g = self.plane.g;
        let (kw, dx, sx) = if K > 0 { (K, 1, S) } else { (g.kw, g.dx, g.sx) };
        let step = L::COUNT * sx;
        let mut sums = [L::splat(0.0); T];
        for ky in 0..g.kh {
            let row = (ky * g.dy * self.columns + column * sx) * BLOCK;
            for kx in 0..kw {
                // SAFETY: the tap can be read by the caller's promise; there are eight weights for each.
                unsafe {
                    let x = self.x.add(row + kx * dx * BLOCK);
                    let weights = L::repeat(self.plane.filters.as_ptr().add((ky * kw + kx) * BLOCK));
                    for (t, sum) in sums.iter_mut().enumerate() {
                        *sum = L::load(x.add(t * step)).mul_add(weights, *sum);
                    }
                }
            }
        }
        let at = self.at + column * BLOCK;
        let finish = &self.plane.finish;
        for (t, mut sum) in sums.into_iter().enumerate() {
            let at = at + t * L::COUNT;
            // SAFETY: `at` is the position of an output of this row, by the caller's promise, in `y` and in the
            // residual, which are laid out alike; a bias has eight elements.
            unsafe {
                if let Some(bias) = self.plane.bias {
                    sum = sum.add(L::repeat(bias.as_ptr()));
                }
                if let Some(residual) = finish.residual {
                    sum = sum.add(L::load(residual.as_ptr().add(at)));
                }
                quick(sum, finish.activation).store_blocks(self.y.add(at), BLOCK);
            }
        }
    }
}
