//! Direct convolution in blocks: the product on the image as it lies, or on padded strips of it.

use super::{
    lanes::BLOCK,
    padded::{self, Size},
    product::{Finish, Inputs, Output, PANEL, Run, Target, multiply},
};
use crate::{conv::geometry::Geometry, scratch, simd::Level};
use std::ops::Range;

/// Target for the inputs of a strip, in elements, so that they stay in a cache (256 kB).
const STRIP_ELEMENTS: usize = 64 << 10;
/// Least and most output pixels of a strip, whatever [`STRIP_ELEMENTS`] says.
const STRIP_PIXELS: [usize; 2] = [96, 1024];

/// Some output rows of some images, and some of their channels; in a layer with groups all channels. Rows of a 1×1
/// convolution on an unpadded image are pixels.
#[derive(Debug)]
pub(super) struct Task {
    images: Range<usize>,
    rows: Range<usize>,
    outputs: Range<usize>,
}

/// A convolution whose filters are packed.
pub(super) struct Layer<'a> {
    pub(super) level: Level,
    pub(super) x: &'a [f32],
    pub(super) packed: &'a [f32],
    /// Its channels are whole blocks, but those of an image in planes.
    pub(super) g: &'a Geometry,
    pub(super) finish: Finish<'a>,
    pub(super) out: Output,
    /// Whether the image is in planes.
    pub(super) planes: bool,
}

impl Layer<'_> {
    /// Whether outputs are pixel by pixel those inputs: then a plane is one long row.
    fn is_pointwise(&self) -> bool {
        let g = self.g;
        !self.planes && [g.kh, g.kw, g.sy, g.sx] == [1; 4] && self.is_unpadded()
    }

    fn is_unpadded(&self) -> bool {
        [self.g.top, self.g.bottom, self.g.left, self.g.right] == [0; 4]
    }

    /// Rows of a plane of outputs, and pixels of a row.
    fn rows(&self) -> [usize; 2] {
        if self.is_pointwise() { [self.g.plane_out(), 1] } else { [self.g.oh, self.g.ow] }
    }

    /// Tasks that together have all outputs, each once.
    pub(super) fn tasks(&self) -> Vec<Task> {
        let g = self.g;
        let [least, most] = STRIP_PIXELS;
        let pixels = (STRIP_ELEMENTS / (g.ci * g.sy * g.sx).max(1)).clamp(least, most);
        let [rows, width] = self.rows();
        let wanted = 2 * rayon::current_num_threads();
        // Either several images or a part of one.
        let images = (pixels / (rows * width)).clamp(1, g.n.div_ceil(wanted).max(1));
        let strips = (rows * width).div_ceil(pixels).min(rows);
        let groups = g.n.div_ceil(images);
        let parts = if g.groups > 1 { 1 } else { wanted.div_ceil(groups * strips).min(g.co.div_ceil(PANEL)) };
        let cut = |count: usize, parts: usize, part: usize| count * part / parts..count * (part + 1) / parts;
        let mut tasks = Vec::with_capacity(groups * strips * parts);
        for group in 0..groups {
            for strip in 0..strips {
                for part in 0..parts {
                    let panels = cut(g.co.div_ceil(PANEL), parts, part);
                    tasks.push(Task {
                        images: cut(g.n, groups, group),
                        rows: cut(rows, strips, strip),
                        outputs: panels.start * PANEL..(panels.end * PANEL).min(g.co),
                    });
                }
            }
        }
        tasks
    }

    pub(super) fn run(&self, task: &Task) {
        let g = self.g;
        let image = g.ci * g.plane_in();
        if !self.planes && self.is_unpadded() {
            let size = Size { rows: g.h, columns: g.w };
            let start = task.images.start * image;
            let x = &self.x[start..task.images.end * image];
            return self.multiply(task, x, size, image, task.rows.start);
        }
        let size = Size::of(g, task.rows.len());
        let padded = g.ci * size.rows * size.columns;
        scratch::with(padded * task.images.len(), |to| {
            for (i, to) in task.images.clone().zip(to.chunks_exact_mut(padded)) {
                let x = &self.x[i * image..][..image];
                if self.planes {
                    padded::planes(x, g, task.rows.start, size, to);
                } else {
                    padded::blocks(x, g, task.rows.start, size, to);
                }
            }
            self.multiply(task, to, size, padded, 0);
        });
    }

    /// Multiplies the inputs in `x`, `image` elements for each image of the task and of this size; its first output
    /// row is `first` in them.
    fn multiply(&self, task: &Task, x: &[f32], size: Size, image: usize, first: usize) {
        let g = self.g;
        let taps =
            |columns: usize| (0..g.kh).flat_map(move |ky| (0..columns).map(move |kx| (ky * g.dy, kx * g.dx)));
        let channels = if self.planes { g.ci } else { BLOCK };
        let at = |(row, column): (usize, usize)| (row * size.columns + column) * channels;
        let (groups, depth): (Vec<usize>, usize) = if self.planes {
            (taps(1).map(at).collect(), g.kw * g.ci)
        } else {
            let plane = size.rows * size.columns * BLOCK;
            let blocks = 0..g.cig() / BLOCK;
            (blocks.flat_map(|block| taps(g.kw).map(move |tap| block * plane + at(tap))).collect(), BLOCK)
        };
        let [_, width] = self.rows();
        let out_image = g.co * g.plane_out();
        let block = g.plane_out() * BLOCK;
        for group in 0..g.groups {
            let first_input = group * (g.cig() / BLOCK) * size.rows * size.columns * BLOCK;
            let first_output = group * (g.cog() / BLOCK) * block;
            let mut runs = Vec::new();
            for (i, n) in task.images.clone().enumerate() {
                let (x, y) = (i * image + first_input, n * out_image + first_output);
                if self.is_pointwise() {
                    let start = task.rows.start * BLOCK;
                    runs.push(Run { x: x + first * BLOCK, y: y + start, pixels: task.rows.len() });
                    continue;
                }
                for (row, out_row) in task.rows.clone().enumerate() {
                    let x = x + at(((first + row) * g.sy, 0));
                    runs.push(Run { x, y: y + out_row * width * BLOCK, pixels: width });
                }
            }
            let inputs = Inputs { groups: &groups, depth, pixel: g.sx * channels };
            let target = Target::dense(self.out, block);
            let matrix = g.cog() * inputs.count();
            let packed = &self.packed[group * matrix..][..matrix];
            let bias = self.finish.bias.map(|bias| &bias[group * g.cog()..]);
            let outputs = if g.groups > 1 { 0..g.cog() } else { task.outputs.clone() };
            // SAFETY: no two tasks have the same images, rows and channels, nor two groups the same channels.
            unsafe {
                multiply(
                    self.level,
                    x,
                    inputs,
                    packed,
                    outputs,
                    &runs,
                    target,
                    Finish { bias, ..self.finish },
                );
            }
        }
    }
}
