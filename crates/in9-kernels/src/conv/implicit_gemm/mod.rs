//! Convolution as an implicit matrix product ("implicit GEMM"): filters times im2col matrix, without ever
//! storing that matrix as a whole.
//!
//! The im2col matrix has a column for every output pixel and a row for every pair of input channel and
//! kernel tap; its column is the patch of the image that the output depends on. Filters are packed once a
//! call, the im2col matrix panel by panel straight from the image, and the product of the two is computed by
//! [`crate::simd::microkernel`]. Every output is one sum in the order (channel, tap), however the outputs
//! are distributed over tasks. Results thus depend neither on the number of threads nor on the other images
//! of the batch.

mod backward_weight;
mod forward;
mod im2col;
mod input_rows;
mod packing;

use super::geometry::Geometry;
use crate::simd::vector::LANES;
pub(super) use backward_weight::backward_weight;
pub(super) use forward::{forward, forward_packed, packed};

/// Columns (output pixels, or channels) of a panel: two vectors.
const PANEL: usize = 2 * LANES;
/// Target for the elements of the im2col matrix of one strip, so that it stays in a cache (512 kB).
const STRIP_ELEMENTS: usize = 128 << 10;
/// Least and most output pixels of a strip, whatever [`STRIP_ELEMENTS`] says.
const STRIP_PIXELS: [usize; 2] = [320, 640];

/// One tap of a filter: its index in the filter, and the position of the input pixel that it is multiplied
/// by, relative to `stride * output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tap {
    pub(crate) index: usize,
    pub(crate) y: isize,
    pub(crate) x: isize,
}

/// Where the outputs lie in their plane, in elements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutputLayout {
    /// Elements of the plane.
    plane: usize,
    /// Position of the first output.
    pub(crate) offset: usize,
    pub(crate) row_stride: usize,
    pub(crate) column_stride: usize,
}

/// One implicit matrix product: a convolution, or one phase of the stride in the gradient with respect to
/// its image.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    groups: usize,
    /// Input and output channels of a group.
    inputs: usize,
    outputs: usize,
    /// Height and width of the input.
    h: usize,
    w: usize,
    /// Height and width of the grid of outputs.
    oh: usize,
    ow: usize,
    /// Input pixels from one output to the next.
    sy: usize,
    sx: usize,
    taps: Vec<Tap>,
    layout: OutputLayout,
    /// Elements of the filter tensor from one group, output and input to the next.
    filter_strides: [usize; 3],
}

impl Problem {
    /// The convolution itself.
    pub(super) fn forward(g: &Geometry) -> Self {
        let tap = |index: usize| Tap {
            index,
            y: (index / g.kw * g.dy) as isize - g.top as isize,
            x: (index % g.kw * g.dx) as isize - g.left as isize,
        };
        Self {
            groups: g.groups,
            inputs: g.cig(),
            outputs: g.cog(),
            h: g.h,
            w: g.w,
            oh: g.oh,
            ow: g.ow,
            sy: g.sy,
            sx: g.sx,
            taps: (0..g.taps()).map(tap).collect(),
            layout: OutputLayout { plane: g.plane_out(), offset: 0, row_stride: g.ow, column_stride: 1 },
            filter_strides: [g.cog() * g.cig() * g.taps(), g.cig() * g.taps(), g.taps()],
        }
    }

    /// The gradient with respect to the image, one problem for each phase of the stride: all pixels of a
    /// phase meet the same taps.
    pub(crate) fn backward_data(g: &Geometry) -> Vec<Self> {
        let phases = (0..g.sy).flat_map(|py| (0..g.sx).map(move |px| (py, px)));
        phases.filter_map(|(py, px)| Self::backward_data_phase(g, py, px)).collect()
    }

    /// The phase `(py, px)`: the pixels whose padded row is `py` and whose padded column is `px` modulo the
    /// stride. None if it has no pixels or no taps.
    fn backward_data_phase(g: &Geometry, py: usize, px: usize) -> Option<Self> {
        // The first such row of the image, its padded row in units of the stride, and their number.
        let axis = |size: usize, before: usize, stride: usize, phase: usize| {
            let first = (phase + stride - before % stride) % stride;
            let count = size.saturating_sub(first).div_ceil(stride);
            (first, (first + before) / stride, count)
        };
        let (y, start_y, oh) = axis(g.h, g.top, g.sy, py);
        let (x, start_x, ow) = axis(g.w, g.left, g.sx, px);
        let taps: Vec<Tap> = (0..g.taps())
            .map(|index| (index, index / g.kw * g.dy, index % g.kw * g.dx))
            .filter(|(_, ty, tx)| ty % g.sy == py && tx % g.sx == px)
            .map(|(index, ty, tx)| Tap {
                index,
                y: start_y as isize - (ty / g.sy) as isize,
                x: start_x as isize - (tx / g.sx) as isize,
            })
            .collect();
        if taps.is_empty() || oh == 0 || ow == 0 {
            return None;
        }
        Some(Self {
            groups: g.groups,
            inputs: g.cog(),
            outputs: g.cig(),
            h: g.oh,
            w: g.ow,
            oh,
            ow,
            sy: 1,
            sx: 1,
            taps,
            layout: OutputLayout {
                plane: g.plane_in(),
                offset: y * g.w + x,
                row_stride: g.sy * g.w,
                column_stride: g.sx,
            },
            filter_strides: [g.cog() * g.cig() * g.taps(), g.taps(), g.cig() * g.taps()],
        })
    }

    pub(crate) fn taps(&self) -> &[Tap] {
        &self.taps
    }

    /// Height and width of the grid of outputs.
    pub(crate) fn grid(&self) -> [usize; 2] {
        [self.oh, self.ow]
    }

    pub(crate) fn layout(&self) -> OutputLayout {
        self.layout
    }

    /// Depth of the matrix product: the number of products that are summed for an output.
    fn depth(&self) -> usize {
        self.inputs * self.taps.len()
    }

    /// Whether the im2col matrix is the image itself: one tap, no stride, no padding.
    fn is_pointwise(&self) -> bool {
        let alone = self.taps.len() == 1 && self.taps.iter().all(|t| (t.y, t.x) == (0, 0));
        alone && (self.sy, self.sx) == (1, 1) && (self.h, self.w) == (self.oh, self.ow)
    }

    /// Whether consecutive outputs are adjacent in memory.
    fn is_dense(&self) -> bool {
        self.layout.column_stride == 1 && self.layout.row_stride == self.ow
    }

    /// Whether the outputs are all elements of planes of `plane` elements.
    fn fills(&self, plane: usize) -> bool {
        let all = self.oh * self.ow == plane && self.groups * self.outputs > 0;
        all && self.is_dense() && self.layout.plane == plane && self.layout.offset == 0
    }

    /// Images and output rows of a strip. A strip of several images has all of their rows.
    fn strip_size(&self) -> [usize; 2] {
        let [min, max] = STRIP_PIXELS;
        let pixels = (STRIP_ELEMENTS / self.depth().max(1)).clamp(min, max);
        if self.oh * self.ow > pixels {
            [1, best_count(self.ow, pixels).min(self.oh)]
        } else {
            [best_count(self.oh * self.ow, pixels), self.oh]
        }
    }
}

/// Some output rows of some images, computed together.
#[derive(Clone, Copy, Debug)]
struct Strip {
    images: usize,
    /// The first output row.
    first: usize,
    rows: usize,
}

impl Strip {
    /// Output pixels of one image.
    fn image_pixels(&self, problem: &Problem) -> usize {
        self.rows * problem.ow
    }

    /// Output pixels of all images.
    fn pixels(&self, problem: &Problem) -> usize {
        self.images * self.image_pixels(problem)
    }
}

/// The strips of `images` images, from top to bottom.
fn strips(problem: &Problem, images: usize) -> impl Iterator<Item = Strip> {
    let ([_, rows], oh) = (problem.strip_size(), problem.oh);
    (0..oh).step_by(rows).map(move |first| Strip { images, first, rows: rows.min(oh - first) })
}

/// How many units (rows or images) of `unit` pixels make the best strip of up to `max` pixels: one that is
/// long and leaves few lanes of its last vector idle.
fn best_count(unit: usize, max: usize) -> usize {
    let cost = |count: usize| {
        let pixels = count * unit;
        (pixels.div_ceil(LANES) * LANES + LANES) as f64 / pixels as f64
    };
    let counts = 1..=(max / unit).max(1);
    counts.min_by(|&a, &b| cost(a).total_cmp(&cost(b))).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Conv2dConfig;

    #[test]
    fn strips_fill_their_vectors() {
        assert_eq!(best_count(56, 448), 8);
        assert_eq!(best_count(49, 640), 13);
        assert_eq!(best_count(1000, 448), 1);
    }

    #[test]
    fn every_tap_and_pixel_belongs_to_one_phase() {
        for (stride, pad, k, side) in [(1, 1, 3, 8), (2, 1, 3, 9), (2, 3, 7, 12), (3, 0, 2, 7), (2, 0, 1, 5)]
        {
            let config = Conv2dConfig::new(stride, pad);
            let g = Geometry::new(&[1, 2, side, side], &[4, 2, k, k], &config).unwrap();
            let problems = Problem::backward_data(&g);
            let mut taps: Vec<usize> = problems.iter().flat_map(|p| p.taps.iter().map(|t| t.index)).collect();
            taps.sort_unstable();
            assert_eq!(taps, (0..k * k).collect::<Vec<_>>());
            let pixels: usize = problems.iter().map(|p| p.oh * p.ow).sum();
            assert!(pixels <= side * side && (k < stride || pixels == side * side));
        }
    }
}
