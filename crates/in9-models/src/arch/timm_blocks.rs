//! Blocks of the mobile networks under timm's names.

use super::inverted_residual::{BlockNames, Family, InvertedResidual, Sizes};
use super::mobilenet_v3::Row;
use crate::error::Result;
use crate::layers::{Activation, SqueezeExcite};
use crate::params::Params;

/// A block's squeeze-and-excitation.
pub(super) struct Gate {
    pub(super) squeezed: usize,
    pub(super) inner: Activation,
    pub(super) gate: Activation,
}

/// A block at `params`; without `expands` its first convolution is the depthwise one and its
/// projection is called `conv_pw`.
pub(super) fn block(
    params: &Params,
    family: Family,
    from: usize,
    (kernel, expanded, to, _, activation, stride): Row,
    expands: bool,
    gate: Option<Gate>,
) -> Result<InvertedResidual> {
    let names = |conv: &str, norm: &str| [conv.to_owned(), norm.to_owned()];
    let names = if expands {
        BlockNames {
            expand: Some(names("conv_pw", "bn1")),
            depthwise: names("conv_dw", "bn2"),
            project: names("conv_pwl", "bn3"),
        }
    } else {
        BlockNames { expand: None, depthwise: names("conv_dw", "bn1"), project: names("conv_pw", "bn2") }
    };
    let gate = match gate {
        Some(Gate { squeezed, inner, gate }) => {
            let paths = ["conv_reduce", "conv_expand"];
            Some(SqueezeExcite::new(&params.at("se"), paths, expanded, squeezed, inner, gate)?)
        }
        None => None,
    };
    let sizes = Sizes { from, expanded, to, kernel, stride, activation };
    InvertedResidual::new(params, family, &names, sizes, gate)
}
