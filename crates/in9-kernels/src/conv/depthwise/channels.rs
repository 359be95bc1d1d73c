//! Kernels of 3×3 and 5×5, sixteen channels at a time.
//!
//! A pixel of sixteen channels is one vector. No lane idles at the end of a short row, a stride is a
//! longer step, and a filter stays in registers; in return planes are transposed on the way in and
//! out.

use crate::{
    Activation,
    conv::{
        geometry::Geometry,
        patch::{Lanes, Window, gather, scatter},
    },
    output, scratch,
    simd::{
        Level, Vector,
        vector::{LANES, for_each_vector},
    },
};
use std::ops::Range;

/// Vectors that a strip of the padded planes may take (128 kB).
const HELD: usize = 2048;

/// Whether the method applies and pays.
pub(super) fn suits(g: &Geometry) -> bool {
    matches!([g.kh, g.kw], [3, 3] | [5, 5]) && [g.dy, g.dx] == [1, 1] && g.ci > LANES / 2
}

/// How the planes of sixteen channels are laid out in working memory.
#[derive(Clone, Copy)]
struct Patch {
    /// Vectors of a padded row.
    width: usize,
    /// Output rows of a strip.
    rows: usize,
}

impl Patch {
    fn new(g: &Geometry) -> Self {
        let width = (g.left + g.w).max((g.ow - 1) * g.sx + g.kw);
        let most = ((HELD / width).saturating_sub(g.kh) / g.sy + 1).min(g.oh);
        // Strips of about the same height.
        Self { width, rows: g.oh.div_ceil(g.oh.div_ceil(most)) }
    }

    /// Padded rows below `rows` output rows.
    fn height(g: &Geometry, rows: usize) -> usize {
        (rows - 1) * g.sy + g.kh
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
    let (plan, taps) = (Patch::new(g), g.taps());
    let image_in = g.ci * g.plane_in();
    let task = |image: usize, block: usize, mut pieces: Vec<&mut [f32]>| {
        let (channel, x) = (block * LANES, &x[image * image_in..][..image_in]);
        // Taps, then the bias.
        let mut filter = [[0f32; LANES]; 26];
        let filter = &mut filter[..taps + 1];
        for c in channel..g.ci.min(channel + LANES) {
            for (to, &weight) in filter.iter_mut().zip(&w[c * taps..][..taps]) {
                to[c - channel] = weight;
            }
            filter[taps][c - channel] = bias.map_or(0.0, |bias| bias[c]);
        }
        let (padded, finished) = (Patch::height(g, plan.rows) * plan.width, plan.rows * g.ow);
        scratch::with((padded + finished) * LANES, |memory| {
            let (padded, finished) = memory.as_chunks_mut::<LANES>().0.split_at_mut(padded);
            padded.fill([0.0; LANES]);
            for first in (0..g.oh).step_by(plan.rows) {
                let rows = first..(first + plan.rows).min(g.oh);
                load(level, x, channel, g, plan, rows.clone(), padded);
                let finished = &mut finished[..rows.len() * g.ow];
                if g.kh == 3 {
                    filter_3(level, padded, plan.width, g, filter, finished);
                } else {
                    filter_5(level, padded, plan.width, g, filter, finished);
                }
                activation.add_and_apply(finished.as_flattened_mut(), 0.0);
                if let Some(y) = pieces.first_mut() {
                    store(level, finished, g, rows, y);
                }
            }
        });
    };
    output::blocks([g.n, g.co * g.plane_out()], 1, LANES * g.plane_out(), task).0
}

for_each_vector! {
    /// The padded rows below some output rows; columns of padding are zero already.
    fn load<V>(x: &[f32], channel: usize, g: &Geometry, plan: Patch, rows: Range<usize>, padded: &mut [Lanes]) {
        let height = Patch::height(g, rows.len());
        let top = rows.start * g.sy;
        // The image's rows among them.
        let image = top.max(g.top).min(g.top + g.h) - g.top..(top + height).clamp(g.top, g.top + g.h) - g.top;
        let before = (image.start + g.top).saturating_sub(top).min(height);
        for zeros in [0..before, before + image.len()..height] {
            padded[zeros.start * plan.width..zeros.end * plan.width].fill([0.0; LANES]);
        }
        let window = Window {
            pixels: &(image.start * g.w..image.end * g.w),
            plane: g.plane_in(),
            width: g.w,
            row: before,
            column: g.left,
            patch_width: plan.width,
        };
        gather::<V>(x, channel, g.ci, window, padded);
    }
}

for_each_vector! {
    fn store<V>(finished: &[Lanes], g: &Geometry, rows: Range<usize>, y: &mut [f32]) {
        let window = Window {
            pixels: &(rows.start * g.ow..rows.end * g.ow),
            plane: g.plane_out(),
            width: g.ow,
            row: 0,
            column: 0,
            patch_width: g.ow,
        };
        // The piece begins with the first of the task's channels and ends with the last.
        scatter::<V>(finished, window, 0, y.len() / g.plane_out(), y);
    }
}

for_each_vector! {
    fn filter_3<V>(padded: &[Lanes], width: usize, g: &Geometry, filter: &[Lanes], out: &mut [Lanes]) {
        outputs::<V, 3>(padded, width, g, filter, out);
    }
}

for_each_vector! {
    fn filter_5<V>(padded: &[Lanes], width: usize, g: &Geometry, filter: &[Lanes], out: &mut [Lanes]) {
        outputs::<V, 5>(padded, width, g, filter, out);
    }
}

/// Rows of sums, each one chain in the order of the taps, and then the bias.
#[inline(always)]
fn outputs<V: Vector, const K: usize>(
    padded: &[Lanes],
    width: usize,
    g: &Geometry,
    filter: &[Lanes],
    out: &mut [Lanes],
) {
    let taps: [[V; K]; K] = std::array::from_fn(|y| std::array::from_fn(|x| V::load(&filter[y * K + x])));
    let bias = V::load(&filter[K * K]);
    for (row, out) in out.chunks_exact_mut(g.ow).enumerate() {
        let lines: [&[Lanes]; K] = std::array::from_fn(|y| &padded[(row * g.sy + y) * width..][..width]);
        for (at, out) in out.iter_mut().enumerate() {
            let mut sum = V::splat(0.0);
            for (taps, line) in taps.iter().zip(lines) {
                if let Some(pixels) = line[at * g.sx..].first_chunk::<K>() {
                    for (tap, pixel) in taps.iter().zip(pixels) {
                        sum = V::load(pixel).mul_add(*tap, sum);
                    }
                }
            }
            sum.add(bias).store(out);
        }
    }
}
