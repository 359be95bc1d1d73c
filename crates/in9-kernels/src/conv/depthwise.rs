//! One filter for every channel.
//!
//! The padded plane is split by the phase of the stride: plane (py, px) holds the pixels at rows
//! `py, py + sy, …` and columns `px, px + sx, …`. Every tap of the filter is then one contiguous,
//! shifted plane, whatever the stride.

use super::geometry::Geometry;
use crate::{
    Activation, scratch,
    simd::{Level, lanes},
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

    fn taps(&self, g: &Geometry, filter: &[f32]) -> Vec<(usize, f32)> {
        let offset = |ky: usize, kx: usize| {
            let (y, x) = (ky * g.dy, kx * g.dx);
            ((y % g.sy) * g.sx + x % g.sx) * self.plane + (y / g.sy) * self.row + x / g.sx
        };
        let taps = filter.iter().enumerate();
        taps.map(|(k, &w)| (offset(k / g.kw, k % g.kw), w)).collect()
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
    y.par_chunks_mut(g.plane_out())
        .zip(x.par_chunks(g.plane_in()))
        .enumerate()
        .with_min_len(PLANES)
        .for_each(|(i, (y, x))| {
            let c = i % g.ci;
            scratch::with(phases.len(g), |split| {
                phases.split(g, x, split);
                let taps = phases.taps(g, &w[c * g.taps()..][..g.taps()]);
                scratch::with(phases.reach, |out| {
                    lanes::sum_of_taps(level, out, split, &taps);
                    for (y, out) in y.chunks_exact_mut(g.ow).zip(out.chunks(phases.row)) {
                        y.copy_from_slice(&out[..g.ow]);
                    }
                });
            });
            activation.add_and_apply(y, bias.map_or(0.0, |b| b[c]));
        });
}

pub(super) fn backward_data(dy: &[f32], w: &[f32], g: &Geometry, dx: &mut [f32]) {
    let (phases, level) = (Phases::new(g), Level::current());
    dx.par_chunks_mut(g.plane_in())
        .zip(dy.par_chunks(g.plane_out()))
        .enumerate()
        .with_min_len(PLANES)
        .for_each(|(i, (dx, dy))| {
            let c = i % g.ci;
            scratch::with(phases.reach, |spread| {
                phases.spread(g, dy, spread);
                scratch::with(phases.len(g), |split| {
                    split.fill(0.0);
                    for (offset, weight) in phases.taps(g, &w[c * g.taps()..][..g.taps()]) {
                        let target = &mut split[offset..offset + phases.reach];
                        lanes::add_scaled(level, target, weight, spread);
                    }
                    phases.join(g, split, dx);
                });
            });
        });
}

pub(super) fn backward_weight(x: &[f32], dy: &[f32], g: &Geometry, dw: &mut [f32]) {
    let (phases, level) = (Phases::new(g), Level::current());
    dw.par_chunks_mut(g.taps()).enumerate().with_min_len(4).for_each(|(c, dw)| {
        let taps = phases.taps(g, dw);
        scratch::with(phases.len(g), |split| {
            scratch::with(phases.reach, |spread| {
                for image in 0..g.n {
                    let i = image * g.ci + c;
                    phases.split(g, &x[i * g.plane_in()..][..g.plane_in()], split);
                    phases.spread(g, &dy[i * g.plane_out()..][..g.plane_out()], spread);
                    for (dw, &(offset, _)) in dw.iter_mut().zip(&taps) {
                        let shifted = &split[offset..offset + phases.reach];
                        *dw += lanes::dot(level, spread, shifted);
                    }
                }
            });
        });
    });
}
