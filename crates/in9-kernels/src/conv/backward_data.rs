//! The gradient with respect to the image, by the method that suits the layer.

use super::{depthwise, epilogue::Epilogue, geometry::Geometry, implicit_gemm, winograd};
use crate::simd::Level;

/// `dx` of `[n, ci, h, w]` from `dy` of `[n, co, oh, ow]`.
pub(crate) fn backward_data(dy: &[f32], w: &[f32], g: &Geometry) -> Vec<f32> {
    let level = Level::current();
    if dy.is_empty() || w.is_empty() || g.n * g.ci * g.plane_in() == 0 {
        return vec![0f32; g.n * g.ci * g.plane_in()];
    }
    if g.is_depthwise() {
        return depthwise::backward_data(dy, w, g);
    }
    if winograd::suits(g)
        && let Some(transposed) = transposed(g)
    {
        return winograd::forward(level, dy, winograd::Filters::Rotated(w), &transposed, |_, _| {});
    }
    let problems = implicit_gemm::Problem::backward_data(g);
    implicit_gemm::forward(level, dy, w, g.n, g.plane_in(), [g.co, g.ci], &problems, Epilogue::default())
}

/// With stride 1 the gradient is itself a convolution, of `dy` with the filters rotated by 180°: its sizes,
/// unless it would need negative padding.
pub(crate) fn transposed(g: &Geometry) -> Option<Geometry> {
    let (reach_y, reach_x) = (g.dy * (g.kh - 1), g.dx * (g.kw - 1));
    let fits = g.top.max(g.bottom) <= reach_y && g.left.max(g.right) <= reach_x;
    fits.then(|| Geometry {
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
