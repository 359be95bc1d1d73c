//! The gradient with respect to the filters.
//!
//! It is the product of the im2col matrix and the transposed output gradient: a sum over all output pixels
//! for every weight.

use super::{
    PANEL, Problem, Strip,
    im2col::{SLACK, rows},
    strips,
};
use crate::{
    scratch,
    simd::{
        Level,
        microkernel::{Broadcast, multiply_panel},
        vector::{LANES, for_each_vector},
    },
};
use rayon::prelude::*;

/// Most parallel tasks that the rows of the im2col matrix are divided into.
const MAX_BLOCKS: usize = 8;
/// Fewest rows of the im2col matrix in a block.
const MIN_BLOCK: usize = 96;
/// Parts that the batch is divided into instead, if the matrix has few rows.
const PARTS: usize = 4;

/// Writes `dw` of `[groups * outputs, inputs, taps]`, from `x` of `[n, groups * inputs, h, w]` and `dy` of
/// `[n, groups * outputs, oh, ow]`. `problem` is that of the forward pass.
pub(in crate::conv) fn backward_weight(
    level: Level,
    x: &[f32],
    dy: &[f32],
    n: usize,
    problem: &Problem,
    dw: &mut [f32],
) {
    let (depth, taps) = (problem.depth(), problem.taps.len());
    let images = problem.strip_size()[0];
    let blocks = (depth / MIN_BLOCK).clamp(1, MAX_BLOCKS).min(problem.inputs);
    let parts = if blocks >= PARTS { 1 } else { PARTS };
    // Input channels of a block, and images of a part: those of whole strips, if there are enough.
    let inputs = problem.inputs.div_ceil(blocks);
    let blocks = problem.inputs.div_ceil(inputs);
    let part = n.div_ceil(parts);
    let part = part.div_ceil(images.min(part)) * images.min(part);
    let parts = n.div_ceil(part);
    let columns = problem.outputs.div_ceil(LANES) * LANES;
    let group_len = depth * columns;
    let len = problem.groups * group_len;
    scratch::with(parts * len, |sums| {
        let mut tasks = Vec::new();
        for (p, sums) in sums.chunks_exact_mut(len).enumerate() {
            for (group, sums) in sums.chunks_exact_mut(group_len).enumerate() {
                for (b, sums) in sums.chunks_mut(inputs * taps * columns).enumerate() {
                    tasks.push((Task { level, problem, part: p, group, block: b }, sums));
                }
            }
        }
        tasks.into_par_iter().for_each(|(task, sums)| {
            sums.fill(0.0);
            let (image_in, image_out) = (x.len() / n, dy.len() / n);
            let part_images = task.part * part..((task.part + 1) * part).min(n);
            for first in part_images.clone().step_by(images) {
                let count = images.min(part_images.end - first);
                let x = &x[first * image_in..][..count * image_in];
                task.accumulate(x, &dy[first * image_out..][..count * image_out], count, inputs, sums);
            }
        });
        let sums = &*sums;
        dw.par_chunks_mut(problem.outputs * depth).enumerate().for_each(|(group, dw)| {
            dw.par_chunks_mut(PANEL * depth).enumerate().for_each(|(panel, dw)| {
                let layout =
                    SumsLayout { start: group * group_len, parts, len, panel, block: inputs * taps, blocks };
                collect(level, sums, problem, layout, dw);
            });
        });
    });
}

/// A block of input channels of a group, summed over a part of the batch.
struct Task<'a> {
    level: Level,
    problem: &'a Problem,
    part: usize,
    group: usize,
    block: usize,
}

impl Task<'_> {
    /// Adds some images to the sums, `[panels][rows of the block][columns]`.
    fn accumulate(&self, x: &[f32], dy: &[f32], images: usize, inputs: usize, sums: &mut [f32]) {
        let problem = self.problem;
        let columns = problem.outputs.div_ceil(LANES) * LANES;
        let block_rows = sums.len() / columns;
        let first = self.group * problem.inputs + self.block * inputs;
        for strip in strips(problem, images) {
            let pixels = strip.pixels(problem);
            // An odd number of vectors: rows a power of two apart would compete for one set of the cache.
            let stride = ((pixels + SLACK).div_ceil(LANES) * LANES) | LANES;
            scratch::with(block_rows * stride, |patches| {
                let x = &x[first * problem.h * problem.w..];
                rows(
                    self.level,
                    x,
                    problem.groups * problem.inputs,
                    problem,
                    strip,
                    block_rows / problem.taps.len(),
                    stride,
                    patches,
                );
                scratch::with((pixels + LANES) * columns, |gradients| {
                    transpose(self.level, dy, problem, self.group, strip, gradients);
                    multiply(self.level, patches, stride, gradients, pixels, block_rows, columns, sums);
                });
            });
        }
    }
}

for_each_vector! {
    /// The output gradients of a strip, as panels of [`PANEL`] channels (the last may be half of that), each
    /// `[pixels][channels]`.
    fn transpose<V>(dy: &[f32], problem: &Problem, group: usize, strip: Strip, out: &mut [f32]) {
        let (pixels, image_pixels) = (strip.pixels(problem), strip.image_pixels(problem));
        let plane = problem.layout.plane;
        let columns = problem.outputs.div_ceil(LANES) * LANES;
        for channel in (0..columns).step_by(LANES) {
            let panel = channel / PANEL * PANEL;
            let width = PANEL.min(columns - panel);
            let count = LANES.min(problem.outputs - channel);
            let out = &mut out[panel * pixels + channel % PANEL..];
            for image in 0..strip.images {
                let start = (image * problem.groups + group) * problem.outputs + channel;
                for q in (0..image_pixels).step_by(LANES) {
                    let run = LANES.min(image_pixels - q);
                    let mut square = [[0f32; LANES]; LANES];
                    for (c, row) in square.iter_mut().take(count).enumerate() {
                        let from = &dy[(start + c) * plane + strip.first * problem.ow + q..];
                        match from.first_chunk::<LANES>() {
                            Some(from) => V::load(from).store(row),
                            None => row[..run].copy_from_slice(&from[..run]),
                        }
                    }
                    V::transpose(&mut square);
                    for (i, row) in square.iter().take(run).enumerate() {
                        let to = &mut out[(image * image_pixels + q + i) * width..][..LANES];
                        to.copy_from_slice(row);
                    }
                }
            }
        }
    }
}

for_each_vector! {
    /// Adds the product of im2col rows and output gradients to the sums.
    fn multiply<V>(
        patches: &[f32],
        stride: usize,
        gradients: &[f32],
        pixels: usize,
        rows: usize,
        columns: usize,
        sums: &mut [f32],
    ) {
        let layout = Broadcast { row: stride, step: 1, steps: pixels, block: 0, blocks: 1 };
        for panel in (0..columns).step_by(PANEL) {
            let width = PANEL.min(columns - panel);
            let gradients = &gradients[panel * pixels..][..pixels * width];
            let sums = &mut sums[panel * rows..][..rows * width];
            if width == PANEL {
                multiply_panel::<V, 2>(rows, patches, layout, gradients, sums, width, true);
            } else {
                multiply_panel::<V, 1>(rows, patches, layout, gradients, sums, width, true);
            }
        }
    }
}

/// Where the sums of one panel of output channels lie.
#[derive(Clone, Copy)]
struct SumsLayout {
    /// Start of the group in each part.
    start: usize,
    parts: usize,
    /// Elements of a part.
    len: usize,
    panel: usize,
    /// Rows of every block but the last.
    block: usize,
    blocks: usize,
}

for_each_vector! {
    /// Adds the parts in order and transposes the sums to `dw` of `[outputs of the panel][depth]`.
    fn collect<V>(sums: &[f32], problem: &Problem, layout: SumsLayout, dw: &mut [f32]) {
        let depth = problem.depth();
        let columns = problem.outputs.div_ceil(LANES) * LANES;
        let (outputs, first) = (dw.len() / depth, layout.panel * PANEL);
        let width = PANEL.min(columns - first);
        for b in 0..layout.blocks {
            let start = b * layout.block;
            let rows = layout.block.min(depth - start);
            let at = layout.start + start * columns + first * rows;
            for channel in (0..width).step_by(LANES) {
                for k in (0..rows).step_by(LANES) {
                    let count = LANES.min(rows - k);
                    let mut square = [[0f32; LANES]; LANES];
                    for (i, row) in square.iter_mut().take(count).enumerate() {
                        let at = at + (k + i) * width + channel;
                        let mut total = V::splat(0.0);
                        for part in 0..layout.parts {
                            if let Some(from) = sums[part * layout.len + at..].first_chunk() {
                                total = total.add(V::load(from));
                            }
                        }
                        total.store(row);
                    }
                    V::transpose(&mut square);
                    for (row, dw) in square.iter().zip(dw.chunks_exact_mut(depth).take(outputs).skip(channel)) {
                        dw[start + k..][..count].copy_from_slice(&row[..count]);
                    }
                }
            }
        }
    }
}
