//! Depthwise convolution with any kernel, one plane after another, and its gradients.
//!
//! The padded plane is decomposed into phases of the stride (as in a polyphase filter): phase `(py, px)`
//! holds the pixels at rows `py, py + sy, …` and columns `px, px + sx, …`. The pixels that one tap meets
//! are then contiguous for any stride.

use crate::{
    Activation,
    conv::geometry::Geometry,
    output, scratch,
    simd::{
        Level, Vector, loops,
        vector::{LANES, copy, for_each_vector},
    },
};
use rayon::prelude::*;

/// About how many elements one parallel task handles.
const TASK: usize = 8192;

/// Planes of one parallel task.
fn planes_per_task(plane: usize) -> usize {
    (TASK / plane).max(4)
}

/// Where the phases of a padded plane lie in a buffer.
struct Phases {
    /// Elements of a row of a phase.
    row: usize,
    /// Elements of a phase.
    plane: usize,
    /// Elements of an output plane whose rows are as long as those of a phase.
    output: usize,
}

impl Phases {
    fn new(g: &Geometry) -> Self {
        let rows = (g.oh + (g.kh - 1) * g.dy / g.sy).max((g.h + g.top).div_ceil(g.sy));
        let row = (g.ow + (g.kw - 1) * g.dx / g.sx).max((g.w + g.left).div_ceil(g.sx));
        // Whole vectors: on small planes, handling the remaining elements one by one would take longest.
        let whole = |elements: usize| elements.next_multiple_of(LANES);
        Self { row, plane: whole(rows * row), output: whole((g.oh - 1) * row + g.ow) }
    }

    /// Elements of all phases, and those that the last vector reads behind them.
    fn len(&self, g: &Geometry) -> usize {
        g.sy * g.sx * self.plane + LANES
    }

    /// Where the pixels of each row of the plane lie in the phases.
    fn rows(&self, g: &Geometry) -> Vec<Row> {
        let mut rows = Vec::with_capacity(g.h * g.sx);
        for y in 0..g.h {
            let (phase_y, row) = ((y + g.top) % g.sy, (y + g.top) / g.sy);
            for phase_x in 0..g.sx {
                let first = (phase_x + g.sx - g.left % g.sx) % g.sx;
                if first < g.w {
                    rows.push(Row {
                        pixel: y * g.w + first,
                        end: (y + 1) * g.w,
                        start: (phase_y * g.sx + phase_x) * self.plane
                            + row * self.row
                            + (first + g.left) / g.sx,
                        count: (g.w - first).div_ceil(g.sx),
                    });
                }
            }
        }
        rows
    }

    /// For each tap the phase of its pixels, and their offset in that phase.
    fn taps(&self, g: &Geometry) -> Vec<(usize, usize)> {
        let tap = |k: usize| {
            let (y, x) = (k / g.kw * g.dy, k % g.kw * g.dx);
            let phase = (y % g.sy) * g.sx + x % g.sx;
            (phase, (y / g.sy) * self.row + x / g.sx)
        };
        (0..g.taps()).map(tap).collect()
    }

    /// For each tap the offset of its pixels in the buffer of all phases.
    fn offsets(&self, g: &Geometry) -> Vec<usize> {
        let start = |(phase, offset)| phase * self.plane + offset;
        self.taps(g).into_iter().map(start).collect()
    }
}

/// The pixels of one row of a plane that belong to the same phase: every `sx`-th from `pixel` to before
/// `end`. In the buffer of all phases they are the `count` elements from `start` on.
#[derive(Clone, Copy)]
struct Row {
    pixel: usize,
    end: usize,
    start: usize,
    count: usize,
}

for_each_vector! {
    /// Decomposes a plane into its phases. The zeros of the padding must be there already.
    fn split_plane<V>(rows: &[Row], step: usize, x: &[f32], phases: &mut [f32]) {
        for row in rows {
            let (x, to) = (&x[row.pixel..row.end], &mut phases[row.start..row.start + row.count]);
            match step {
                1 => copy::<V>(x, to),
                2 if !to.is_empty() => {
                    let x = &x[..2 * to.len() - 1];
                    for (i, to) in to.iter_mut().enumerate() {
                        *to = x[2 * i];
                    }
                }
                _ => x.iter().step_by(step).zip(to).for_each(|(x, to)| *to = *x),
            }
        }
    }
}

for_each_vector! {
    /// The reverse of [`split_plane`].
    fn join_plane<V>(rows: &[Row], step: usize, phases: &[f32], x: &mut [f32]) {
        for row in rows {
            let (from, x) = (&phases[row.start..row.start + row.count], &mut x[row.pixel..row.end]);
            match step {
                1 => copy::<V>(from, x),
                _ => x.iter_mut().step_by(step).zip(from).for_each(|(x, from)| *x = *from),
            }
        }
    }
}

for_each_vector! {
    /// Copies rows of `width` elements between matrices of different strides.
    fn copy_rows<V>(from: &[f32], from_stride: usize, to: &mut [f32], to_stride: usize, width: usize) {
        for (from, to) in from.chunks(from_stride).zip(to.chunks_mut(to_stride)) {
            copy::<V>(&from[..width], &mut to[..width]);
        }
    }
}

/// See [`super::forward`].
pub(super) fn forward(
    level: Level,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    g: &Geometry,
    activation: Activation,
) -> Vec<f32> {
    let phases = Phases::new(g);
    let (offsets, rows) = (phases.offsets(g), phases.rows(g));
    let (plane_in, plane_out) = (g.plane_in(), g.plane_out());
    let planes = planes_per_task(plane_in.max(plane_out));
    output::chunks(g.n * g.co * plane_out, planes * plane_out, |task, ys| {
        let xs = x[task * planes * plane_in..].chunks_exact(plane_in);
        scratch::with(phases.len(g), |split| {
            split.fill(0.0);
            scratch::with(phases.output, |out| {
                for (i, (y, x)) in ys.chunks_exact_mut(plane_out).zip(xs).enumerate() {
                    let c = (task * planes + i) % g.ci;
                    let filter = &w[c * g.taps()..][..g.taps()];
                    let bias = bias.map_or(0.0, |b| b[c]);
                    split_plane(level, &rows, g.sx, x, split);
                    loops::sum_of_taps(level, out, split, &offsets, filter, bias, activation);
                    copy_rows(level, out, phases.row, y, g.ow, g.ow);
                }
            });
        });
    })
}

/// The taps that meet the pixels of one phase. The gradient of pixel `i` of the phase is the sum of
/// `weight * dy[offset + i]` over these taps, where `dy` starts with `margin` zeros.
struct PhaseTaps {
    taps: Vec<usize>,
    offsets: Vec<usize>,
}

/// `dx` of `[n, channels, h, w]`.
pub(in crate::conv) fn backward_data(dy: &[f32], w: &[f32], g: &Geometry) -> Vec<f32> {
    let (phases, level) = (Phases::new(g), Level::current());
    let (taps, rows) = (phases.taps(g), phases.rows(g));
    let margin = taps.iter().map(|&(_, offset)| offset).max().unwrap_or(0);
    let phase_taps: Vec<PhaseTaps> = (0..g.sy * g.sx)
        .map(|phase| {
            let taps = taps.iter().enumerate().filter(|(_, tap)| tap.0 == phase);
            let (taps, offsets) = taps.map(|(k, tap)| (k, margin - tap.1)).unzip();
            PhaseTaps { taps, offsets }
        })
        .collect();
    let (plane_in, plane_out) = (g.plane_in(), g.plane_out());
    let planes = planes_per_task(plane_in.max(plane_out));
    let task = |task: usize, dxs: &mut [f32], spread: &mut [f32], split: &mut [f32], weights: &mut [f32]| {
        spread.fill(0.0);
        let dys = dy[task * planes * plane_out..].chunks_exact(plane_out);
        for (i, (dx, dy)) in dxs.chunks_exact_mut(plane_in).zip(dys).enumerate() {
            let filter = &w[(task * planes + i) % g.ci * g.taps()..][..g.taps()];
            copy_rows(level, dy, g.ow, &mut spread[margin..], phases.row, g.ow);
            for (phase, split) in phase_taps.iter().zip(split.chunks_exact_mut(phases.plane)) {
                for (weight, &tap) in weights.iter_mut().zip(&phase.taps) {
                    *weight = filter[tap];
                }
                let weights = &weights[..phase.taps.len()];
                loops::sum_of_taps(level, split, spread, &phase.offsets, weights, 0.0, Activation::None);
            }
            join_plane(level, &rows, g.sx, split, dx);
        }
    };
    output::chunks(g.n * g.ci * plane_in, planes * plane_in, |i, dxs| {
        scratch::with(margin + phases.plane.max(phases.output), |spread| {
            scratch::with(phases.len(g), |split| {
                scratch::with(g.taps(), |weights| task(i, dxs, spread, split, weights));
            });
        });
    })
}

/// Writes `dw` of `[channels, 1, kh, kw]`.
pub(in crate::conv) fn backward_weight(x: &[f32], dy: &[f32], g: &Geometry, dw: &mut [f32]) {
    let (phases, level) = (Phases::new(g), Level::current());
    let (offsets, rows) = (phases.offsets(g), phases.rows(g));
    dw.par_chunks_mut(g.taps()).enumerate().with_min_len(4).for_each(|(c, dw)| {
        let mut sums = vec![[0f32; LANES]; g.taps()];
        scratch::with(phases.len(g), |split| {
            split.fill(0.0);
            scratch::with(phases.output, |spread| {
                spread.fill(0.0);
                for image in 0..g.n {
                    let i = image * g.ci + c;
                    split_plane(level, &rows, g.sx, &x[i * g.plane_in()..][..g.plane_in()], split);
                    let dy = &dy[i * g.plane_out()..][..g.plane_out()];
                    copy_rows(level, dy, g.ow, spread, phases.row, g.ow);
                    add_products(level, &mut sums, spread, split, &offsets);
                }
            });
        });
        for (dw, sums) in dw.iter_mut().zip(sums) {
            *dw = loops::pairwise_sum(sums);
        }
    });
}

for_each_vector! {
    /// `sums[tap][i % 16] += a[i] * b[offset + i]` for the offset of every tap.
    fn add_products<V>(sums: &mut [[f32; LANES]], a: &[f32], b: &[f32], offsets: &[usize]) {
        // 25 or 9 taps at a time, so that the sums of the usual kernels stay in registers.
        let ((most, sums), (most_at, offsets)) = (sums.as_chunks_mut::<25>(), offsets.as_chunks::<25>());
        let ((some, few), (some_at, few_at)) = (sums.as_chunks_mut::<9>(), offsets.as_chunks::<9>());
        for (sums, at) in most.iter_mut().zip(most_at) {
            add_some::<V, 25>(sums, a, b, at);
        }
        for (sums, at) in some.iter_mut().zip(some_at) {
            add_some::<V, 9>(sums, a, b, at);
        }
        for (sums, &at) in few.iter_mut().zip(few_at) {
            add_some::<V, 1>(std::array::from_mut(sums), a, b, &[at]);
        }
    }
}

#[inline(always)]
fn add_some<V: Vector, const N: usize>(
    sums: &mut [[f32; LANES]; N],
    a: &[f32],
    b: &[f32],
    offsets: &[usize; N],
) {
    let mut totals = [V::splat(0.0); N];
    for (total, sum) in totals.iter_mut().zip(sums.iter()) {
        *total = V::load(sum);
    }
    let (whole, rest) = a.as_chunks::<LANES>();
    for (i, a) in whole.iter().enumerate() {
        let a = V::load(a);
        for (total, &offset) in totals.iter_mut().zip(offsets) {
            if let Some(b) = b[offset + i * LANES..].first_chunk() {
                *total = a.mul_add(V::load(b), *total);
            }
        }
    }
    let a_rest = V::load_part(rest);
    for (total, &offset) in totals.iter_mut().zip(offsets) {
        let b = V::load_part(&b[offset + whole.len() * LANES..][..rest.len()]);
        *total = a_rest.mul_add(b, *total);
    }
    for (total, sum) in totals.into_iter().zip(sums) {
        total.store(sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_any_number_of_taps_on_every_level() {
        // Small integers: every sum is exact.
        for taps in [1, 4, 9, 10, 25, 49] {
            for n in [0, 1, 15, 16, 40] {
                let a: Vec<f32> = (0..n).map(|i| (i % 5) as f32 - 2.0).collect();
                let b: Vec<f32> = (0..n + 2 * taps).map(|i| (i % 7) as f32 - 3.0).collect();
                let offsets: Vec<usize> = (0..taps).map(|t| 2 * t).collect();
                for level in Level::available() {
                    let mut sums = vec![[0f32; LANES]; taps];
                    sums[0][3] = 5.0;
                    add_products(level, &mut sums, &a, &b, &offsets);
                    for (t, sums) in sums.into_iter().enumerate() {
                        let expected: f32 = a.iter().zip(&b[2 * t..]).map(|(a, b)| a * b).sum();
                        let before = if t == 0 { 5.0 } else { 0.0 };
                        assert_eq!(loops::pairwise_sum(sums), expected + before, "{level:?} {taps} {n} {t}");
                    }
                }
            }
        }
    }
}
