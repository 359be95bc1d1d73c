//! The forward pass: transform the inputs, multiply, transform the products back.

use super::{
    GAP, PANEL, Plan, Strip,
    filters::{Filters, filters_len, panel_len, transform_filters},
    transform::{Axis, SIDE, both_axes},
};
use crate::{
    conv::{
        channel_blocks::{Region, from_blocked, to_blocked},
        geometry::Geometry,
        images_per_task,
    },
    output, scratch,
    simd::{
        Level, Vector,
        microkernel::{Broadcast, multiply_panel},
        vector::{LANES, for_each_vector},
    },
};
/// `conv(x, w)`, `[n, co, oh, ow]`.
///
/// `epilogue` is called on the outputs of every task, with the index of its first image, while they are in
/// a cache.
pub(in crate::conv) fn forward(
    level: Level,
    x: &[f32],
    w: Filters<'_>,
    g: &Geometry,
    epilogue: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<f32> {
    let plan = Plan::new(g);
    let (image_in, image_out) = (g.ci * g.plane_in(), g.co * g.plane_out());
    let images = images_per_task(g.n, plan.images);
    let run = |filters: &[f32]| {
        output::chunks(g.n * image_out, images * image_out, |i, y| {
            let x = &x[i * images * image_in..][..y.len() / image_out * image_in];
            task(level, x, filters, &plan, y);
            epilogue(i * images, y);
        })
    };
    if let Filters::Transformed(filters) = w {
        return run(filters);
    }
    scratch::with(filters_len(&plan), |filters| {
        transform_filters(level, w, &plan, filters);
        run(filters)
    })
}

/// Computes the images of one parallel task, strip after strip.
fn task(level: Level, x: &[f32], filters: &[f32], plan: &Plan, y: &mut [f32]) {
    let images = x.len() / (plan.g.ci * plan.g.plane_in());
    for strip in plan.strips() {
        let tiles = images * strip.rows * plan.tiles_x;
        let products = plan.products();
        scratch::with(products * (plan.ci_vectors * tiles + GAP) * LANES, |inputs| {
            transform_inputs(level, x, plan, strip, tiles, inputs);
            scratch::with(products * (tiles * 2 + GAP) * LANES, |sums| {
                for (panel, filters) in filters.chunks(panel_len(plan, 2)).enumerate() {
                    multiply(level, inputs, filters, plan, tiles, sums);
                    let columns = PANEL.min(plan.co_vectors * LANES - panel * PANEL);
                    for vector in 0..columns / LANES {
                        let channel = panel * PANEL + vector * LANES;
                        let layout = SumsLayout { tiles, vectors: columns / LANES, vector };
                        transform_outputs(level, sums, plan, strip, layout, channel, y);
                    }
                }
            });
        });
    }
}

/// Where one vector of output channels lies in the sums of a panel, `[products][tiles][vectors]`.
#[derive(Clone, Copy)]
struct SumsLayout {
    tiles: usize,
    vectors: usize,
    vector: usize,
}

/// Transforms the inputs of a strip to `[products][input vectors][tiles][16]`, with [`GAP`] vectors between
/// products.
pub(super) fn transform_inputs(
    level: Level,
    x: &[f32],
    plan: &Plan,
    strip: Strip,
    tiles: usize,
    out: &mut [f32],
) {
    let [rows, columns] = plan.input_size(strip);
    scratch::with(rows * columns * LANES, |blocked| {
        blocked.fill(0.0);
        if plan.outputs == 4 {
            inputs_4(level, x, plan, strip, tiles, blocked, out);
        } else {
            inputs_2(level, x, plan, strip, tiles, blocked, out);
        }
    });
}

for_each_vector! {
    fn inputs_4<V>(x: &[f32], plan: &Plan, strip: Strip, tiles: usize, blocked: &mut [f32], out: &mut [f32]) {
        inputs::<V, 4>(x, plan, strip, tiles, blocked, out);
    }
}

for_each_vector! {
    fn inputs_2<V>(x: &[f32], plan: &Plan, strip: Strip, tiles: usize, blocked: &mut [f32], out: &mut [f32]) {
        inputs::<V, 2>(x, plan, strip, tiles, blocked, out);
    }
}

#[inline(always)]
fn inputs<V: Vector, const OUT: usize>(
    x: &[f32],
    plan: &Plan,
    strip: Strip,
    tiles: usize,
    blocked: &mut [f32],
    out: &mut [f32],
) {
    let g = &plan.g;
    let (blocked, _) = blocked.as_chunks_mut::<LANES>();
    let (out, _) = out.as_chunks_mut::<LANES>();
    let [rows, width] = plan.input_size(strip);
    // The image rows among the input rows of the strip; the others stay zero.
    let top = strip.first * OUT;
    let start = top.saturating_sub(g.top).min(g.h);
    let end = (top + rows).saturating_sub(g.top).min(g.h);
    let region = Region {
        pixels: &(start * g.w..end * g.w),
        plane: g.plane_in(),
        width: g.w,
        row: start + g.top - top.min(start + g.top),
        column: g.left,
        blocked_width: width,
    };
    let side = OUT + 2;
    let block = plan.ci_vectors * tiles + GAP;
    for (i, image) in x.chunks_exact(g.ci * g.plane_in()).enumerate() {
        for vector in 0..plan.ci_vectors {
            to_blocked::<V>(image, vector * LANES, g.ci, region, blocked);
            for ty in 0..strip.rows {
                for tx in 0..plan.tiles_x {
                    let tile = (i * strip.rows + ty) * plan.tiles_x + tx;
                    let at = ty * OUT * width + tx * OUT;
                    both_axes!(
                        V, SIDE, side => side, Axis::<OUT>::input,
                        |r, c| V::load(&blocked[at + r * width + c]),
                        |r, c, v| v.store(
                            &mut out[(r * side + c) * block + vector * tiles + tile]
                        ),
                    );
                }
            }
        }
    }
}

for_each_vector! {
    /// `sums[product][tile][column] = Σ inputs * filters` for one panel of columns.
    fn multiply<V>(inputs: &[f32], filters: &[f32], plan: &Plan, tiles: usize, sums: &mut [f32]) {
        let channels = plan.ci_vectors * LANES;
        let columns = (filters.len() / plan.products() - GAP * LANES) / channels;
        let layout = Broadcast {
            row: LANES,
            step: 1,
            steps: LANES,
            block: tiles * LANES,
            blocks: plan.ci_vectors,
        };
        for k in 0..plan.products() {
            let a = &inputs[k * (channels * tiles + GAP * LANES)..][..channels * tiles];
            let b = &filters[k * (channels * columns + GAP * LANES)..][..channels * columns];
            let c = &mut sums[k * (tiles * columns + GAP * LANES)..][..tiles * columns];
            if columns == PANEL {
                multiply_panel::<V, 2>(tiles, a, layout, b, c, columns, false);
            } else {
                multiply_panel::<V, 1>(tiles, a, layout, b, c, columns, false);
            }
        }
    }
}

/// Transforms sums to outputs, for sixteen output channels from `channel` on.
fn transform_outputs(
    level: Level,
    sums: &[f32],
    plan: &Plan,
    strip: Strip,
    layout: SumsLayout,
    channel: usize,
    y: &mut [f32],
) {
    let pixels = strip.rows * plan.outputs * plan.tiles_x * plan.outputs;
    scratch::with(pixels * LANES, |blocked| {
        if plan.outputs == 4 {
            outputs_4(level, sums, plan, strip, layout, channel, blocked, y);
        } else {
            outputs_2(level, sums, plan, strip, layout, channel, blocked, y);
        }
    });
}

for_each_vector! {
    fn outputs_4<V>(sums: &[f32], plan: &Plan, strip: Strip, layout: SumsLayout, channel: usize, blocked: &mut [f32], y: &mut [f32]) {
        outputs::<V, 4>(sums, plan, strip, layout, channel, blocked, y);
    }
}

for_each_vector! {
    fn outputs_2<V>(sums: &[f32], plan: &Plan, strip: Strip, layout: SumsLayout, channel: usize, blocked: &mut [f32], y: &mut [f32]) {
        outputs::<V, 2>(sums, plan, strip, layout, channel, blocked, y);
    }
}

#[inline(always)]
fn outputs<V: Vector, const OUT: usize>(
    sums: &[f32],
    plan: &Plan,
    strip: Strip,
    layout: SumsLayout,
    channel: usize,
    blocked: &mut [f32],
    y: &mut [f32],
) {
    let g = &plan.g;
    let (sums, _) = sums.as_chunks::<LANES>();
    let (blocked, _) = blocked.as_chunks_mut::<LANES>();
    let (side, width) = (OUT + 2, plan.tiles_x * OUT);
    let block = layout.tiles * layout.vectors + GAP;
    let rows = strip.first * OUT..((strip.first + strip.rows) * OUT).min(g.oh);
    let region = Region {
        pixels: &(rows.start * g.ow..rows.end * g.ow),
        plane: g.plane_out(),
        width: g.ow,
        row: 0,
        column: 0,
        blocked_width: width,
    };
    for (i, image) in y.chunks_exact_mut(g.co * g.plane_out()).enumerate() {
        for ty in 0..strip.rows {
            for tx in 0..plan.tiles_x {
                let tile = (i * strip.rows + ty) * plan.tiles_x + tx;
                let at = ty * OUT * width + tx * OUT;
                both_axes!(
                    V, SIDE, side => OUT, Axis::<OUT>::output,
                    |r, c| V::load(
                        &sums[(r * side + c) * block + tile * layout.vectors + layout.vector]
                    ),
                    |r, c, v| v.store(&mut blocked[at + r * width + c]),
                );
            }
        }
        from_blocked::<V>(blocked, region, channel, g.co, image);
    }
}
