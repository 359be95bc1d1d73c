//! The gradient with respect to filters of 3×3 and stride 1, in blocks, by the transpose of Winograd's method.

use super::{
    backward_weight::{Factors, Pixels, accumulate, add_parts, parts},
    lanes::{BLOCK, Isa, Lanes, Square, for_each_isa},
    winograd::{self, GAP, Tile, Tiles},
};
use crate::{
    conv::{
        geometry::Geometry,
        winograd::transform::{Axis, SIDE, both_axes},
    },
    scratch,
    simd::{Arithmetic, Level},
};
use rayon::prelude::*;

/// Most tiles whose factors are made at a time.
const TILES: usize = 64;

/// `[co, ci, 3, 3]` from `x` and `dy` in blocks, for a layer that [`winograd::suits`].
pub(super) fn backward_weight(level: Level, x: &[f32], dy: &[f32], g: &Geometry) -> Vec<f32> {
    let tiles = Tiles::of(g);
    let products = (tiles.out + 2) * (tiles.out + 2);
    let per_image = tiles.rows * tiles.columns;
    let sums = parts(g.n, products * g.ci * g.co)
        .into_par_iter()
        .map(|images| {
            let mut sums = vec![0f32; products * g.ci * g.co];
            let all: Vec<Tile> =
                (images.start * per_image..images.end * per_image).map(|tile| tiles.at(tile)).collect();
            for own in all.chunks(TILES) {
                let lengths = [g.ci, g.co].map(|channels| channels * own.len() + GAP);
                scratch::with(products * (lengths[0] + lengths[1]), |buffer| {
                    let (factors, gradients) = buffer.split_at_mut(products * lengths[0]);
                    // SAFETY: the functions need no promise.
                    unsafe {
                        winograd::transform_inputs(level, x, g, own, lengths[0], factors);
                        transform_gradients(level, dy, g, own, lengths[1], gradients);
                    }
                    let plane = own.len() * BLOCK;
                    let inputs: Vec<usize> = (0..g.ci).map(|c| c / BLOCK * plane + c % BLOCK).collect();
                    let pixels = [Pixels { x: 0, dy: 0, count: own.len() }];
                    for (k, sums) in sums.chunks_exact_mut(g.ci * g.co).enumerate() {
                        let factors = Factors {
                            x: &factors[k * lengths[0]..],
                            inputs: &inputs,
                            pixel: BLOCK,
                            dy: &gradients[k * lengths[1]..],
                            block: plane,
                        };
                        // SAFETY: the function needs no promise.
                        unsafe { accumulate(level, factors, &pixels, g.co, sums) };
                    }
                });
            }
            sums
        })
        .collect();
    let sums = add_parts(sums);
    let mut dw = vec![0f32; g.co * g.ci * 9];
    dw.par_chunks_mut(BLOCK * g.ci * 9).enumerate().for_each(|(block, dw)| {
        // SAFETY: the function needs no promise.
        unsafe { transform_sums(level, &sums, g, block, dw) };
    });
    dw
}

for_each_isa! {
    /// Fills `[products][co / 8][tiles][8]`, products `length` elements apart, from the gradients of the outputs.
    ///
    /// # Safety
    /// None is needed beyond the bounds of the slices, which are checked.
    unsafe fn transform_gradients<I>(dy: &[f32], g: &Geometry, tiles: &[Tile], length: usize, to: &mut [f32]) {
        if winograd::outputs(g) == 4 {
            gradients::<I, 4>(dy, g, tiles, length, to);
        } else {
            gradients::<I, 2>(dy, g, tiles, length, to);
        }
    }
}

/// [`transform_gradients`] for tiles of `OUT` outputs on each axis.
#[inline(always)]
fn gradients<I: Isa, const OUT: usize>(
    dy: &[f32],
    g: &Geometry,
    tiles: &[Tile],
    length: usize,
    to: &mut [f32],
) {
    let side = OUT + 2;
    assert!(length >= g.co * tiles.len() && to.len() >= side * side * length);
    let zero = I::Eight::splat(0.0);
    for block in 0..g.co / BLOCK {
        for (t, &[image, y, x]) in tiles.iter().enumerate() {
            let plane =
                &dy[(image * g.co / BLOCK + block) * g.plane_out() * BLOCK..][..g.plane_out() * BLOCK];
            let to = to[(block * tiles.len() + t) * BLOCK..].as_mut_ptr();
            // SAFETY: only outputs that there are are read; by the assertion every product of the tile lies in `to`.
            unsafe {
                both_axes!(
                    I::Eight, 4, OUT => side, Axis::<OUT>::output_transposed,
                    |row, column| {
                        if y + row < g.oh && x + column < g.ow {
                            I::Eight::load(plane.as_ptr().add(((y + row) * g.ow + x + column) * BLOCK))
                        } else {
                            zero
                        }
                    },
                    |row, column, value| value.store_blocks(to.add((row * side + column) * length), 0),
                );
            }
        }
    }
}

for_each_isa! {
    /// The taps of the eight filters of a block, `[8, ci, 9]`, from the sums `[products][ci][co]`.
    ///
    /// # Safety
    /// None is needed beyond the bounds of the slices, which are checked.
    unsafe fn transform_sums<I>(sums: &[f32], g: &Geometry, block: usize, dw: &mut [f32]) {
        if winograd::outputs(g) == 4 {
            taps::<I, 4>(sums, [g.ci, g.co], block, dw);
        } else {
            taps::<I, 2>(sums, [g.ci, g.co], block, dw);
        }
    }
}

/// [`transform_sums`] for tiles of `OUT` outputs on each axis.
#[inline(always)]
fn taps<I: Isa, const OUT: usize>(sums: &[f32], [ci, co]: [usize; 2], block: usize, dw: &mut [f32]) {
    let side = OUT + 2;
    for channel in 0..ci {
        let mut columns = [[I::Eight::splat(0.0); SIDE]; 3];
        let at = |k: usize| sums[(k * ci + channel) * co + block * BLOCK..][..BLOCK].as_ptr();
        let mut x = 0;
        while x < side {
            let mut column = [I::Eight::splat(0.0); SIDE];
            let mut y = 0;
            while y < side {
                // SAFETY: the slice has eight elements.
                column[y] = unsafe { I::Eight::load(at(y * side + x)) };
                y += 1;
            }
            let transformed = Axis::<OUT>::filter_transposed(column);
            let mut y = 0;
            while y < 3 {
                columns[y][x] = transformed[y];
                y += 1;
            }
            x += 1;
        }
        let mut taps = [I::Eight::splat(0.0); 9];
        let mut y = 0;
        while y < 3 {
            let row = Axis::<OUT>::filter_transposed(columns[y]);
            taps[3 * y] = row[0];
            taps[3 * y + 1] = row[1];
            taps[3 * y + 2] = row[2];
            y += 1;
        }
        let [t0, t1, t2, t3, t4, t5, t6, t7, ninth] = taps;
        let filters = I::Eight::transpose([t0, t1, t2, t3, t4, t5, t6, t7]);
        let mut last = [0f32; BLOCK];
        // SAFETY: the array has eight elements.
        unsafe { ninth.store_blocks(last.as_mut_ptr(), 0) };
        for (lane, filter) in filters.into_iter().enumerate() {
            let dw = &mut dw[(lane * ci + channel) * 9..][..9];
            // SAFETY: a filter has nine taps.
            unsafe { filter.store_blocks(dw.as_mut_ptr(), 0) };
            dw[8] = last[lane];
        }
    }
}
