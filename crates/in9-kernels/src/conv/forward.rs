//! The forward pass, by the method that suits the layer.

use super::{depthwise, epilogue::Epilogue, geometry::Geometry, implicit_gemm, winograd};
use crate::{Activation, simd::Level};
use rayon::prelude::*;

/// How a convolution is computed. Filters packed for one method fit every layer for which an equal value
/// is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Depthwise,
    /// Implicit matrix product, with this many groups.
    ImplicitGemm(usize),
    /// Winograd's minimal filtering, with this many outputs of a tile on each axis.
    Winograd(usize),
}

impl Method {
    pub(super) fn of(g: &Geometry) -> Self {
        if g.is_depthwise() {
            Self::Depthwise
        } else if winograd::suits(g) {
            Self::Winograd(winograd::tile_outputs(g))
        } else {
            Self::ImplicitGemm(g.groups)
        }
    }
}

/// Filters in the order in which a method reads them.
pub(super) struct Packed {
    method: Method,
    filters: Vec<f32>,
}

impl Packed {
    /// Packs `w` of `[co, ci / groups, kh, kw]`. Depthwise filters need no packing.
    pub(super) fn new(w: &[f32], g: &Geometry) -> Self {
        let (method, level) = (Method::of(g), Level::current());
        let filters = match method {
            _ if w.is_empty() => Vec::new(),
            Method::Depthwise => Vec::new(),
            Method::ImplicitGemm(_) => implicit_gemm::packed(level, w, &implicit_gemm::Problem::forward(g)),
            Method::Winograd(_) => winograd::transformed(level, w, g),
        };
        Self { method, filters }
    }
}

/// `activation(conv(x, w) + bias + residual)`, `[n, co, oh, ow]`.
///
/// `packed` is ignored if it was packed for another method than the one that suits `g`.
pub(super) fn forward(
    x: &[f32],
    w: &[f32],
    packed: Option<&Packed>,
    g: &Geometry,
    epilogue: Epilogue<'_>,
) -> Vec<f32> {
    let (level, len, plane) = (Level::current(), g.n * g.co * g.plane_out(), g.plane_out());
    if len == 0 || x.is_empty() || w.is_empty() {
        // No inputs: every sum is empty.
        let mut y = vec![0f32; len];
        epilogue.apply_in_place(level, 0, plane, &mut y);
        return y;
    }
    let method = Method::of(g);
    let packed = packed.filter(|packed| packed.method == method);
    match method {
        Method::Depthwise if epilogue.residual.is_none() => {
            depthwise::forward(x, w, epilogue.bias, g, epilogue.activation)
        }
        Method::Depthwise => {
            let mut y = depthwise::forward(x, w, None, g, Activation::None);
            let apply = |(i, y): (usize, &mut [f32])| epilogue.apply_in_place(level, i, plane, y);
            y.par_chunks_mut(plane).enumerate().for_each(apply);
            y
        }
        Method::ImplicitGemm(_) => {
            let (problems, channels) = ([implicit_gemm::Problem::forward(g)], [g.ci, g.co]);
            match packed {
                Some(Packed { filters, .. }) => implicit_gemm::forward_packed(
                    level, x, filters, g.n, plane, channels, &problems, epilogue,
                ),
                None => implicit_gemm::forward(level, x, w, g.n, plane, channels, &problems, epilogue),
            }
        }
        Method::Winograd(_) => {
            let filters = match packed {
                Some(packed) => winograd::Filters::Transformed(&packed.filters),
                None => winograd::Filters::Plain(w),
            };
            let apply = |image: usize, y: &mut [f32]| epilogue.apply_in_place(level, image * g.co, plane, y);
            winograd::forward(level, x, filters, g, apply)
        }
    }
}
