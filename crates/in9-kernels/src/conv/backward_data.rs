//! The gradient with respect to the image.

use super::{
    depthwise, forward,
    geometry::Geometry,
    im2col::{Rows, col2im},
};
use crate::{
    Activation, scratch,
    simd::gemm::{View, gemm},
};
use rayon::prelude::*;

/// `[n, ci, h, w]` from `dy` of `[n, co, oh, ow]`.
pub(crate) fn backward_data(dy: &[f32], w: &[f32], g: &Geometry) -> Vec<f32> {
    let mut dx = vec![0f32; g.n * g.ci * g.plane_in()];
    if dx.is_empty() || dy.is_empty() {
        return dx;
    }
    if g.is_depthwise() {
        depthwise::backward_data(dy, w, g, &mut dx);
        return dx;
    }
    if let Some(mirrored) = mirror(g) {
        let flipped = flip(w, g);
        return forward::forward(dy, &flipped, None, &mirrored, Activation::None);
    }
    let images = forward::images_per_task(g);
    let (image_in, image_out) = (g.ci * g.plane_in(), g.co * g.plane_out());
    dx.par_chunks_mut(images * image_in)
        .zip(dy.par_chunks(images * image_out))
        .for_each(|(dx, dy)| scatter(dy, w, g, images, dx));
    dx
}

/// With stride 1 the gradient is itself a convolution, of `dy` with the flipped filters.
fn mirror(g: &Geometry) -> Option<Geometry> {
    let (reach_y, reach_x) = (g.dy * (g.kh - 1), g.dx * (g.kw - 1));
    let fits = g.sy == 1 && g.sx == 1 && g.groups == 1 && g.top.max(g.bottom) <= reach_y;
    (fits && g.left.max(g.right) <= reach_x).then(|| Geometry {
        ci: g.co,
        co: g.ci,
        h: g.oh,
        w: g.ow,
        oh: g.h,
        ow: g.w,
        top: reach_y - g.top,
        bottom: reach_y - g.bottom,
        left: reach_x - g.left,
        right: reach_x - g.right,
        ..*g
    })
}

/// Filters `[co, ci, kh, kw]` as `[ci, co, kh, kw]`, turned by 180 degrees.
fn flip(w: &[f32], g: &Geometry) -> Vec<f32> {
    let taps = g.taps();
    let mut flipped = vec![0f32; w.len()];
    for (o, filters) in w.chunks_exact(g.ci * taps).enumerate() {
        for (i, filter) in filters.chunks_exact(taps).enumerate() {
            let target = &mut flipped[(i * g.co + o) * taps..][..taps];
            for (to, from) in target.iter_mut().zip(filter.iter().rev()) {
                *to = *from;
            }
        }
    }
    flipped
}

/// The general case: filters transposed times `dy`, each window added back to its place.
fn scatter(dy: &[f32], w: &[f32], g: &Geometry, images: usize, dx: &mut [f32]) {
    let (filter, plane) = (g.cig() * g.taps(), g.plane_out());
    let (image_in, image_out) = (g.ci * g.plane_in(), g.co * plane);
    let strips: Vec<Rows> =
        if images == 1 { forward::strips(g).collect() } else { vec![Rows { start: 0, count: g.oh }] };
    for group in 0..g.groups {
        for &rows in &strips {
            let strip = rows.count * g.ow;
            let pixels = images * strip;
            let block = (forward::WINDOW / (pixels * g.taps())).clamp(1, g.cig());
            scratch::with(g.cog() * pixels, |gathered| {
                for (i, image) in dy.chunks_exact(image_out).enumerate() {
                    let planes = image[group * g.cog() * plane..].chunks_exact(plane);
                    for (to, from) in gathered.chunks_exact_mut(pixels).zip(planes) {
                        to[i * strip..][..strip].copy_from_slice(&from[rows.start * g.ow..][..strip]);
                    }
                }
                scratch::with(block * g.taps() * pixels, |col| {
                    for c in (0..g.cig()).step_by(block) {
                        let channels = block.min(g.cig() - c);
                        let at = group * g.cog() * filter + c * g.taps();
                        gemm(
                            [channels * g.taps(), pixels, g.cog()],
                            (w, View::transposed(at, filter)),
                            (gathered, View::row_major(0, pixels)),
                            (col, View::row_major(0, pixels)),
                            false,
                        );
                        let first = (group * g.cig() + c) * g.plane_in();
                        for (i, image) in dx.chunks_exact_mut(image_in).enumerate() {
                            col2im(&mut image[first..], g, rows, channels, col, i * strip, pixels);
                        }
                    }
                });
            });
        }
    }
}
