//! The gradient of a convolution with respect to its image, in blocks.

use super::{
    depthwise,
    lanes::BLOCK,
    padded::{self, Size},
    product::{Finish, Inputs, Output, Run, Target, multiply, pack},
    winograd,
};
use crate::{
    conv::{
        backward_data::transposed,
        geometry::Geometry,
        images_per_task,
        implicit_gemm::{Problem, Tap},
    },
    output, scratch,
    simd::Level,
};
use std::mem::MaybeUninit;

/// Whether there is a method for the layer.
pub(super) fn suits(g: &Geometry) -> bool {
    if g.is_depthwise() {
        return g.ci.is_multiple_of(BLOCK) && depthwise::rotated(g).is_some();
    }
    g.groups == 1 && g.ci > 0 && g.ci.is_multiple_of(BLOCK) && g.co.is_multiple_of(BLOCK)
}

/// `[n, ci / 8, h, w, 8]` from `dy` of `[n, co / 8, oh, ow, 8]` and `w` of `[co, ci / groups, kh, kw]`, for a layer that
/// [`suits`].
pub(super) fn backward_data(level: Level, w: &[f32], dy: &[f32], g: &Geometry) -> Vec<f32> {
    let len = g.n * g.ci * g.plane_in();
    if len == 0 {
        return Vec::new();
    }
    if g.is_depthwise() {
        return match depthwise::rotated(g) {
            Some(rotated) => depthwise_data(level, w, dy, g, &rotated),
            None => Vec::new(),
        };
    }
    if let Some(rotated) = transposed(g).filter(winograd::suits_once) {
        let taps = winograd::Taps { w, output: 1, input: g.ci, rotated: true };
        let mut dx = Vec::with_capacity(len);
        let out = Output::new(&mut dx.spare_capacity_mut()[..len]);
        scratch::with(winograd::packed_len(&rotated), |packed| {
            winograd::pack(level, taps, &rotated, packed);
            winograd::forward(level, dy, packed, &rotated, Finish::default(), out);
        });
        // SAFETY: the capacity is at least `len`, and `winograd::forward` writes all outputs of `rotated`, whose number
        // is `len`.
        unsafe { dx.set_len(len) };
        return dx;
    }
    by_phases(level, w, dy, g)
}

fn depthwise_data(level: Level, w: &[f32], dy: &[f32], g: &Geometry, rotated: &Geometry) -> Vec<f32> {
    let reversed: Vec<f32> = w.chunks_exact(g.taps()).flat_map(|taps| taps.iter().rev().copied()).collect();
    let packed = depthwise::pack(&reversed, g.taps(), g.ci);
    let spread;
    let dy = if [g.sy, g.sx] == [1, 1] {
        dy
    } else {
        spread = depthwise::spread(dy, g);
        &spread
    };
    let len = g.n * g.ci * g.plane_in();
    let mut dx = Vec::with_capacity(len);
    let out = Output::new(&mut dx.spare_capacity_mut()[..len]);
    depthwise::forward(level, dy, &packed, rotated, Finish::default(), out);
    // SAFETY: the capacity is at least `len`, and `depthwise::forward` writes all outputs of `rotated`, whose number is
    // `len`.
    unsafe { dx.set_len(len) };
    dx
}

/// One matrix product for each phase of the stride: all pixels of a phase meet the same taps.
fn by_phases(level: Level, w: &[f32], dy: &[f32], g: &Geometry) -> Vec<f32> {
    let problems = Problem::backward_data(g);
    let packed: Vec<Vec<f32>> = problems
        .iter()
        .map(|problem| {
            let taps = problem.taps();
            let inputs = g.co * taps.len();
            let mut packed = vec![0f32; g.ci * inputs];
            let at = |output: usize, input: usize| {
                let (block, tap, lane) =
                    (input / BLOCK / taps.len(), input / BLOCK % taps.len(), input % BLOCK);
                Some(((block * BLOCK + lane) * g.ci + output) * g.taps() + taps[tap].index)
            };
            // SAFETY: the function needs no promise.
            unsafe { pack(level, w, g.ci, inputs, &at, &mut packed) };
            packed
        })
        .collect();
    // Zeros around the gradients, as many as any tap reaches beyond them.
    let reach =
        problems.iter().flat_map(Problem::taps).map(|tap| tap.y.unsigned_abs().max(tap.x.unsigned_abs()));
    let margin = reach.max().unwrap_or(0);
    let over = |problem: &Problem| problem.grid();
    let beyond = |axis: usize, size: usize| {
        problems.iter().map(|problem| over(problem)[axis]).max().unwrap_or(0).saturating_sub(size)
    };
    let size =
        Size { rows: g.oh + 2 * margin + beyond(0, g.oh), columns: g.ow + 2 * margin + beyond(1, g.ow) };
    let border = Geometry { h: g.oh, w: g.ow, top: margin, left: margin, sy: 1, sx: 1, ..*g };
    let covered: usize = problems.iter().map(|problem| problem.grid().iter().product::<usize>()).sum();
    let (image_in, image_out) = (g.ci * g.plane_in(), g.co * g.plane_out());
    let images = images_per_task(g.n, (128 / g.plane_out().max(1)).max(1));
    let plane = size.rows * size.columns * BLOCK;
    let run = |task: usize, dx: &mut [MaybeUninit<f32>]| {
        if covered < g.plane_in() {
            dx.fill(MaybeUninit::new(0.0));
        }
        let count = dx.len() / image_in;
        scratch::with(count * g.co / BLOCK * plane, |from| {
            for (i, from) in from.chunks_exact_mut(g.co / BLOCK * plane).enumerate() {
                padded::blocks(&dy[(task * images + i) * image_out..][..image_out], &border, 0, size, from);
            }
            let out = Output::new(dx);
            for (problem, packed) in problems.iter().zip(&packed) {
                let tap_at = |tap: &Tap| {
                    let shifted = |offset: isize| (offset + margin as isize) as usize;
                    (shifted(tap.y) * size.columns + shifted(tap.x)) * BLOCK
                };
                let groups: Vec<usize> = (0..g.co / BLOCK)
                    .flat_map(|block| problem.taps().iter().map(move |tap| block * plane + tap_at(tap)))
                    .collect();
                let ([rows, columns], layout) = (problem.grid(), problem.layout());
                let runs: Vec<Run> = (0..count)
                    .flat_map(|i| (0..rows).map(move |row| (i, row)))
                    .map(|(i, row)| Run {
                        x: i * g.co / BLOCK * plane + row * size.columns * BLOCK,
                        y: i * image_in + (layout.offset + row * layout.row_stride) * BLOCK,
                        pixels: columns,
                    })
                    .collect();
                let inputs = Inputs { groups: &groups, depth: BLOCK, pixel: BLOCK };
                let block = g.plane_in() * BLOCK;
                let target = Target { y: out, block, pixel: layout.column_stride * BLOCK };
                // SAFETY: `dx` belongs to this task, and every pixel to one phase.
                unsafe { multiply(level, from, inputs, packed, 0..g.ci, &runs, target, Finish::default()) };
            }
        });
    };
    // SAFETY: where the phases do not have all pixels, all are cleared first; otherwise the runs of all phases are all
    // rows of their grids, of every image of the task, and `multiply` writes every channel of them.
    unsafe { output::uninit_chunks(g.n * image_in, images * image_in, run) }
}
