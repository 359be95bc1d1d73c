//! The gradient with respect to the filters, by the method that suits the layer.

use super::{depthwise, geometry::Geometry, implicit_gemm, winograd};
use crate::simd::Level;

/// `dw` of `[co, ci / groups, kh, kw]` from `x` of `[n, ci, h, w]` and `dy` of `[n, co, oh, ow]`.
pub(crate) fn backward_weight(x: &[f32], dy: &[f32], g: &Geometry) -> Vec<f32> {
    let mut dw = vec![0f32; g.co * g.cig() * g.taps()];
    if x.is_empty() || dy.is_empty() || dw.is_empty() {
        return dw;
    }
    let level = Level::current();
    if g.is_depthwise() {
        depthwise::backward_weight(x, dy, g, &mut dw);
    } else if winograd::suits(g) {
        winograd::backward_weight(level, x, dy, g, &mut dw);
    } else {
        implicit_gemm::backward_weight(level, x, dy, g.n, &implicit_gemm::Problem::forward(g), &mut dw);
    }
    dw
}
