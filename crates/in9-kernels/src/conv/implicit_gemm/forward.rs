//! The product of filters and im2col matrix, and the epilogue.

use super::{
    PANEL, Problem, Strip,
    im2col::{panel_stride, panels, panels_len},
    packing::{MAX_TILE_ROWS, pack, packed_len, tile_rows, tiles},
    strips,
};
use crate::{
    conv::{
        epilogue::{Epilogue, Rows},
        images_per_task,
    },
    output, scratch,
    simd::{
        Level,
        microkernel::{Broadcast, multiply_panel},
        prefetch,
        vector::{LANES, for_each_vector},
    },
};
use std::{mem::MaybeUninit, ops::Range};

/// Fewest parallel tasks of a layer, if it has enough outputs.
const MIN_TASKS: usize = 4;
/// Fewest output channels of a task.
const MIN_ROWS: usize = 2 * MAX_TILE_ROWS;

/// The filters of a convolution, packed once for many calls.
pub(in crate::conv) fn packed(level: Level, w: &[f32], problem: &Problem) -> Vec<f32> {
    let mut packed = vec![0f32; packed_len(problem)];
    pack(level, w, problem, &mut packed);
    packed
}

/// `activation(filters * im2col matrix + bias + residual)`, `[n, groups * outputs, plane]`, from `x` of
/// `[n, groups * inputs, h, w]`.
///
/// Each problem writes the outputs of its own [`OutputLayout`](super::OutputLayout). Elements of the plane
/// that belong to no problem become zero. All problems have the same channels, input size and output plane.
/// A residual is supported for a single dense problem only.
pub(in crate::conv) fn forward(
    level: Level,
    x: &[f32],
    w: &[f32],
    n: usize,
    plane: usize,
    channels: [usize; 2],
    problems: &[Problem],
    epilogue: Epilogue<'_>,
) -> Vec<f32> {
    scratch::with(problems.iter().map(packed_len).sum(), |packed| {
        let mut rest = &mut *packed;
        for problem in problems {
            let (own, others) = rest.split_at_mut(packed_len(problem));
            pack(level, w, problem, own);
            rest = others;
        }
        forward_packed(level, x, packed, n, plane, channels, problems, epilogue)
    })
}

/// [`forward`] with the filters of all problems packed, one problem after another.
pub(in crate::conv) fn forward_packed(
    level: Level,
    x: &[f32],
    packed: &[f32],
    n: usize,
    plane: usize,
    [ins, outs]: [usize; 2],
    problems: &[Problem],
    epilogue: Epilogue<'_>,
) -> Vec<f32> {
    let image_in = x.len() / n;
    let images = problems.iter().map(|problem| problem.strip_size()[0]).min().unwrap_or(n);
    let images = images_per_task(n, images);
    let groups = problems.first().map_or(1, |problem| problem.groups);
    let rows_per_task = rows_per_task(outs / groups, groups, n.div_ceil(images));
    let whole = matches!(problems, [problem] if problem.fills(plane));
    let run = |first: usize, b: usize, mut y: Vec<&mut [MaybeUninit<f32>]>| {
        if !whole {
            y.iter_mut().for_each(|y| y.fill(MaybeUninit::new(0.0)));
        }
        let x = &x[first * image_in..][..y.len() * image_in];
        let rows = b * rows_per_task..((b + 1) * rows_per_task).min(outs);
        let mut start = 0;
        for problem in problems {
            let packed = &packed[start..start + packed_len(problem)];
            Task { level, problem, packed, x, ins, outs, first, rows: rows.clone(), epilogue }.run(&mut y);
            start += packed_len(problem);
        }
    };
    // SAFETY: `run` writes every element of `y`. Either it clears all of `y` first, or `whole` holds, so
    // that the only problem has an output at every element of the plane. Then `Task::run` goes over all
    // groups of the task's rows and over all strips, which together have all output rows of all its images;
    // `Task::multiply_strip` goes over all tiles of these rows and all panels of these pixels, and writes
    // every pixel of a panel, run by run.
    unsafe { output::uninit_blocks([n, outs * plane], images, rows_per_task * plane, run).0 }
}

/// Output channels of a task: whole groups, or parts of the only group.
fn rows_per_task(outputs: usize, groups: usize, image_tasks: usize) -> usize {
    let tasks = MIN_TASKS.div_ceil(image_tasks);
    if groups > 1 {
        return groups.div_ceil(tasks) * outputs;
    }
    let rows = outputs.div_ceil(tasks).max(MIN_ROWS.min(outputs));
    // Whole tiles of the largest size, but for the last task.
    (rows.div_ceil(MAX_TILE_ROWS) * MAX_TILE_ROWS).min(outputs)
}

/// Some output channels of some images.
struct Task<'a> {
    level: Level,
    problem: &'a Problem,
    packed: &'a [f32],
    /// The images of the task.
    x: &'a [f32],
    /// Input and output channels of an image, of all groups together.
    ins: usize,
    outs: usize,
    /// The first image.
    first: usize,
    /// The output channels, counted over all groups.
    rows: Range<usize>,
    epilogue: Epilogue<'a>,
}

impl Task<'_> {
    /// Writes the outputs; `y` holds the channels of the task for each of its images.
    fn run(&self, y: &mut [&mut [MaybeUninit<f32>]]) {
        let problem = self.problem;
        let outputs = problem.outputs;
        for group in self.rows.start / outputs..self.rows.end.div_ceil(outputs) {
            let start = group * outputs;
            let rows = self.rows.start.max(start) - start..self.rows.end.min(start + outputs) - start;
            let x = &self.x[group * problem.inputs * problem.h * problem.w..];
            for strip in strips(problem, y.len()) {
                scratch::with(panels_len(problem, strip), |patches| {
                    panels(self.level, x, self.ins, problem, strip, patches);
                    self.multiply_strip(group, rows.clone(), strip, patches, y);
                });
            }
        }
    }

    /// Multiplies the filters of some rows of a group by all panels of a strip.
    fn multiply_strip(
        &self,
        group: usize,
        rows: Range<usize>,
        strip: Strip,
        patches: &[f32],
        y: &mut [&mut [MaybeUninit<f32>]],
    ) {
        let (problem, layout, plane) = (self.problem, self.problem.layout, self.problem.layout.plane);
        let (depth, pixels, image_pixels) =
            (problem.depth(), strip.pixels(problem), strip.image_pixels(problem));
        let filters = &self.packed[group * problem.outputs * depth..][..problem.outputs * depth];
        let filters = &filters[rows.start * depth..rows.end * depth];
        let first = group * problem.outputs + rows.start;
        // `y` starts with the first channel of the task.
        let channel = (first - self.rows.start) * plane;
        let start = layout.offset + strip.first * layout.row_stride;
        let epilogue = |image: usize, offset: usize, row: usize| {
            self.epilogue.at(first + row, ((self.first + image) * self.outs + first + row) * plane + offset)
        };
        let mut sums = [0f32; MAX_TILE_ROWS * PANEL];
        // Tile by tile, so that a few channels are written in long runs while their filters stay in the
        // first-level cache.
        for tile in tiles(0..rows.len(), tile_rows(self.level)) {
            let filters = &filters[tile.start * depth..tile.end * depth];
            let channel = channel + tile.start * plane;
            for pixel in (0..pixels).step_by(PANEL) {
                let width = (pixels - pixel).div_ceil(LANES).min(2) * LANES;
                let count = width.min(pixels - pixel);
                let patches = &patches[pixel / PANEL * panel_stride(problem)..][..width * depth];
                if problem.is_dense() {
                    let (image, offset) = (pixel / image_pixels, start + pixel % image_pixels);
                    let rows = y[image][channel + offset..].chunks(plane).take(tile.len());
                    rows.for_each(|row| prefetch::to_write(&row[..width.min(row.len())]));
                    if let Some(residual) = epilogue(image, offset, tile.start).residual {
                        let rows = residual.chunks(plane).take(tile.len());
                        rows.for_each(|row| prefetch::to_read(&row[..width.min(row.len())]));
                    }
                }
                multiply_tile(self.level, filters, patches, depth, tile.len(), width, &mut sums);
                let mut done = 0;
                while done < count {
                    let (image, q) = ((pixel + done) / image_pixels, (pixel + done) % image_pixels);
                    // A run ends with the output row, or with the image if the rows are adjacent.
                    let run = if problem.is_dense() { image_pixels - q } else { problem.ow - q % problem.ow };
                    let run = run.min(count - done);
                    let offset =
                        start + q / problem.ow * layout.row_stride + q % problem.ow * layout.column_stride;
                    let y = &mut y[image][channel + offset..];
                    if layout.column_stride == 1 {
                        let rows = Rows {
                            count: tile.len(),
                            length: run,
                            source_stride: width,
                            target_stride: plane,
                        };
                        epilogue(image, offset, tile.start).write_rows(self.level, rows, &sums[done..], y);
                    } else {
                        for (r, sums) in sums.chunks_exact(width).take(tile.len()).enumerate() {
                            let y = y[r * plane..].iter_mut().step_by(layout.column_stride);
                            y.zip(&sums[done..][..run]).for_each(|(y, sum)| {
                                y.write(*sum);
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
    /// The sums of a tile of `rows` output channels and one panel of `width` pixels, row-major.
    fn multiply_tile<V>(
        filters: &[f32],
        patches: &[f32],
        depth: usize,
        rows: usize,
        width: usize,
        sums: &mut [f32],
    ) {
        let layout = Broadcast { row: 1, step: rows, steps: depth, block: 0, blocks: 1 };
        if width == PANEL {
            multiply_panel::<V, 2>(rows, filters, layout, patches, sums, width, false);
        } else {
            multiply_panel::<V, 1>(rows, filters, layout, patches, sums, width, false);
        }
    }
}
