//! The gradient of a convolution with respect to its filters, in blocks: sums over pixels of products of an input and
//! the gradients of the outputs, which are vectors.

use super::{
    lanes::{BLOCK, Isa, Lanes, for_each_isa},
    padded::{self, Size},
};
use crate::{conv::geometry::Geometry, scratch, simd::Level};
use rayon::prelude::*;
use std::ops::Range;

/// Most parts of the batch whose sums are computed apart, and then added.
const MAX_PARTS: usize = 8;
/// Target for the elements of all parts' sums, so that they stay in a cache (4 MB).
const SUMS: usize = 1 << 20;

/// Pixels that lie together, in the image and in the gradients of the outputs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pixels {
    pub(super) x: usize,
    pub(super) dy: usize,
    pub(super) count: usize,
}

/// The factors of the sums, and where they lie.
#[derive(Clone, Copy)]
pub(super) struct Factors<'a> {
    pub(super) x: &'a [f32],
    /// Where each input of a pixel lies, from its position.
    pub(super) inputs: &'a [usize],
    /// Elements from one pixel's inputs to the next's.
    pub(super) pixel: usize,
    pub(super) dy: &'a [f32],
    /// Elements from one block of output channels to the next.
    pub(super) block: usize,
}

/// The images of each part of the batch; it depends on the sizes only, not on the number of threads.
pub(super) fn parts(n: usize, sums: usize) -> Vec<Range<usize>> {
    let count = (SUMS / sums.max(1)).clamp(2, MAX_PARTS).min(n.max(1));
    (0..count).map(|part| n * part / count..n * (part + 1) / count).collect()
}

/// Adds up the parts' sums, in order.
pub(super) fn add_parts(parts: Vec<Vec<f32>>) -> Vec<f32> {
    let mut parts = parts.into_iter();
    let mut sums = parts.next().unwrap_or_default();
    for part in parts {
        sums.par_chunks_mut(1 << 14).zip(part.par_chunks(1 << 14)).for_each(|(sums, part)| {
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        });
    }
    sums
}

/// `[co, ci, kh, kw]` from `x` in blocks, or in planes if it has fewer than eight channels, and `dy` in blocks.
pub(super) fn backward_weight(
    level: Level,
    x: &[f32],
    in_blocks: bool,
    dy: &[f32],
    g: &Geometry,
) -> Vec<f32> {
    let (taps, image_in, image_out) = (g.taps(), g.ci * g.plane_in(), g.co * g.plane_out());
    let size = Size::of(g, g.oh);
    let lanes = if in_blocks { BLOCK } else { g.ci };
    let plane = size.rows * size.columns * lanes;
    // In the order block, tap, lane.
    let at = |block: usize, tap: usize, lane: usize| {
        block * plane + (tap / g.kw * g.dy * size.columns + tap % g.kw * g.dx) * lanes + lane
    };
    let inputs: Vec<usize> = (0..g.ci / lanes)
        .flat_map(|block| (0..taps * lanes).map(move |i| at(block, i / lanes, i % lanes)))
        .collect();
    let pixels: Vec<Pixels> = (0..g.oh)
        .map(|row| Pixels { x: row * g.sy * size.columns * lanes, dy: row * g.ow * BLOCK, count: g.ow })
        .collect();
    let direct = in_blocks && size.rows == g.h && size.columns == g.w && [g.top, g.left] == [0, 0];
    let sums = parts(g.n, inputs.len() * g.co)
        .into_par_iter()
        .map(|images| {
            let mut sums = vec![0f32; inputs.len() * g.co];
            scratch::with(if direct { 0 } else { g.ci / lanes * plane }, |padded| {
                for i in images {
                    let image = &x[i * image_in..][..image_in];
                    let x = if direct {
                        image
                    } else {
                        if in_blocks {
                            padded::blocks(image, g, 0, size, padded);
                        } else {
                            padded::planes(image, g, 0, size, padded);
                        }
                        &*padded
                    };
                    let factors = Factors {
                        x,
                        inputs: &inputs,
                        pixel: g.sx * lanes,
                        dy: &dy[i * image_out..][..image_out],
                        block: g.plane_out() * BLOCK,
                    };
                    // SAFETY: the function needs no promise.
                    unsafe { accumulate(level, factors, &pixels, g.co, &mut sums) };
                }
            });
            sums
        })
        .collect();
    let sums = add_parts(sums);
    // From `[block, tap, lane, co]`.
    let mut dw = vec![0f32; g.co * g.ci * taps];
    dw.par_chunks_mut((g.ci * taps).max(1)).enumerate().for_each(|(output, dw)| {
        for (i, dw) in dw.iter_mut().enumerate() {
            let (channel, tap) = (i / taps, i % taps);
            let input = (channel / lanes * taps + tap) * lanes + channel % lanes;
            *dw = sums[input * g.co + output];
        }
    });
    dw
}

for_each_isa! {
    /// `sums[input][output] += Σ x dy` over the pixels.
    ///
    /// # Safety
    /// None is needed beyond the bounds of the slices, which are checked.
    pub(super) unsafe fn accumulate<I>(factors: Factors<'_>, pixels: &[Pixels], outputs: usize, sums: &mut [f32]) {
        let reach = factors.inputs.iter().max().map_or(0, |last| last + 1);
        assert!(outputs.is_multiple_of(BLOCK) && sums.len() >= factors.inputs.len() * outputs);
        for run in pixels.iter().filter(|run| run.count > 0) {
            assert!(run.x + (run.count - 1) * factors.pixel + reach <= factors.x.len());
            let blocks = outputs / BLOCK;
            assert!(blocks == 0 || run.dy + (blocks - 1) * factors.block + run.count * BLOCK <= factors.dy.len());
        }
        let mut first = 0;
        while first < outputs {
            let left = outputs - first;
            // SAFETY: by the assertions the runs lie in their slices, and there is a sum for every pair.
            unsafe {
                if left >= 2 * I::Wide::COUNT {
                    columns::<I, I::Wide, 2>(factors, pixels, outputs, first, sums);
                    first += 2 * I::Wide::COUNT;
                } else if left >= I::Wide::COUNT {
                    columns::<I, I::Wide, 1>(factors, pixels, outputs, first, sums);
                    first += I::Wide::COUNT;
                } else {
                    columns::<I, I::Eight, 1>(factors, pixels, outputs, first, sums);
                    first += BLOCK;
                }
            }
        }
    }
}

/// The sums of `V` registers of outputs with all inputs.
///
/// # Safety
/// The runs lie in their slices, for all inputs and for the outputs from `first` on, and there is a sum for every pair.
#[inline(always)]
unsafe fn columns<I: Isa, L: Lanes, const V: usize>(
    factors: Factors<'_>,
    pixels: &[Pixels],
    outputs: usize,
    first: usize,
    sums: &mut [f32],
) {
    let mut at = 0;
    macro_rules! tiles {
        ($($size:literal)*) => { $(
            if $size <= I::INPUTS {
                while factors.inputs.len() - at >= $size {
                    let to = sums[at * outputs + first..].as_mut_ptr();
                    let inputs = &factors.inputs[at..at + $size];
                    // SAFETY: the caller's promise is handed on.
                    unsafe { tile::<L, V, $size>(factors, inputs, pixels, outputs, first, to) };
                    at += $size;
                }
            }
        )* };
    }
    tiles!(8 4 1);
}

/// The sums of `R` inputs by `V` registers of outputs.
///
/// # Safety
/// As for [`columns`]; `to` is the first of the sums.
#[inline(always)]
unsafe fn tile<L: Lanes, const V: usize, const R: usize>(
    factors: Factors<'_>,
    inputs: &[usize],
    pixels: &[Pixels],
    outputs: usize,
    first: usize,
    to: *mut f32,
) {
    let mut sums = [[L::splat(0.0); V]; R];
    let step = L::COUNT / BLOCK * factors.block;
    let from: [usize; R] = std::array::from_fn(|r| inputs[r]);
    for run in pixels {
        let x = factors.x.as_ptr().wrapping_add(run.x);
        let x = from.map(|input| x.wrapping_add(input));
        let mut dy = factors.dy.as_ptr().wrapping_add(run.dy + first / BLOCK * factors.block);
        let mut at = 0;
        for _ in 0..run.count {
            // SAFETY: pixels of the run, in the image and in the gradients of these outputs, by the caller's promise.
            unsafe {
                let mut gradients = [L::splat(0.0); V];
                for (v, gradient) in gradients.iter_mut().enumerate() {
                    *gradient = L::load_blocks(dy.wrapping_add(v * step), factors.block);
                }
                for (sums, x) in sums.iter_mut().zip(x) {
                    let input = L::broadcast(x.wrapping_add(at));
                    for (sum, gradient) in sums.iter_mut().zip(gradients) {
                        *sum = input.mul_add(gradient, *sum);
                    }
                }
            }
            at += factors.pixel;
            dy = dy.wrapping_add(BLOCK);
        }
    }
    for (r, sums) in sums.into_iter().enumerate() {
        for (v, sum) in sums.into_iter().enumerate() {
            // SAFETY: there is a sum for every input and output, by the caller's promise; they lie together.
            unsafe {
                let to = to.add(r * outputs + v * L::COUNT);
                L::load(to).add(sum).store_blocks(to, BLOCK);
            }
        }
    }
}
