//! Convolution as a matrix product whose window matrix is never written down as a whole.
//!
//! Weights are packed once a call, windows panel by panel straight from the image, and both meet in
//! the register tile of [`crate::simd::kernel`]. Every output is one chain of additions in the order
//! (channel, tap), however outputs are cut into tasks: results depend neither on the cut, nor on the
//! number of threads, nor on the other images of the batch.

mod backward_weight;
mod forward;
mod weights;
mod windows;

use super::geometry::Geometry;
use crate::simd::vector::LANES;
pub(super) use backward_weight::backward_weight;
pub(super) use forward::{forward, forward_packed, packed};

/// Columns of a panel: two vectors.
const PANEL: usize = 2 * LANES;
/// Numbers that one strip's windows may fill, so that they stay in a cache (512 kB).
const HELD: usize = 128 << 10;
/// Pixels of a strip: never fewer than the first unless there are none, never more than the second.
const PIXELS: [usize; 2] = [320, 640];

/// One weight of a filter: its place in the filter and the input pixel it meets, relative to
/// `stride * output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tap {
    index: usize,
    y: isize,
    x: isize,
}

/// Where outputs lie in their plane: the first, and the distances of rows and columns.
#[derive(Clone, Copy, Debug)]
struct Place {
    plane: usize,
    first: usize,
    row: usize,
    column: usize,
}

/// Sums over taps of input planes: what a convolution is, and, for each phase of the stride, its
/// gradient with respect to the image.
#[derive(Clone, Debug)]
pub(super) struct Sum {
    groups: usize,
    /// Input and output channels of a group.
    inputs: usize,
    outputs: usize,
    /// Input plane.
    h: usize,
    w: usize,
    /// Grid of outputs.
    oh: usize,
    ow: usize,
    /// Input pixels between outputs.
    sy: usize,
    sx: usize,
    taps: Vec<Tap>,
    place: Place,
    /// Distances in the filters of groups, outputs and inputs.
    weights: [usize; 3],
}

impl Sum {
    /// The convolution itself.
    pub(super) fn of(g: &Geometry) -> Self {
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
            place: Place { plane: g.plane_out(), first: 0, row: g.ow, column: 1 },
            weights: [g.cog() * g.cig() * g.taps(), g.cig() * g.taps(), g.taps()],
        }
    }

    /// The gradient with respect to the image: pixels of one phase of the stride have the same taps.
    pub(super) fn gradients(g: &Geometry) -> Vec<Self> {
        let phases = (0..g.sy).flat_map(|py| (0..g.sx).map(move |px| (py, px)));
        phases.filter_map(|(py, px)| Self::gradient(g, py, px)).collect()
    }

    /// The pixels whose padded row and column leave the rests `py` and `px` by the stride.
    fn gradient(g: &Geometry, py: usize, px: usize) -> Option<Self> {
        // The first such row of the image, and its padded row in units of the stride.
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
            place: Place { plane: g.plane_in(), first: y * g.w + x, row: g.sy * g.w, column: g.sx },
            weights: [g.cog() * g.cig() * g.taps(), g.taps(), g.cig() * g.taps()],
        })
    }

    /// Terms of a sum.
    fn terms(&self) -> usize {
        self.inputs * self.taps.len()
    }

    /// Whether an input plane, read in order, is its own window matrix.
    fn is_plane(&self) -> bool {
        let alone = self.taps.len() == 1 && self.taps.iter().all(|t| (t.y, t.x) == (0, 0));
        alone && (self.sy, self.sx) == (1, 1) && (self.h, self.w) == (self.oh, self.ow)
    }

    /// Whether consecutive outputs lie side by side.
    fn is_dense(&self) -> bool {
        self.place.column == 1 && self.place.row == self.ow
    }

    /// Whether every place of planes of `plane` numbers is an output.
    fn fills(&self, plane: usize) -> bool {
        let all = self.oh * self.ow == plane && self.groups * self.outputs > 0;
        all && self.is_dense() && self.place.plane == plane && self.place.first == 0
    }

    /// Images and output rows that are worked on at once: several images only as a whole.
    fn cut(&self) -> [usize; 2] {
        let [least, most] = PIXELS;
        let pixels = (HELD / self.terms().max(1)).clamp(least, most);
        if self.oh * self.ow > pixels {
            [1, count(self.ow, pixels).min(self.oh)]
        } else {
            [count(self.oh * self.ow, pixels), self.oh]
        }
    }
}

/// How many units of `unit` pixels make the best strip of up to `most`: few lanes of the last vector
/// idle, and not too short.
fn count(unit: usize, most: usize) -> usize {
    let cost = |count: usize| {
        let pixels = count * unit;
        (pixels.div_ceil(LANES) * LANES + LANES) as f64 / pixels as f64
    };
    let counts = 1..=(most / unit).max(1);
    counts.min_by(|&a, &b| cost(a).total_cmp(&cost(b))).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Conv2dConfig;

    #[test]
    fn strips_fill_their_vectors() {
        assert_eq!(count(56, 448), 8);
        assert_eq!(count(49, 640), 13);
        assert_eq!(count(1000, 448), 1);
    }

    #[test]
    fn phases_share_out_all_taps_and_pixels() {
        for (stride, pad, k, side) in [(1, 1, 3, 8), (2, 1, 3, 9), (2, 3, 7, 12), (3, 0, 2, 7), (2, 0, 1, 5)]
        {
            let config = Conv2dConfig::new(stride, pad);
            let g = Geometry::new(&[1, 2, side, side], &[4, 2, k, k], &config).unwrap();
            let sums = Sum::gradients(&g);
            let mut taps: Vec<usize> = sums.iter().flat_map(|s| s.taps.iter().map(|t| t.index)).collect();
            taps.sort_unstable();
            assert_eq!(taps, (0..k * k).collect::<Vec<_>>());
            let pixels: usize = sums.iter().map(|s| s.oh * s.ow).sum();
            assert!(pixels <= side * side && (k < stride || pixels == side * side));
        }
    }
}
