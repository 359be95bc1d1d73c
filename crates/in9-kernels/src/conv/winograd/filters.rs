//! The transformed filters.

use super::{
    GAP, PANEL, Plan,
    transform::{Axis, SIDE},
};
use crate::{
    conv::geometry::Geometry,
    simd::{
        Level, Vector,
        vector::{LANES, for_each_vector},
    },
};
use rayon::prelude::*;

/// The filters of a convolution.
#[derive(Clone, Copy)]
pub(in crate::conv) enum Filters<'a> {
    /// As they are, `[co, ci, 3, 3]`.
    Plain(&'a [f32]),
    /// To be rotated by 180°, `[ci, co, 3, 3]`: those of the gradient with respect to the image.
    Rotated(&'a [f32]),
    /// The result of [`transformed`].
    Transformed(&'a [f32]),
}

/// Outputs of a tile on each axis. The transformed filters depend on nothing else of the geometry.
pub(in crate::conv) fn tile_outputs(g: &Geometry) -> usize {
    Plan::new(g).outputs
}

/// The filters `w` of `[co, ci, 3, 3]`, transformed once for all calls with the same [`tile_outputs`].
pub(in crate::conv) fn transformed(level: Level, w: &[f32], g: &Geometry) -> Vec<f32> {
    let plan = Plan::new(g);
    let mut filters = vec![0f32; filters_len(&plan)];
    transform_filters(level, Filters::Plain(w), &plan, &mut filters);
    filters
}

/// Elements of a panel of `vectors` vectors of output channels.
pub(super) fn panel_len(plan: &Plan, vectors: usize) -> usize {
    plan.products() * (plan.ci_vectors * LANES * vectors + GAP) * LANES
}

/// Elements of all transformed filters.
pub(super) fn filters_len(plan: &Plan) -> usize {
    let (whole, rest) = (plan.co_vectors / 2, plan.co_vectors % 2);
    whole * panel_len(plan, 2) + rest * panel_len(plan, 1)
}

/// Transforms the filters to panels of [`PANEL`] output channels (the last may be half of that), each
/// `[products][input channels, whole vectors][columns]`, with [`GAP`] vectors between products.
pub(super) fn transform_filters(level: Level, w: Filters<'_>, plan: &Plan, filters: &mut [f32]) {
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

/// Transforms the filters of sixteen output channels, from `first` on.
#[inline(always)]
fn transform_vector<V: Vector, const OUT: usize>(
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
    // Channels behind the last are multiplied by inputs of zero, but must not be NaN or infinite.
    for k in 0..side * side {
        for padding in &mut filters[k * block + g.ci * vectors..][..(rows - g.ci) * vectors] {
            *padding = [0.0; LANES];
        }
    }
    for c in 0..g.ci {
        // Nine taps of sixteen filters: first one filter a row, then (transposed) one tap a row.
        let mut taps = [[0f32; LANES]; LANES];
        for (lane, taps) in taps.iter_mut().take(count).enumerate() {
            let w = match w {
                Filters::Plain(w) => &w[((first + lane) * g.ci + c) * 9..],
                Filters::Rotated(w) => &w[(c * g.co + first + lane) * 9..],
                // Nothing to do.
                Filters::Transformed(_) => return,
            };
            match w.first_chunk::<LANES>() {
                Some(w) => V::load(w).store(taps),
                None => taps[..9].copy_from_slice(&w[..9]),
            }
        }
        V::transpose(&mut taps);
        if let Filters::Rotated(_) = w {
            taps[..9].reverse();
        }
        // 3×3 taps become `side`×`side`: first the columns, then the rows.
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
        transform_vector::<V, 4>(w, g, first, filters, vector);
    }
}

for_each_vector! {
    fn filters_2<V>(w: Filters<'_>, g: &Geometry, first: usize, filters: &mut [f32], vector: [usize; 2]) {
        transform_vector::<V, 2>(w, g, first, filters, vector);
    }
}
