//! The forward pass: which of the methods runs.

use super::{depthwise, geometry::Geometry, implicit, winograd};
use crate::{Activation, simd::Level};

/// `[n, co, oh, ow]`: `activation(conv(x, w) + bias)`.
pub(crate) fn forward(
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    g: &Geometry,
    activation: Activation,
) -> Vec<f32> {
    let level = Level::current();
    if x.is_empty() || w.is_empty() || g.n * g.co * g.plane_out() == 0 {
        return vec![0f32; g.n * g.co * g.plane_out()];
    }
    if g.is_depthwise() {
        return depthwise::forward(x, w, bias, g, activation);
    }
    if winograd::suits(g) {
        let finish = |y: &mut [f32]| finish_images(y, bias, g, activation);
        return winograd::forward(level, x, winograd::Filters::Plain(w), g, finish);
    }
    let sums = [implicit::Sum::of(g)];
    implicit::forward(level, x, w, bias, g.n, g.plane_out(), [g.ci, g.co], &sums, activation)
}

/// Adds the bias and applies the activation to some images.
fn finish_images(y: &mut [f32], bias: Option<&[f32]>, g: &Geometry, activation: Activation) {
    for (c, plane) in y.chunks_exact_mut(g.plane_out()).enumerate() {
        activation.add_and_apply(plane, bias.map_or(0.0, |b| b[c % g.co]));
    }
}
