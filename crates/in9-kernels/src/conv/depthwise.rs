//! One filter for every channel.
//!
//! The padded plane is split by the phase of the stride: plane (py, px) holds the pixels at rows
//! `py, py + sy, …` and columns `px, px + sx, …`. Every tap of the filter is then one contiguous,
//! shifted plane, whatever the stride.

use super::geometry::Geometry;
use crate::{
    Activation, scratch,
    simd::{Level, lanes, vector::LANES},
};
use rayon::prelude::*;

/// Planes that one task works through.
const PLANES: usize = 16;

struct Phases {
    /// Numbers in a row of a phase plane.
    row: usize,
    /// Numbers in a phase plane.
    plane: usize,
    /// From the first to one past the last output pixel, at `row` numbers a row.
    reach: usize,
}

impl Phases {
    fn new(g: &Geometry) -> Self {
        let rows = (g.oh + (g.kh - 1) * g.dy / g.sy).max((g.h + g.top).div_ceil(g.sy));
        let row = (g.ow + (g.kw - 1) * g.dx / g.sx).max((g.w + g.left).div_ceil(g.sx));
        Self { row, plane: rows * row, reach: (g.oh - 1) * row + g.ow }
    }

    fn len(&self, g: &Geometry) -> usize {
        g.sy * g.sx * self.plane
    }

    /// Where the phase planes keep pixel column 0, 1, … of a row: calls `f` with the range of the
    /// phase row, the first column and the step.
    fn each_row(&self, g: &Geometry, mut f: impl FnMut(usize, std::ops::Range<usize>, usize)) {
        for y in 0..g.h {
            let (phase_y, row) = ((y + g.top) % g.sy, (y + g.top) / g.sy);
            for phase_x in 0..g.sx {
                let first = (phase_x + g.sx - g.left % g.sx) % g.sx;
                if first >= g.w {
                    continue;
                }
                let count = (g.w - first).div_ceil(g.sx);
                let start =
                    (phase_y * g.sx + phase_x) * self.plane + row * self.row + (first + g.left) / g.sx;
                f(y * g.w + first, start..start + count, (y + 1) * g.w);
            }
        }
    }

    fn split(&self, g: &Geometry, x: &[f32], phases: &mut [f32]) {
        phases.fill(0.0);
        self.each_row(g, |first, range, end| {
            let out = &mut phases[range];
            if g.sx == 1 {
                out.copy_from_slice(&x[first..end]);
            } else {
                for (out, x) in out.iter_mut().zip(x[first..end].iter().step_by(g.sx)) {
                    *out = *x;
                }
            }
        });
    }

    fn join(&self, g: &Geometry, phases: &[f32], x: &mut [f32]) {
        self.each_row(g, |first, range, end| {
            let phases = &phases[range];
            if g.sx == 1 {
                x[first..end].copy_from_slice(phases);
            } else {
                for (x, p) in x[first..end].iter_mut().step_by(g.sx).zip(phases) {
                    *x = *p;
                }
            }
        });
    }

    /// For each tap its phase and how far its plane is shifted.
    fn taps(&self, g: &Geometry) -> Vec<(usize, usize)> {
        let tap = |k: usize| {
            let (y, x) = (k / g.kw * g.dy, k % g.kw * g.dx);
            let phase = (y % g.sy) * g.sx + x % g.sx;
            (phase, (y / g.sy) * self.row + x / g.sx)
        };
        (0..g.taps()).map(tap).collect()
    }

    /// For each tap where its plane starts among the phases.
    fn offsets(&self, g: &Geometry) -> Vec<usize> {
        let start = |(phase, shift)| phase * self.plane + shift;
        self.taps(g).into_iter().map(start).collect()
    }

    /// Output rows at the distance of phase rows, zeros between them.
    fn spread(&self, g: &Geometry, dy: &[f32], out: &mut [f32]) {
        out.fill(0.0);
        for (row, dy) in out.chunks_mut(self.row).zip(dy.chunks_exact(g.ow)) {
            row[..g.ow].copy_from_slice(dy);
        }
    }
}

pub(super) fn forward(
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    g: &Geometry,
    activation: Activation,
    y: &mut [f32],
) {
    let (phases, level) = (Phases::new(g), Level::current());
    let offsets = phases.offsets(g);
    y.par_chunks_mut(g.plane_out())
        .zip(x.par_chunks(g.plane_in()))
        .enumerate()
        .with_min_len(PLANES)
        .for_each(|(i, (y, x))| {
            let c = i % g.ci;
            let filter = &w[c * g.taps()..][..g.taps()];
            scratch::with(phases.len(g), |split| {
                phases.split(g, x, split);
                scratch::with(phases.reach, |out| {
                    lanes::sum_of_taps(level, out, split, &offsets, filter);
                    for (y, out) in y.chunks_exact_mut(g.ow).zip(out.chunks(phases.row)) {
                        y.copy_from_slice(&out[..g.ow]);
                    }
                });
            });
            activation.add_and_apply(y, bias.map_or(0.0, |b| b[c]));
        });
}

/// The taps of one phase, as seen from the gradient: behind `margin` zeros, the gradient of the
/// phase's pixel `i` is the sum of `weight * dy[offset + i]`.
struct PhaseTaps {
    taps: Vec<usize>,
    offsets: Vec<usize>,
}

pub(super) fn backward_data(dy: &[f32], w: &[f32], g: &Geometry, dx: &mut [f32]) {
    let (phases, level) = (Phases::new(g), Level::current());
    let taps = phases.taps(g);
    let margin = taps.iter().map(|&(_, shift)| shift).max().unwrap_or(0);
    let of_phase: Vec<PhaseTaps> = (0..g.sy * g.sx)
        .map(|phase| {
            let taps = taps.iter().enumerate().filter(|(_, tap)| tap.0 == phase);
            let (taps, offsets) = taps.map(|(k, tap)| (k, margin - tap.1)).unzip();
            PhaseTaps { taps, offsets }
        })
        .collect();
    dx.par_chunks_mut(g.plane_in())
        .zip(dy.par_chunks(g.plane_out()))
        .enumerate()
        .with_min_len(PLANES)
        .for_each(|(i, (dx, dy))| {
            let filter = &w[i % g.ci * g.taps()..][..g.taps()];
            scratch::with(margin + phases.plane.max(phases.reach), |spread| {
                let (zeros, rows) = spread.split_at_mut(margin);
                zeros.fill(0.0);
                phases.spread(g, dy, rows);
                scratch::with(phases.len(g), |split| {
                    scratch::with(g.taps(), |weights| {
                        for (phase, split) in of_phase.iter().zip(split.chunks_exact_mut(phases.plane)) {
                            for (weight, &tap) in weights.iter_mut().zip(&phase.taps) {
                                *weight = filter[tap];
                            }
                            let weights = &weights[..phase.taps.len()];
                            lanes::sum_of_taps(level, split, spread, &phase.offsets, weights);
                        }
                    });
                    phases.join(g, split, dx);
                });
            });
        });
}

pub(super) fn backward_weight(x: &[f32], dy: &[f32], g: &Geometry, dw: &mut [f32]) {
    let (phases, level) = (Phases::new(g), Level::current());
    let offsets = phases.offsets(g);
    dw.par_chunks_mut(g.taps()).enumerate().with_min_len(4).for_each(|(c, dw)| {
        let mut sums = vec![[0f32; LANES]; g.taps()];
        scratch::with(phases.len(g), |split| {
            scratch::with(phases.reach, |spread| {
                for image in 0..g.n {
                    let i = image * g.ci + c;
                    phases.split(g, &x[i * g.plane_in()..][..g.plane_in()], split);
                    phases.spread(g, &dy[i * g.plane_out()..][..g.plane_out()], spread);
                    for (sums, &offset) in sums.iter_mut().zip(&offsets) {
                        let shifted = &split[offset..offset + phases.reach];
                        lanes::add_products(level, sums, spread, shifted);
                    }
                }
            });
        });
        for (dw, sums) in dw.iter_mut().zip(sums) {
            *dw = lanes::total(sums);
        }
    });
}
