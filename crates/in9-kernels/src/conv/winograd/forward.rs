//! The forward pass.

use super::{
    GAP, PANEL, Plan, Strip,
    transform::{Axis, SIDE, both_axes},
};
use crate::{
    conv::{
        geometry::Geometry,
        images_of_task,
        patch::{Window, gather, scatter},
    },
    output, scratch,
    simd::{
        Level, Vector,
        kernel::{Broadcast, product},
        vector::{LANES, for_each_vector},
    },
};
use rayon::prelude::*;

/// Filters `[co, ci, 3, 3]`, or, for the gradient with respect to the image, `[ci, co, 3, 3]` to be
/// turned by 180 degrees, or what [`transformed`] made of them.
#[derive(Clone, Copy)]
pub(in crate::conv) enum Filters<'a> {
    Plain(&'a [f32]),
    Turned(&'a [f32]),
    Transformed(&'a [f32]),
}

/// Outputs of a tile on each axis, which is all that the transformed filters depend on.
pub(in crate::conv) fn outputs_of(g: &Geometry) -> usize {
    Plan::new(g).outputs
}

/// The filters `w` of `[co, ci, 3, 3]`, transformed once for many calls with the same
/// [`outputs_of`].
pub(in crate::conv) fn transformed(level: Level, w: &[f32], g: &Geometry) -> Vec<f32> {
    let plan = Plan::new(g);
    let mut filters = vec![0f32; filters_len(&plan)];
    transform_all_filters(level, Filters::Plain(w), &plan, &mut filters);
    filters
}

/// `conv(x, w)`; `finish` is called on the outputs of every task, with the number of its first image,
/// while they are in cache.
pub(in crate::conv) fn forward(
    level: Level,
    x: &[f32],
    w: Filters<'_>,
    g: &Geometry,
    finish: impl Fn(usize, &mut [f32]) + Sync,
) -> Vec<f32> {
    let plan = Plan::new(g);
    let (image_in, image_out) = (g.ci * g.plane_in(), g.co * g.plane_out());
    let images = images_of_task(g.n, plan.images);
    let run = |filters: &[f32]| {
        output::chunks(g.n * image_out, images * image_out, |i, y| {
            let x = &x[i * images * image_in..][..y.len() / image_out * image_in];
            task(level, x, filters, &plan, y);
            finish(i * images, y);
        })
    };
    if let Filters::Transformed(filters) = w {
        return run(filters);
    }
    scratch::with(filters_len(&plan), |filters| {
        transform_all_filters(level, w, &plan, filters);
        run(filters)
    })
}

/// Numbers of a panel of that many vectors of output channels.
fn panel_len(plan: &Plan, vectors: usize) -> usize {
    plan.products() * (plan.ci_vectors * LANES * vectors + GAP) * LANES
}

fn filters_len(plan: &Plan) -> usize {
    let (whole, rest) = (plan.co_vectors / 2, plan.co_vectors % 2);
    whole * panel_len(plan, 2) + rest * panel_len(plan, 1)
}

/// The transformed filters: panels of [`PANEL`] output channels (the last may be half), and in each
/// `[products][input channels, whole vectors][columns]`, the products [`GAP`] vectors apart.
fn transform_all_filters(level: Level, w: Filters<'_>, plan: &Plan, filters: &mut [f32]) {
    filters.par_chunks_mut(panel_len(plan, 2)).enumerate().for_each(|(panel, filters)| {
        let vectors = (plan.co_vectors - panel * 2).min(2);
        for vector in 0..vectors {
            let first = panel * PANEL + vector * LANES;
            if plan.outputs == 4 {
                filters_4(level, w, &plan.g, first, filters, [vector, vectors]);
            } else {
                filters_2(level, w, &plan.g, first, filters, [vector, vectors]);
            }
        }
    });
}

#[inline(always)]
fn transform_filters<V: Vector, const OUT: usize>(
    w: Filters<'_>,
    g: &Geometry,
    first: usize,
    filters: &mut [f32],
    [vector, vectors]: [usize; 2],
) {
    let (filters, _) = filters.as_chunks_mut::<LANES>();
    let count = LANES.min(g.co - first);
    let (side, rows) = (OUT + 2, g.ci.div_ceil(LANES) * LANES);
    let block = rows * vectors + GAP;
    // Channels beyond the last are multiplied by zeros among the inputs, but must be numbers.
    for k in 0..side * side {
        for padding in &mut filters[k * block + g.ci * vectors..][..(rows - g.ci) * vectors] {
            *padding = [0.0; LANES];
        }
    }
    for c in 0..g.ci {
        // Nine taps of sixteen filters, one filter a row, then one tap a row.
        let mut taps = [[0f32; LANES]; LANES];
        for (lane, taps) in taps.iter_mut().take(count).enumerate() {
            let w = match w {
                Filters::Plain(w) => &w[((first + lane) * g.ci + c) * 9..],
                Filters::Turned(w) => &w[(c * g.co + first + lane) * 9..],
                // They are ready.
                Filters::Transformed(_) => return,
            };
            match w.first_chunk::<LANES>() {
                Some(w) => V::load(w).store(taps),
                None => taps[..9].copy_from_slice(&w[..9]),
            }
        }
        V::transpose(&mut taps);
        if let Filters::Turned(_) = w {
            taps[..9].reverse();
        }
        // The square is 3×3 before and `side` after, so the two passes differ in length.
        let mut columns = [[V::splat(0.0); 3]; SIDE];
        for x in 0..3 {
            let column = [V::load(&taps[x]), V::load(&taps[3 + x]), V::load(&taps[6 + x])];
            let products = Axis::<OUT>::filter(column);
            for i in 0..side {
                columns[i][x] = products[i];
            }
        }
        for i in 0..side {
            let products = Axis::<OUT>::filter(columns[i]);
            for j in 0..side {
                products[j].store(&mut filters[(i * side + j) * block + c * vectors + vector]);
            }
        }
    }
}

for_each_vector! {
    fn filters_4<V>(w: Filters<'_>, g: &Geometry, first: usize, filters: &mut [f32], vector: [usize; 2]) {
        transform_filters::<V, 4>(w, g, first, filters, vector);
    }
}

for_each_vector! {
    fn filters_2<V>(w: Filters<'_>, g: &Geometry, first: usize, filters: &mut [f32], vector: [usize; 2]) {
        transform_filters::<V, 2>(w, g, first, filters, vector);
    }
}

/// The images of one task, strip after strip.
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
                        let place = Place { tiles, vectors: columns / LANES, vector };
                        transform_outputs(level, sums, plan, strip, place, channel, y);
                    }
                }
            });
        });
    }
}

/// Where a vector of output channels lies among the sums.
#[derive(Clone, Copy)]
struct Place {
    tiles: usize,
    vectors: usize,
    vector: usize,
}

/// Transformed inputs of a strip: `[products][input vectors][tiles][16]`, the products [`GAP`] vectors
/// apart.
pub(super) fn transform_inputs(
    level: Level,
    x: &[f32],
    plan: &Plan,
    strip: Strip,
    tiles: usize,
    out: &mut [f32],
) {
    let [rows, columns] = plan.patch(strip);
    scratch::with(rows * columns * LANES, |patch| {
        patch.fill(0.0);
        if plan.outputs == 4 {
            inputs_4(level, x, plan, strip, tiles, patch, out);
        } else {
            inputs_2(level, x, plan, strip, tiles, patch, out);
        }
    });
}

for_each_vector! {
    fn inputs_4<V>(x: &[f32], plan: &Plan, strip: Strip, tiles: usize, patch: &mut [f32], out: &mut [f32]) {
        inputs::<V, 4>(x, plan, strip, tiles, patch, out);
    }
}

for_each_vector! {
    fn inputs_2<V>(x: &[f32], plan: &Plan, strip: Strip, tiles: usize, patch: &mut [f32], out: &mut [f32]) {
        inputs::<V, 2>(x, plan, strip, tiles, patch, out);
    }
}

#[inline(always)]
fn inputs<V: Vector, const OUT: usize>(
    x: &[f32],
    plan: &Plan,
    strip: Strip,
    tiles: usize,
    patch: &mut [f32],
    out: &mut [f32],
) {
    let g = &plan.g;
    let (patch, _) = patch.as_chunks_mut::<LANES>();
    let (out, _) = out.as_chunks_mut::<LANES>();
    let [rows, width] = plan.patch(strip);
    // The image rows that the patch covers; the rest of it stays zero.
    let top = strip.first * OUT;
    let start = top.saturating_sub(g.top).min(g.h);
    let end = (top + rows).saturating_sub(g.top).min(g.h);
    let window = Window {
        pixels: &(start * g.w..end * g.w),
        plane: g.plane_in(),
        width: g.w,
        row: start + g.top - top.min(start + g.top),
        column: g.left,
        patch_width: width,
    };
    let side = OUT + 2;
    let block = plan.ci_vectors * tiles + GAP;
    for (i, image) in x.chunks_exact(g.ci * g.plane_in()).enumerate() {
        for vector in 0..plan.ci_vectors {
            gather::<V>(image, vector * LANES, g.ci, window, patch);
            for ty in 0..strip.rows {
                for tx in 0..plan.tiles_x {
                    let tile = (i * strip.rows + ty) * plan.tiles_x + tx;
                    let at = ty * OUT * width + tx * OUT;
                    both_axes!(
                        V, SIDE, side => side, Axis::<OUT>::input,
                        |r, c| V::load(&patch[at + r * width + c]),
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
                product::<V, 2>(tiles, a, layout, b, c, columns, false);
            } else {
                product::<V, 1>(tiles, a, layout, b, c, columns, false);
            }
        }
    }
}

/// Sums to outputs, for sixteen output channels.
fn transform_outputs(
    level: Level,
    sums: &[f32],
    plan: &Plan,
    strip: Strip,
    place: Place,
    channel: usize,
    y: &mut [f32],
) {
    let pixels = strip.rows * plan.outputs * plan.tiles_x * plan.outputs;
    scratch::with(pixels * LANES, |patch| {
        if plan.outputs == 4 {
            outputs_4(level, sums, plan, strip, place, channel, patch, y);
        } else {
            outputs_2(level, sums, plan, strip, place, channel, patch, y);
        }
    });
}

for_each_vector! {
    fn outputs_4<V>(sums: &[f32], plan: &Plan, strip: Strip, place: Place, channel: usize, patch: &mut [f32], y: &mut [f32]) {
        outputs::<V, 4>(sums, plan, strip, place, channel, patch, y);
    }
}

for_each_vector! {
    fn outputs_2<V>(sums: &[f32], plan: &Plan, strip: Strip, place: Place, channel: usize, patch: &mut [f32], y: &mut [f32]) {
        outputs::<V, 2>(sums, plan, strip, place, channel, patch, y);
    }
}

#[inline(always)]
fn outputs<V: Vector, const OUT: usize>(
    sums: &[f32],
    plan: &Plan,
    strip: Strip,
    place: Place,
    channel: usize,
    patch: &mut [f32],
    y: &mut [f32],
) {
    let g = &plan.g;
    let (sums, _) = sums.as_chunks::<LANES>();
    let (patch, _) = patch.as_chunks_mut::<LANES>();
    let (side, width) = (OUT + 2, plan.tiles_x * OUT);
    let block = place.tiles * place.vectors + GAP;
    let rows = strip.first * OUT..((strip.first + strip.rows) * OUT).min(g.oh);
    let window = Window {
        pixels: &(rows.start * g.ow..rows.end * g.ow),
        plane: g.plane_out(),
        width: g.ow,
        row: 0,
        column: 0,
        patch_width: width,
    };
    for (i, image) in y.chunks_exact_mut(g.co * g.plane_out()).enumerate() {
        for ty in 0..strip.rows {
            for tx in 0..plan.tiles_x {
                let tile = (i * strip.rows + ty) * plan.tiles_x + tx;
                let at = ty * OUT * width + tx * OUT;
                both_axes!(
                    V, SIDE, side => OUT, Axis::<OUT>::output,
                    |r, c| V::load(
                        &sums[(r * side + c) * block + tile * place.vectors + place.vector]
                    ),
                    |r, c, v| v.store(&mut patch[at + r * width + c]),
                );
            }
        }
        scatter::<V>(patch, window, channel, g.co, image);
    }
}
