//! The gradient with respect to the filters.
//!
//! For every filter a sum over all pixels: lines of windows times gradients that lie sixteen
//! channels side by side.

use super::{
    PANEL, Sum,
    windows::{SLACK, Strip, lines, strips},
};
use crate::{
    scratch,
    simd::{
        Level,
        kernel::{Broadcast, product},
        vector::{LANES, for_each_vector},
    },
};
use rayon::prelude::*;

/// Tasks that a layer is cut into: blocks of its terms, else parts of the batch.
const TASKS: usize = 8;
/// Terms of a block at least.
const TERMS: usize = 96;
/// Parts of a batch whose layer has too few terms.
const PARTS: usize = 4;

/// `dw` of `[groups * outputs, inputs, taps]` from `x` of `[n, groups * inputs, h, w]` and `dy` of
/// `[n, groups * outputs, oh, ow]`; `sum` is the forward pass.
pub(in crate::conv) fn backward_weight(
    level: Level,
    x: &[f32],
    dy: &[f32],
    n: usize,
    sum: &Sum,
    dw: &mut [f32],
) {
    let (terms, taps) = (sum.terms(), sum.taps.len());
    let images = sum.cut()[0];
    let blocks = (terms / TERMS).clamp(1, TASKS).min(sum.inputs);
    let parts = if blocks >= PARTS { 1 } else { PARTS };
    // Channels of a block and images of a part, the latter whole strips' worth if there are enough.
    let inputs = sum.inputs.div_ceil(blocks);
    let blocks = sum.inputs.div_ceil(inputs);
    let part = n.div_ceil(parts);
    let part = part.div_ceil(images.min(part)) * images.min(part);
    let parts = n.div_ceil(part);
    let columns = sum.outputs.div_ceil(LANES) * LANES;
    let group_len = terms * columns;
    let len = sum.groups * group_len;
    scratch::with(parts * len, |sums| {
        let mut tasks = Vec::new();
        for (p, sums) in sums.chunks_exact_mut(len).enumerate() {
            for (group, sums) in sums.chunks_exact_mut(group_len).enumerate() {
                for (b, sums) in sums.chunks_mut(inputs * taps * columns).enumerate() {
                    tasks.push((Task { level, sum, part: p, group, block: b }, sums));
                }
            }
        }
        tasks.into_par_iter().for_each(|(task, sums)| {
            sums.fill(0.0);
            let (image_in, image_out) = (x.len() / n, dy.len() / n);
            let of_part = task.part * part..((task.part + 1) * part).min(n);
            for first in of_part.clone().step_by(images) {
                let count = images.min(of_part.end - first);
                let x = &x[first * image_in..][..count * image_in];
                task.add(x, &dy[first * image_out..][..count * image_out], count, inputs, sums);
            }
        });
        let sums = &*sums;
        dw.par_chunks_mut(sum.outputs * terms).enumerate().for_each(|(group, dw)| {
            dw.par_chunks_mut(PANEL * terms).enumerate().for_each(|(panel, dw)| {
                let place =
                    Place { start: group * group_len, parts, len, panel, block: inputs * taps, blocks };
                collect(level, sums, sum, place, dw);
            });
        });
    });
}

/// A block of channels of a group, summed over a part of the batch.
struct Task<'a> {
    level: Level,
    sum: &'a Sum,
    part: usize,
    group: usize,
    block: usize,
}

impl Task<'_> {
    /// Adds some images to sums of `[panels][terms of the block][columns]`.
    fn add(&self, x: &[f32], dy: &[f32], images: usize, inputs: usize, sums: &mut [f32]) {
        let sum = self.sum;
        let columns = sum.outputs.div_ceil(LANES) * LANES;
        let rows = sums.len() / columns;
        let first = self.group * sum.inputs + self.block * inputs;
        for strip in strips(sum, images) {
            let pixels = strip.pixels(sum);
            // Lines a power of two apart would share one set of the cache.
            let stride = ((pixels + SLACK).div_ceil(LANES) * LANES) | LANES;
            scratch::with(rows * stride, |windows| {
                let x = &x[first * sum.h * sum.w..];
                lines(
                    self.level,
                    x,
                    sum.groups * sum.inputs,
                    sum,
                    strip,
                    rows / sum.taps.len(),
                    stride,
                    windows,
                );
                scratch::with((pixels + LANES) * columns, |gradients| {
                    transpose(self.level, dy, sum, self.group, strip, gradients);
                    multiply(self.level, windows, stride, gradients, pixels, rows, columns, sums);
                });
            });
        }
    }
}

for_each_vector! {
    /// The gradients of a strip: panels of [`PANEL`] channels (the last may be half of that), in
    /// each `[pixels][channels]`.
    fn transpose<V>(dy: &[f32], sum: &Sum, group: usize, strip: Strip, out: &mut [f32]) {
        let (pixels, part, plane) = (strip.pixels(sum), strip.part(sum), sum.place.plane);
        let columns = sum.outputs.div_ceil(LANES) * LANES;
        for channel in (0..columns).step_by(LANES) {
            let panel = channel / PANEL * PANEL;
            let width = PANEL.min(columns - panel);
            let count = LANES.min(sum.outputs - channel);
            let out = &mut out[panel * pixels + channel % PANEL..];
            for image in 0..strip.images {
                let start = (image * sum.groups + group) * sum.outputs + channel;
                for q in (0..part).step_by(LANES) {
                    let run = LANES.min(part - q);
                    let mut square = [[0f32; LANES]; LANES];
                    for (c, row) in square.iter_mut().take(count).enumerate() {
                        let from = &dy[(start + c) * plane + strip.first * sum.ow + q..];
                        match from.first_chunk::<LANES>() {
                            Some(from) => V::load(from).store(row),
                            None => row[..run].copy_from_slice(&from[..run]),
                        }
                    }
                    V::transpose(&mut square);
                    for (i, row) in square.iter().take(run).enumerate() {
                        let to = &mut out[(image * part + q + i) * width..][..LANES];
                        to.copy_from_slice(row);
                    }
                }
            }
        }
    }
}

for_each_vector! {
    fn multiply<V>(
        windows: &[f32],
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
                product::<V, 2>(rows, windows, layout, gradients, sums, width, true);
            } else {
                product::<V, 1>(rows, windows, layout, gradients, sums, width, true);
            }
        }
    }
}

/// Where the sums of some outputs lie.
#[derive(Clone, Copy)]
struct Place {
    /// Of the group, in a part.
    start: usize,
    parts: usize,
    /// Numbers of a part.
    len: usize,
    panel: usize,
    /// Terms of a block, but for the last.
    block: usize,
    blocks: usize,
}

for_each_vector! {
    /// Adds the parts in order and turns the sums: `dw` of `[outputs of the panel][terms]`.
    fn collect<V>(sums: &[f32], sum: &Sum, place: Place, dw: &mut [f32]) {
        let terms = sum.terms();
        let columns = sum.outputs.div_ceil(LANES) * LANES;
        let (outputs, first) = (dw.len() / terms, place.panel * PANEL);
        let width = PANEL.min(columns - first);
        for b in 0..place.blocks {
            let start = b * place.block;
            let rows = place.block.min(terms - start);
            let at = place.start + start * columns + first * rows;
            for channel in (0..width).step_by(LANES) {
                for k in (0..rows).step_by(LANES) {
                    let count = LANES.min(rows - k);
                    let mut square = [[0f32; LANES]; LANES];
                    for (i, row) in square.iter_mut().take(count).enumerate() {
                        let at = at + (k + i) * width + channel;
                        let mut total = V::splat(0.0);
                        for part in 0..place.parts {
                            if let Some(from) = sums[part * place.len + at..].first_chunk() {
                                total = total.add(V::load(from));
                            }
                        }
                        total.store(row);
                    }
                    V::transpose(&mut square);
                    for (row, dw) in square.iter().zip(dw.chunks_exact_mut(terms).take(outputs).skip(channel)) {
                        dw[start + k..][..count].copy_from_slice(&row[..count]);
                    }
                }
            }
        }
    }
}
