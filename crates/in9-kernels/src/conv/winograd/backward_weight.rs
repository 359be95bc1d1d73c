//! The gradient with respect to the filters.
//!
//! Groups of tiles are transformed in parallel. Then the products are computed in parallel, and each of them
//! adds up the groups in order, so that no sum depends on the number of threads.

use super::{
    GAP, PANEL, Plan, Strip, forward,
    transform::{Axis, SIDE, both_axes},
};
use crate::{
    conv::{
        channel_blocks::{Region, to_blocked},
        geometry::Geometry,
    },
    scratch,
    simd::{
        Level, Vector,
        microkernel::{Broadcast, multiply_panel},
        vector::{LANES, for_each_vector},
    },
};
use rayon::prelude::*;

/// Most transformed elements in memory at a time (16 MB).
const MAX_TRANSFORMED: usize = 4 << 20;
/// Rows of the register tile: half a vector of input channels.
const ROWS: usize = LANES / 2;

/// A group of tiles: one strip of some images.
#[derive(Clone, Copy)]
struct Group<'a> {
    x: &'a [f32],
    dy: &'a [f32],
    strip: Strip,
    tiles: usize,
}

/// Writes `dw` of `[co, ci, 3, 3]`.
pub(in crate::conv) fn backward_weight(level: Level, x: &[f32], dy: &[f32], g: &Geometry, dw: &mut [f32]) {
    let plan = Plan::new(g);
    let images =
        x.chunks(plan.images * g.ci * g.plane_in()).zip(dy.chunks(plan.images * g.co * g.plane_out()));
    let groups: Vec<Group<'_>> = images
        .flat_map(|(x, dy)| {
            plan.strips().map(move |strip| Group {
                x,
                dy,
                strip,
                tiles: x.len() / (g.ci * g.plane_in()) * strip.rows * plan.tiles_x,
            })
        })
        .collect();
    let (ci, co) = (plan.ci_vectors * LANES, plan.co_vectors * LANES);
    let products = plan.products();
    let max_tiles = groups.iter().map(|group| group.tiles).max().unwrap_or(0);
    let room = products * ((ci + co) * max_tiles + 2 * GAP * LANES);
    let block = ci * co + GAP * LANES;
    let at_once = (MAX_TRANSFORMED / room.max(1)).max(1).min(groups.len());
    scratch::with(at_once * room, |transformed| {
        scratch::with(products * block, |sums| {
            sums.fill(0.0);
            for groups in groups.chunks(at_once) {
                transformed.par_chunks_mut(room).zip(groups).for_each(|(out, group)| {
                    let (inputs, gradients) = out.split_at_mut(products * (ci * group.tiles + GAP * LANES));
                    forward::transform_inputs(level, group.x, &plan, group.strip, group.tiles, inputs);
                    transform_gradients(level, *group, &plan, gradients);
                });
                let transformed = &*transformed;
                sums.par_chunks_mut(block).enumerate().for_each(|(k, sums)| {
                    for (group, transformed) in groups.iter().zip(transformed.chunks(room)) {
                        accumulate(level, transformed, k, group.tiles, &plan, sums);
                    }
                });
            }
            let sums = &*sums;
            dw.par_chunks_mut(LANES * g.ci * 9).enumerate().for_each(|(vector, dw)| {
                if plan.outputs == 4 {
                    taps_4(level, sums, &plan, vector, dw);
                } else {
                    taps_2(level, sums, &plan, vector, dw);
                }
            });
        });
    });
}

/// Transforms the output gradients of a group to `[products][panels][tiles][columns]`, with [`GAP`] vectors
/// between products.
fn transform_gradients(level: Level, group: Group<'_>, plan: &Plan, out: &mut [f32]) {
    let pixels = group.strip.rows * plan.outputs * plan.tiles_x * plan.outputs;
    scratch::with(pixels * LANES, |blocked| {
        blocked.fill(0.0);
        if plan.outputs == 4 {
            gradients_4(level, group, plan, blocked, out);
        } else {
            gradients_2(level, group, plan, blocked, out);
        }
    });
}

for_each_vector! {
    fn gradients_4<V>(group: Group<'_>, plan: &Plan, blocked: &mut [f32], out: &mut [f32]) {
        gradients::<V, 4>(group, plan, blocked, out);
    }
}

for_each_vector! {
    fn gradients_2<V>(group: Group<'_>, plan: &Plan, blocked: &mut [f32], out: &mut [f32]) {
        gradients::<V, 2>(group, plan, blocked, out);
    }
}

#[inline(always)]
fn gradients<V: Vector, const OUT: usize>(
    group: Group<'_>,
    plan: &Plan,
    blocked: &mut [f32],
    out: &mut [f32],
) {
    let g = &plan.g;
    let (blocked, _) = blocked.as_chunks_mut::<LANES>();
    let (out, _) = out.as_chunks_mut::<LANES>();
    let (side, width, strip) = (OUT + 2, plan.tiles_x * OUT, group.strip);
    let block = plan.co_vectors * group.tiles + GAP;
    let rows = strip.first * OUT..((strip.first + strip.rows) * OUT).min(g.oh);
    let region = Region {
        pixels: &(rows.start * g.ow..rows.end * g.ow),
        plane: g.plane_out(),
        width: g.ow,
        row: 0,
        column: 0,
        blocked_width: width,
    };
    for (i, image) in group.dy.chunks_exact(g.co * g.plane_out()).enumerate() {
        for vector in 0..plan.co_vectors {
            to_blocked::<V>(image, vector * LANES, g.co, region, blocked);
            let panel = vector / 2;
            let vectors = (plan.co_vectors - panel * 2).min(2);
            for ty in 0..strip.rows {
                for tx in 0..plan.tiles_x {
                    let tile = (i * strip.rows + ty) * plan.tiles_x + tx;
                    let at = ty * OUT * width + tx * OUT;
                    both_axes!(
                        V, 4, OUT => side, Axis::<OUT>::output_transposed,
                        |r, c| V::load(&blocked[at + r * width + c]),
                        |r, c, v| {
                            let start = (r * side + c) * block + panel * 2 * group.tiles;
                            v.store(&mut out[start + tile * vectors + vector % 2]);
                        },
                    );
                }
            }
        }
    }
}

for_each_vector! {
    /// Adds product `k` of a group to `sums[panel][input channel][column]`.
    fn accumulate<V>(transformed: &[f32], k: usize, tiles: usize, plan: &Plan, sums: &mut [f32]) {
        let (ci, co) = (plan.ci_vectors * LANES, plan.co_vectors * LANES);
        let (inputs, gradients) = transformed.split_at(plan.products() * (ci * tiles + GAP * LANES));
        let inputs = &inputs[k * (ci * tiles + GAP * LANES)..][..ci * tiles];
        let gradients = &gradients[k * (co * tiles + GAP * LANES)..][..co * tiles];
        let layout = Broadcast { row: 1, step: LANES, steps: tiles, block: 0, blocks: 1 };
        for panel in (0..co).step_by(PANEL) {
            let columns = PANEL.min(co - panel);
            let b = &gradients[panel * tiles..][..columns * tiles];
            let c = &mut sums[panel * ci..][..columns * ci];
            for row in (0..ci).step_by(ROWS) {
                let a = &inputs[row / LANES * LANES * tiles + row % LANES..];
                let c = &mut c[row * columns..];
                if columns == PANEL {
                    multiply_panel::<V, 2>(ROWS, a, layout, b, c, columns, true);
                } else {
                    multiply_panel::<V, 1>(ROWS, a, layout, b, c, columns, true);
                }
            }
        }
    }
}

for_each_vector! {
    fn taps_4<V>(sums: &[f32], plan: &Plan, vector: usize, dw: &mut [f32]) {
        filter_gradients::<V, 4>(sums, plan, vector, dw);
    }
}

for_each_vector! {
    fn taps_2<V>(sums: &[f32], plan: &Plan, vector: usize, dw: &mut [f32]) {
        filter_gradients::<V, 2>(sums, plan, vector, dw);
    }
}

/// Transforms sums to the gradients of the taps, for sixteen output channels.
// The indices are rows and columns of the square; iterators would hide which is which.
#[allow(clippy::needless_range_loop)]
#[inline(always)]
fn filter_gradients<V: Vector, const OUT: usize>(sums: &[f32], plan: &Plan, vector: usize, dw: &mut [f32]) {
    let g = &plan.g;
    let (sums, _) = sums.as_chunks::<LANES>();
    let (side, rows) = (OUT + 2, plan.ci_vectors * LANES);
    let panel = vector / 2;
    let vectors = (plan.co_vectors - panel * 2).min(2);
    for c in 0..g.ci {
        let mut columns = [[V::splat(0.0); SIDE]; 3];
        for x in 0..side {
            let mut column = [V::splat(0.0); SIDE];
            for y in 0..side {
                let start = (y * side + x) * (plan.co_vectors * rows + GAP) + panel * 2 * rows;
                column[y] = V::load(&sums[start + c * vectors + vector % 2]);
            }
            let taps = Axis::<OUT>::filter_transposed(column);
            for y in 0..3 {
                columns[y][x] = taps[y];
            }
        }
        for y in 0..3 {
            let taps = Axis::<OUT>::filter_transposed(columns[y]);
            for x in 0..3 {
                let mut lanes = [0f32; LANES];
                taps[x].store(&mut lanes);
                for (dw, v) in dw.chunks_exact_mut(g.ci * 9).zip(lanes) {
                    dw[c * 9 + y * 3 + x] = v;
                }
            }
        }
    }
}
