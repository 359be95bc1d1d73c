//! The forward pass: which of the methods runs.

use super::{depthwise, finish::Finish, geometry::Geometry, implicit, winograd};
use crate::{Activation, simd::Level};
use rayon::prelude::*;

/// What a convolution is computed by, with all that its packed filters depend on beside the filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Depthwise,
    /// Groups.
    Implicit(usize),
    /// Outputs of a tile on each axis.
    Winograd(usize),
}

impl Method {
    pub(super) fn of(g: &Geometry) -> Self {
        if g.is_depthwise() {
            Self::Depthwise
        } else if winograd::suits(g) {
            Self::Winograd(winograd::outputs_of(g))
        } else {
            Self::Implicit(g.groups)
        }
    }
}

/// The filters in the order in which a method reads them.
pub(super) struct Packed {
    method: Method,
    numbers: Vec<f32>,
}

impl Packed {
    /// Packs `w` of `[co, ci / groups, kh, kw]`; nothing is packed for depthwise filters.
    pub(super) fn new(w: &[f32], g: &Geometry) -> Self {
        let (method, level) = (Method::of(g), Level::current());
        let numbers = match method {
            _ if w.is_empty() => Vec::new(),
            Method::Depthwise => Vec::new(),
            Method::Implicit(_) => implicit::packed(level, w, &implicit::Sum::of(g)),
            Method::Winograd(_) => winograd::transformed(level, w, g),
        };
        Self { method, numbers }
    }
}

/// `[n, co, oh, ow]`: `activation(conv(x, w) + bias + residual)`; `packed` is used if it was packed for
/// the method that suits `g`.
pub(super) fn forward(
    x: &[f32],
    w: &[f32],
    packed: Option<&Packed>,
    g: &Geometry,
    finish: Finish<'_>,
) -> Vec<f32> {
    let (level, len, plane) = (Level::current(), g.n * g.co * g.plane_out(), g.plane_out());
    if len == 0 || x.is_empty() || w.is_empty() {
        // No inputs: every sum is empty.
        let mut y = vec![0f32; len];
        finish.planes(level, 0, plane, &mut y);
        return y;
    }
    let method = Method::of(g);
    let packed = packed.filter(|packed| packed.method == method);
    match method {
        Method::Depthwise if finish.residual.is_none() => {
            depthwise::forward(x, w, finish.bias, g, finish.activation)
        }
        Method::Depthwise => {
            let mut y = depthwise::forward(x, w, None, g, Activation::None);
            y.par_chunks_mut(plane).enumerate().for_each(|(i, y)| finish.planes(level, i, plane, y));
            y
        }
        Method::Implicit(_) => {
            let (sums, channels) = ([implicit::Sum::of(g)], [g.ci, g.co]);
            match packed {
                Some(packed) => {
                    implicit::forward_packed(level, x, &packed.numbers, g.n, plane, channels, &sums, finish)
                }
                None => implicit::forward(level, x, w, g.n, plane, channels, &sums, finish),
            }
        }
        Method::Winograd(_) => {
            let filters = match packed {
                Some(packed) => winograd::Filters::Transformed(&packed.numbers),
                None => winograd::Filters::Plain(w),
            };
            winograd::forward(level, x, filters, g, |first, y| finish.planes(level, first * g.co, plane, y))
        }
    }
}
