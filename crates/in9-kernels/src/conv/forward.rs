//! The forward pass: windows into a matrix that stays in cache, times the filters.

use super::{
    depthwise,
    geometry::Geometry,
    im2col::{Rows, im2col},
    winograd,
};
use crate::{
    Activation, scratch,
    simd::{
        Level,
        gemm::{View, gemm},
    },
};
use rayon::prelude::*;

/// Output pixels of one matrix product: enough to feed the kernel, few enough to stay in cache.
pub(super) const PIXELS: usize = 384;
/// Numbers of the window matrix that are held at once (1.25 MB).
pub(super) const WINDOW: usize = 320 * 1024;

/// `[n, co, oh, ow]`: `activation(conv(x, w) + bias)`.
pub(crate) fn forward(
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    g: &Geometry,
    activation: Activation,
) -> Vec<f32> {
    let (image_in, image_out) = (g.ci * g.plane_in(), g.co * g.plane_out());
    let mut y = vec![0f32; g.n * image_out];
    if y.is_empty() || x.is_empty() {
        return y;
    }
    if g.is_depthwise() {
        depthwise::forward(x, w, bias, g, activation, &mut y);
        return y;
    }
    if winograd::suits(g) {
        let finish = |y: &mut [f32]| finish_images(y, bias, g, activation);
        winograd::forward(Level::current(), x, w, g, &mut y, finish);
        return y;
    }
    let images = images_per_task(g);
    y.par_chunks_mut(images * image_out).zip(x.par_chunks(images * image_in)).for_each(|(y, x)| {
        if g.is_pointwise() && images == 1 {
            pointwise(x, w, g, y);
        } else if images == 1 {
            one_image(x, w, g, y);
        } else {
            several_images(x, w, g, y);
        }
        finish_images(y, bias, g, activation);
    });
    y
}

/// Adds the bias and applies the activation to some images.
fn finish_images(y: &mut [f32], bias: Option<&[f32]>, g: &Geometry, activation: Activation) {
    for (c, plane) in y.chunks_exact_mut(g.plane_out()).enumerate() {
        activation.add_and_apply(plane, bias.map_or(0.0, |b| b[c % g.co]));
    }
}

/// Small planes share a product. The count depends on the plane only, never on batch or threads.
pub(super) fn images_per_task(g: &Geometry) -> usize {
    if g.plane_out() >= 256 { 1 } else { PIXELS.div_ceil(g.plane_out()) }
}

/// Strips of output rows with about [`PIXELS`] pixels.
pub(super) fn strips(g: &Geometry) -> impl Iterator<Item = Rows> {
    let count = (PIXELS / g.ow).clamp(1, g.oh);
    (0..g.oh).step_by(count).map(move |start| Rows { start, count: count.min(g.oh - start) })
}

fn pointwise(x: &[f32], w: &[f32], g: &Geometry, y: &mut [f32]) {
    let plane = g.plane_out();
    for group in 0..g.groups {
        gemm(
            [g.cog(), plane, g.cig()],
            (w, View::row_major(group * g.cog() * g.cig(), g.cig())),
            (x, View::row_major(group * g.cig() * plane, plane)),
            (y, View::row_major(group * g.cog() * plane, plane)),
            false,
        );
    }
}

fn one_image(x: &[f32], w: &[f32], g: &Geometry, y: &mut [f32]) {
    let filter = g.cig() * g.taps();
    for group in 0..g.groups {
        for rows in strips(g) {
            let pixels = rows.count * g.ow;
            let block = (WINDOW / (pixels * g.taps())).clamp(1, g.cig());
            scratch::with(block * g.taps() * pixels, |col| {
                for c in (0..g.cig()).step_by(block) {
                    let channels = block.min(g.cig() - c);
                    let first = (group * g.cig() + c) * g.plane_in();
                    im2col(&x[first..], g, rows, channels, col, 0, pixels);
                    gemm(
                        [g.cog(), pixels, channels * g.taps()],
                        (w, View::row_major(group * g.cog() * filter + c * g.taps(), filter)),
                        (col, View::row_major(0, pixels)),
                        (
                            y,
                            View::row_major(
                                group * g.cog() * g.plane_out() + rows.start * g.ow,
                                g.plane_out(),
                            ),
                        ),
                        c > 0,
                    );
                }
            });
        }
    }
}

fn several_images(x: &[f32], w: &[f32], g: &Geometry, y: &mut [f32]) {
    let (filter, plane) = (g.cig() * g.taps(), g.plane_out());
    let (image_in, image_out) = (g.ci * g.plane_in(), g.co * plane);
    let pixels = images_per_task(g) * plane;
    let rows = Rows { start: 0, count: g.oh };
    let block = (WINDOW / (pixels * g.taps())).clamp(1, g.cig());
    scratch::with(block * g.taps() * pixels, |col| {
        scratch::with(g.cog() * pixels, |out| {
            for group in 0..g.groups {
                for c in (0..g.cig()).step_by(block) {
                    let channels = block.min(g.cig() - c);
                    let first = (group * g.cig() + c) * g.plane_in();
                    for (i, image) in x.chunks_exact(image_in).enumerate() {
                        im2col(&image[first..], g, rows, channels, col, i * plane, pixels);
                    }
                    gemm(
                        [g.cog(), pixels, channels * g.taps()],
                        (w, View::row_major(group * g.cog() * filter + c * g.taps(), filter)),
                        (col, View::row_major(0, pixels)),
                        (out, View::row_major(0, pixels)),
                        c > 0,
                    );
                }
                for (i, image) in y.chunks_exact_mut(image_out).enumerate() {
                    let planes = image[group * g.cog() * plane..].chunks_exact_mut(plane);
                    for (out, y) in out.chunks_exact(pixels).zip(planes) {
                        y.copy_from_slice(&out[i * plane..][..plane]);
                    }
                }
            }
        });
    });
}
