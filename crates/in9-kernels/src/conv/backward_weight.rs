//! The gradient with respect to the filters.

use super::{
    depthwise, forward,
    geometry::Geometry,
    im2col::{Rows, im2col},
    winograd,
};
use crate::{
    scratch,
    simd::{
        Level,
        gemm::{View, gemm},
    },
};
use rayon::prelude::*;

/// The batch is summed in this many parts, then the parts in order: never by thread count.
const PARTS: usize = 4;

/// `[co, ci / groups, kh, kw]` from `x` and `dy`.
pub(crate) fn backward_weight(x: &[f32], dy: &[f32], g: &Geometry) -> Vec<f32> {
    let mut dw = vec![0f32; g.co * g.cig() * g.taps()];
    if x.is_empty() || dy.is_empty() {
        return dw;
    }
    if g.is_depthwise() {
        depthwise::backward_weight(x, dy, g, &mut dw);
        return dw;
    }
    if winograd::suits(g) {
        winograd::backward_weight(Level::current(), x, dy, g, &mut dw);
        return dw;
    }
    let images = forward::images_per_task(g).min(g.n.div_ceil(PARTS));
    let part = g.n.div_ceil(PARTS).div_ceil(images) * images;
    let (image_in, image_out) = (g.ci * g.plane_in(), g.co * g.plane_out());
    let parts: Vec<Vec<f32>> = x
        .par_chunks(part * image_in)
        .zip(dy.par_chunks(part * image_out))
        .map(|(x, dy)| {
            let mut dw = vec![0f32; g.co * g.cig() * g.taps()];
            let tasks = x.chunks(images * image_in).zip(dy.chunks(images * image_out));
            for (x, dy) in tasks {
                add_images(x, dy, g, &mut dw);
            }
            dw
        })
        .collect();
    for part in parts {
        for (sum, v) in dw.iter_mut().zip(part) {
            *sum += v;
        }
    }
    dw
}

fn add_images(x: &[f32], dy: &[f32], g: &Geometry, dw: &mut [f32]) {
    let (filter, plane) = (g.cig() * g.taps(), g.plane_out());
    let (image_in, image_out) = (g.ci * g.plane_in(), g.co * plane);
    let images = x.len() / image_in;
    let strips: Vec<Rows> =
        if images == 1 { forward::strips(g).collect() } else { vec![Rows { start: 0, count: g.oh }] };
    for group in 0..g.groups {
        if g.is_pointwise() && images == 1 {
            gemm(
                [g.cog(), g.cig(), plane],
                (dy, View::row_major(group * g.cog() * plane, plane)),
                (x, View::transposed(group * g.cig() * plane, plane)),
                (dw, View::row_major(group * g.cog() * filter, filter)),
                true,
            );
            continue;
        }
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
                        let first = (group * g.cig() + c) * g.plane_in();
                        for (i, image) in x.chunks_exact(image_in).enumerate() {
                            im2col(&image[first..], g, rows, channels, col, i * strip, pixels);
                        }
                        let at = group * g.cog() * filter + c * g.taps();
                        gemm(
                            [g.cog(), channels * g.taps(), pixels],
                            (gathered, View::row_major(0, pixels)),
                            (col, View::transposed(0, pixels)),
                            (dw, View::row_major(at, filter)),
                            true,
                        );
                    }
                });
            });
        }
    }
}
