//! Depthwise kernels of 3×3 and 5×5 in the channel-blocked layout.
//!
//! One pixel of sixteen channels is one vector. Unlike vectors along a row, these have no idle lanes at the
//! end of a short row, a stride is only a longer step, and the filter stays in registers. The price is a
//! transposition of the planes on the way in and on the way out.

use crate::{
    Activation,
    conv::{
        channel_blocks::{Lanes, Region, from_blocked, to_blocked},
        geometry::Geometry,
    },
    output, scratch,
    simd::{
        Level, Vector,
        vector::{LANES, for_each_vector},
    },
};
use std::ops::Range;

/// Most vectors of a strip of the padded planes (128 kB), so that it stays in a cache.
const MAX_STRIP: usize = 2048;

/// Whether the method supports the layer and is the fastest for it.
pub(super) fn suits(g: &Geometry) -> bool {
    matches!([g.kh, g.kw], [3, 3] | [5, 5]) && [g.dy, g.dx] == [1, 1] && g.ci > LANES / 2
}

/// How the planes of sixteen channels are cut into strips of rows.
#[derive(Clone, Copy)]
struct Strips {
    /// Vectors of a padded input row.
    width: usize,
    /// Output rows of a strip.
    rows: usize,
}

impl Strips {
    fn new(g: &Geometry) -> Self {
        let width = (g.left + g.w).max((g.ow - 1) * g.sx + g.kw);
        let max_rows = ((MAX_STRIP / width).saturating_sub(g.kh) / g.sy + 1).min(g.oh);
        // Strips of about the same height.
        Self { width, rows: g.oh.div_ceil(g.oh.div_ceil(max_rows)) }
    }

    /// Padded input rows that `rows` output rows read.
    fn input_rows(g: &Geometry, rows: usize) -> usize {
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
    let (strips, taps) = (Strips::new(g), g.taps());
    let image_in = g.ci * g.plane_in();
    let task = |image: usize, block: usize, mut blocks: Vec<&mut [f32]>| {
        let (channel, x) = (block * LANES, &x[image * image_in..][..image_in]);
        // The taps, then the bias, each for sixteen channels.
        let mut filter = [[0f32; LANES]; 26];
        let filter = &mut filter[..taps + 1];
        for c in channel..g.ci.min(channel + LANES) {
            for (to, &weight) in filter.iter_mut().zip(&w[c * taps..][..taps]) {
                to[c - channel] = weight;
            }
            filter[taps][c - channel] = bias.map_or(0.0, |bias| bias[c]);
        }
        let (inputs, outputs) = (Strips::input_rows(g, strips.rows) * strips.width, strips.rows * g.ow);
        scratch::with((inputs + outputs) * LANES, |buffer| {
            let (inputs, outputs) = buffer.as_chunks_mut::<LANES>().0.split_at_mut(inputs);
            inputs.fill([0.0; LANES]);
            for first in (0..g.oh).step_by(strips.rows) {
                let rows = first..(first + strips.rows).min(g.oh);
                load(level, x, channel, g, strips, rows.clone(), inputs);
                let outputs = &mut outputs[..rows.len() * g.ow];
                if g.kh == 3 {
                    filter_3(level, inputs, strips.width, g, filter, outputs);
                } else {
                    filter_5(level, inputs, strips.width, g, filter, outputs);
                }
                activation.add_bias_and_apply(outputs.as_flattened_mut(), 0.0);
                if let Some(y) = blocks.first_mut() {
                    store(level, outputs, g, rows, y);
                }
            }
        });
    };
    output::blocks([g.n, g.co * g.plane_out()], 1, LANES * g.plane_out(), task).0
}

for_each_vector! {
    /// Loads the padded input rows that some output rows read. The columns of padding must be zero already.
    fn load<V>(x: &[f32], channel: usize, g: &Geometry, strips: Strips, rows: Range<usize>, inputs: &mut [Lanes]) {
        let height = Strips::input_rows(g, rows.len());
        let top = rows.start * g.sy;
        // Those that are rows of the image.
        let image = top.max(g.top).min(g.top + g.h) - g.top..(top + height).clamp(g.top, g.top + g.h) - g.top;
        let before = (image.start + g.top).saturating_sub(top).min(height);
        for zeros in [0..before, before + image.len()..height] {
            inputs[zeros.start * strips.width..zeros.end * strips.width].fill([0.0; LANES]);
        }
        let region = Region {
            pixels: &(image.start * g.w..image.end * g.w),
            plane: g.plane_in(),
            width: g.w,
            row: before,
            column: g.left,
            blocked_width: strips.width,
        };
        to_blocked::<V>(x, channel, g.ci, region, inputs);
    }
}

for_each_vector! {
    /// Stores some output rows of all channels of the task.
    fn store<V>(outputs: &[Lanes], g: &Geometry, rows: Range<usize>, y: &mut [f32]) {
        let region = Region {
            pixels: &(rows.start * g.ow..rows.end * g.ow),
            plane: g.plane_out(),
            width: g.ow,
            row: 0,
            column: 0,
            blocked_width: g.ow,
        };
        // `y` holds the planes of the task's channels only.
        from_blocked::<V>(outputs, region, 0, y.len() / g.plane_out(), y);
    }
}

for_each_vector! {
    fn filter_3<V>(inputs: &[Lanes], width: usize, g: &Geometry, filter: &[Lanes], outputs: &mut [Lanes]) {
        filter_rows::<V, 3>(inputs, width, g, filter, outputs);
    }
}

for_each_vector! {
    fn filter_5<V>(inputs: &[Lanes], width: usize, g: &Geometry, filter: &[Lanes], outputs: &mut [Lanes]) {
        filter_rows::<V, 5>(inputs, width, g, filter, outputs);
    }
}

/// Output rows. Every output is summed in the order of the taps, and then the bias is added.
#[inline(always)]
fn filter_rows<V: Vector, const K: usize>(
    inputs: &[Lanes],
    width: usize,
    g: &Geometry,
    filter: &[Lanes],
    outputs: &mut [Lanes],
) {
    let taps: [[V; K]; K] = std::array::from_fn(|y| std::array::from_fn(|x| V::load(&filter[y * K + x])));
    let bias = V::load(&filter[K * K]);
    for (row, outputs) in outputs.chunks_exact_mut(g.ow).enumerate() {
        let rows: [&[Lanes]; K] = std::array::from_fn(|y| &inputs[(row * g.sy + y) * width..][..width]);
        for (at, output) in outputs.iter_mut().enumerate() {
            let mut sum = V::splat(0.0);
            for (taps, row) in taps.iter().zip(rows) {
                if let Some(pixels) = row[at * g.sx..].first_chunk::<K>() {
                    for (tap, pixel) in taps.iter().zip(pixels) {
                        sum = V::load(pixel).mul_add(*tap, sum);
                    }
                }
            }
            sum.add(bias).store(output);
        }
    }
}
