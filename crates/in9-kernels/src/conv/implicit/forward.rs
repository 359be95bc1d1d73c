//! Outputs of sums over taps.

use super::{
    PANEL, Sum,
    weights::{pack, tallest, tiles},
    windows::{Strip, panels, panels_len, strips},
};
use crate::{
    Activation, output, scratch,
    simd::{
        Level,
        kernel::{Broadcast, product},
        vector::{LANES, for_each_vector},
    },
};
use std::ops::Range;

/// Tasks that a layer is cut into at least, if it has the outputs.
const TASKS: usize = 4;
/// Rows of the smallest block of outputs that becomes a task.
const BLOCK: usize = 24;

/// `[n, groups * outputs, plane]` from `x` of `[n, groups * inputs, h, w]`: every sum writes its own
/// places, `activation(sum + bias)`; places that no sum writes are zero.
///
/// All sums have the same channels, input plane and output plane.
pub(in crate::conv) fn forward(
    level: Level,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    n: usize,
    plane: usize,
    channels: [usize; 2],
    sums: &[Sum],
    activation: Activation,
) -> Vec<f32> {
    let [ins, outs] = channels;
    let image_in = x.len() / n;
    let images = sums.iter().map(|sum| sum.cut()[0]).min().unwrap_or(n).min(n);
    let groups = sums.first().map_or(1, |sum| sum.groups);
    let block = block(outs / groups, groups, n.div_ceil(images));
    let lens: Vec<usize> = sums.iter().map(|sum| outs * sum.terms()).collect();
    scratch::with(lens.iter().sum(), |packed| {
        let mut rest = &mut *packed;
        for (sum, &len) in sums.iter().zip(&lens) {
            let (own, others) = rest.split_at_mut(len);
            pack(level, w, sum, block.min(sum.outputs), own);
            rest = others;
        }
        let packed = &*packed;
        let (y, _) = output::blocks([n, outs * plane], images, block * plane, |first, b, mut pieces| {
            let x = &x[first * image_in..][..pieces.len() * image_in];
            let rows = b * block..((b + 1) * block).min(outs);
            let mut start = 0;
            for (sum, &len) in sums.iter().zip(&lens) {
                let packed = &packed[start..start + len];
                let mut task = Task { level, sum, packed, x, ins, rows: rows.clone(), bias, activation };
                task.run(&mut pieces);
                start += len;
            }
        });
        y
    })
}

/// Output channels of a task: whole groups, or parts of the only one.
fn block(outputs: usize, groups: usize, parts: usize) -> usize {
    let wanted = TASKS.div_ceil(parts);
    if groups > 1 {
        return groups.div_ceil(wanted) * outputs;
    }
    let smallest = outputs.div_ceil(wanted).max(BLOCK.min(outputs));
    // Whole tiles of the tallest kind, but for the last block.
    (smallest.div_ceil(12) * 12).min(outputs)
}

/// Some output channels of some images.
struct Task<'a> {
    level: Level,
    sum: &'a Sum,
    packed: &'a [f32],
    x: &'a [f32],
    /// Input channels of an image, those of all groups.
    ins: usize,
    rows: Range<usize>,
    bias: Option<&'a [f32]>,
    activation: Activation,
}

impl Task<'_> {
    fn run(&mut self, pieces: &mut [&mut [f32]]) {
        let sum = self.sum;
        let outputs = sum.outputs;
        for group in self.rows.start / outputs..self.rows.end.div_ceil(outputs) {
            let start = group * outputs;
            let rows = self.rows.start.max(start) - start..self.rows.end.min(start + outputs) - start;
            let x = &self.x[group * sum.inputs * sum.h * sum.w..];
            for strip in strips(sum, pieces.len()) {
                scratch::with(panels_len(sum, strip), |windows| {
                    panels(self.level, x, self.ins, sum, strip, windows);
                    self.strip(group, rows.clone(), strip, windows, pieces);
                });
            }
        }
    }

    /// All panels of a strip times the rows of a group.
    fn strip(
        &self,
        group: usize,
        rows: Range<usize>,
        strip: Strip,
        windows: &[f32],
        pieces: &mut [&mut [f32]],
    ) {
        let sum = self.sum;
        let (terms, pixels, part) = (sum.terms(), strip.pixels(sum), strip.part(sum));
        let weights = &self.packed[group * sum.outputs * terms..][..sum.outputs * terms];
        let weights = &weights[rows.start * terms..rows.end * terms];
        let first = group * sum.outputs + rows.start;
        let bias = self.bias.map(|bias| &bias[first..first + rows.len()]);
        for pixel in (0..pixels).step_by(PANEL) {
            let width = (pixels - pixel).div_ceil(LANES).min(2) * LANES;
            let count = width.min(pixels - pixel);
            let windows = &windows[pixel * terms..][..width * terms];
            let (image, q) = (pixel / part, pixel % part);
            // The piece begins with the first of the task's channels.
            let channel = (first - self.rows.start) * sum.place.plane;
            if sum.is_dense() && count == width && q + width <= part {
                let y = &mut pieces[image][channel + sum.place.first + strip.first * sum.ow + q..];
                self.panel(weights, windows, width, y, sum.place.plane, bias);
                continue;
            }
            scratch::with(rows.len() * width, |out| {
                self.panel(weights, windows, width, out, width, bias);
                let mut done = 0;
                while done < count {
                    let (image, q) = ((pixel + done) / part, (pixel + done) % part);
                    // To the end of the output row, or of the image where rows follow each other.
                    let run = if sum.is_dense() { part - q } else { sum.ow - q % sum.ow }.min(count - done);
                    let start = channel
                        + sum.place.first
                        + (strip.first + q / sum.ow) * sum.place.row
                        + q % sum.ow * sum.place.column;
                    for (r, out) in out.chunks_exact(width).enumerate() {
                        let to = &mut pieces[image][start + r * sum.place.plane..];
                        let out = &out[done..done + run];
                        if sum.place.column == 1 {
                            to[..run].copy_from_slice(out);
                        } else {
                            let to = to.iter_mut().step_by(sum.place.column);
                            to.zip(out).for_each(|(to, out)| *to = *out);
                        }
                    }
                    done += run;
                }
            });
        }
    }

    /// One panel: `rows` of `width` numbers, `stride` apart.
    fn panel(
        &self,
        weights: &[f32],
        windows: &[f32],
        width: usize,
        y: &mut [f32],
        stride: usize,
        bias: Option<&[f32]>,
    ) {
        let terms = self.sum.terms();
        let rows = weights.len() / terms.max(1);
        multiply(self.level, weights, windows, terms, rows, width, y, stride, tallest(self.level));
        if bias.is_none() && self.activation == Activation::None {
            return;
        }
        for r in 0..rows {
            self.activation.add_and_apply(&mut y[r * stride..][..width], bias.map_or(0.0, |bias| bias[r]));
        }
    }
}

for_each_vector! {
    fn multiply<V>(
        weights: &[f32],
        windows: &[f32],
        terms: usize,
        rows: usize,
        width: usize,
        y: &mut [f32],
        stride: usize,
        tallest: usize,
    ) {
        for tile in tiles(0..rows, tallest) {
            let layout = Broadcast { row: 1, step: tile.len(), steps: terms, block: 0, blocks: 1 };
            let weights = &weights[tile.start * terms..];
            let y = &mut y[tile.start * stride..];
            if width == PANEL {
                product::<V, 2>(tile.len(), weights, layout, windows, y, stride, false);
            } else {
                product::<V, 1>(tile.len(), weights, layout, windows, y, stride, false);
            }
        }
    }
}
