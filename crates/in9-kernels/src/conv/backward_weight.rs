//! The gradient with respect to the filters: which of the methods runs.

use super::{depthwise, geometry::Geometry, implicit, winograd};
use crate::simd::Level;

/// `[co, ci / groups, kh, kw]` from `x` and `dy`.
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
        implicit::backward_weight(level, x, dy, g.n, &implicit::Sum::of(g), &mut dw);
    }
    dw
}
