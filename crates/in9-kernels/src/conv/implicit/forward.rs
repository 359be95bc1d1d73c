//! Outputs of sums over taps.

use super::{
    PANEL, Sum,
    weights::{TALLEST, pack, packed_len, tallest, tiles},
    windows::{Strip, panel_stride, panels, panels_len, strips},
};
use crate::{
    conv::{
        finish::{Finish, Rows},
        images_of_task,
    },
    output, scratch,
    simd::{
        Level,
        kernel::{Broadcast, product},
        prefetch,
        vector::{LANES, for_each_vector},
    },
};
use std::{mem::MaybeUninit, ops::Range};

/// Tasks that a layer is cut into at least, if it has the outputs.
const TASKS: usize = 4;
/// Rows of the smallest block of outputs that becomes a task.
const BLOCK: usize = 2 * TALLEST;

/// The filters of a convolution that is a single sum, packed once for many calls.
pub(in crate::conv) fn packed(level: Level, w: &[f32], sum: &Sum) -> Vec<f32> {
    let mut packed = vec![0f32; packed_len(sum)];
    pack(level, w, sum, &mut packed);
    packed
}

/// `[n, groups * outputs, plane]` from `x` of `[n, groups * inputs, h, w]`: every sum writes its own
/// places, `activation(sum + bias + residual)`; places that no sum writes are zero.
///
/// All sums have the same channels, input plane and output plane. A residual needs a single dense sum.
pub(in crate::conv) fn forward(
    level: Level,
    x: &[f32],
    w: &[f32],
    n: usize,
    plane: usize,
    channels: [usize; 2],
    sums: &[Sum],
    finish: Finish<'_>,
) -> Vec<f32> {
    scratch::with(sums.iter().map(packed_len).sum(), |packed| {
        let mut rest = &mut *packed;
        for sum in sums {
            let (own, others) = rest.split_at_mut(packed_len(sum));
            pack(level, w, sum, own);
            rest = others;
        }
        forward_packed(level, x, packed, n, plane, channels, sums, finish)
    })
}

/// [`forward`] with the filters of all sums packed, one after another.
pub(in crate::conv) fn forward_packed(
    level: Level,
    x: &[f32],
    packed: &[f32],
    n: usize,
    plane: usize,
    [ins, outs]: [usize; 2],
    sums: &[Sum],
    finish: Finish<'_>,
) -> Vec<f32> {
    let image_in = x.len() / n;
    let images = images_of_task(n, sums.iter().map(|sum| sum.cut()[0]).min().unwrap_or(n));
    let groups = sums.first().map_or(1, |sum| sum.groups);
    let block = block(outs / groups, groups, n.div_ceil(images));
    let whole = matches!(sums, [sum] if sum.fills(plane));
    let run = |first: usize, b: usize, mut pieces: Vec<&mut [MaybeUninit<f32>]>| {
        if !whole {
            pieces.iter_mut().for_each(|piece| piece.fill(MaybeUninit::new(0.0)));
        }
        let x = &x[first * image_in..][..pieces.len() * image_in];
        let rows = b * block..((b + 1) * block).min(outs);
        let mut start = 0;
        for sum in sums {
            let packed = &packed[start..start + packed_len(sum)];
            Task { level, sum, packed, x, ins, outs, first, rows: rows.clone(), finish }.run(&mut pieces);
            start += packed_len(sum);
        }
    };
    // SAFETY: `run` writes every number of its pieces: either it clears them first, or the only sum
    // fills the plane, and then the task's strips cover all output rows, their panels all pixels of a
    // strip, and the tiles of a panel all of the task's channels.
    unsafe { output::unset_blocks([n, outs * plane], images, block * plane, run).0 }
}

/// Output channels of a task: whole groups, or parts of the only one.
fn block(outputs: usize, groups: usize, parts: usize) -> usize {
    let wanted = TASKS.div_ceil(parts);
    if groups > 1 {
        return groups.div_ceil(wanted) * outputs;
    }
    let smallest = outputs.div_ceil(wanted).max(BLOCK.min(outputs));
    // Whole tiles of the tallest kind, but for the last block.
    (smallest.div_ceil(TALLEST) * TALLEST).min(outputs)
}

/// Some output channels of some images.
struct Task<'a> {
    level: Level,
    sum: &'a Sum,
    packed: &'a [f32],
    x: &'a [f32],
    /// Input and output channels of an image, those of all groups.
    ins: usize,
    outs: usize,
    /// The first image.
    first: usize,
    rows: Range<usize>,
    finish: Finish<'a>,
}

impl Task<'_> {
    fn run(&self, pieces: &mut [&mut [MaybeUninit<f32>]]) {
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

    /// The rows of a group times all panels of a strip.
    fn strip(
        &self,
        group: usize,
        rows: Range<usize>,
        strip: Strip,
        windows: &[f32],
        pieces: &mut [&mut [MaybeUninit<f32>]],
    ) {
        let (sum, plane) = (self.sum, self.sum.place.plane);
        let (terms, pixels, part) = (sum.terms(), strip.pixels(sum), strip.part(sum));
        let weights = &self.packed[group * sum.outputs * terms..][..sum.outputs * terms];
        let weights = &weights[rows.start * terms..rows.end * terms];
        let first = group * sum.outputs + rows.start;
        // The piece begins with the first of the task's channels.
        let channel = (first - self.rows.start) * plane;
        let start = sum.place.first + strip.first * sum.place.row;
        let finish = |image: usize, place: usize, row: usize| {
            self.finish.at(first + row, ((self.first + image) * self.outs + first + row) * plane + place)
        };
        let mut sums = [0f32; TALLEST * PANEL];
        // Tile by tile, so that a few channels are written in long runs while their filters stay in
        // the nearest cache.
        for tile in tiles(0..rows.len(), tallest(self.level)) {
            let weights = &weights[tile.start * terms..tile.end * terms];
            let channel = channel + tile.start * plane;
            for pixel in (0..pixels).step_by(PANEL) {
                let width = (pixels - pixel).div_ceil(LANES).min(2) * LANES;
                let count = width.min(pixels - pixel);
                let windows = &windows[pixel / PANEL * panel_stride(sum)..][..width * terms];
                if sum.is_dense() {
                    let (image, place) = (pixel / part, start + pixel % part);
                    let rows = pieces[image][channel + place..].chunks(plane).take(tile.len());
                    rows.for_each(|row| prefetch::to_write(&row[..width.min(row.len())]));
                    if let Some(residual) = finish(image, place, tile.start).residual {
                        let rows = residual.chunks(plane).take(tile.len());
                        rows.for_each(|row| prefetch::to_read(&row[..width.min(row.len())]));
                    }
                }
                multiply(self.level, weights, windows, terms, tile.len(), width, &mut sums);
                let mut done = 0;
                while done < count {
                    let (image, q) = ((pixel + done) / part, (pixel + done) % part);
                    // To the end of the output row, or of the image where rows follow each other.
                    let run = if sum.is_dense() { part - q } else { sum.ow - q % sum.ow }.min(count - done);
                    let place = start + q / sum.ow * sum.place.row + q % sum.ow * sum.place.column;
                    let to = &mut pieces[image][channel + place..];
                    if sum.place.column == 1 {
                        let rows = Rows { count: tile.len(), length: run, from: width, to: plane };
                        finish(image, place, tile.start).write(self.level, rows, &sums[done..], to);
                    } else {
                        for (r, sums) in sums.chunks_exact(width).take(tile.len()).enumerate() {
                            let to = to[r * plane..].iter_mut().step_by(sum.place.column);
                            to.zip(&sums[done..][..run]).for_each(|(to, sum)| {
                                to.write(*sum);
                            });
                        }
                    }
                    done += run;
                }
            }
        }
    }
}

for_each_vector! {
    /// The sums of a tile: `rows` of `width`, side by side.
    fn multiply<V>(
        weights: &[f32],
        windows: &[f32],
        terms: usize,
        rows: usize,
        width: usize,
        sums: &mut [f32],
    ) {
        let layout = Broadcast { row: 1, step: rows, steps: terms, block: 0, blocks: 1 };
        if width == PANEL {
            product::<V, 2>(rows, weights, layout, windows, sums, width, false);
        } else {
            product::<V, 1>(rows, weights, layout, windows, sums, width, false);
        }
    }
}
