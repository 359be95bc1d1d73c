//! The block of MobileNetV2, MobileNetV3 and EfficientNet: expand, filter each channel, gate,
//! project (Sandler et al. 2018).

use candle_core::Tensor;
use in9_kernels::blocked;

use crate::error::Result;
use crate::init::Init;
use crate::layers::{Activation, Conv, ConvBnAct, SqueezeExcite};
use crate::model::Context;
use crate::params::Params;

/// A convolution and its batch norm under these two names.
pub(super) type Names = [String; 2];

/// What the networks of this family differ in.
#[derive(Clone, Copy)]
pub(super) struct Family {
    /// Added to the variance in batch norms.
    pub(super) eps: f64,
    /// Share of a batch in the running statistics.
    pub(super) momentum: f64,
    /// Whether convolutions pad as TensorFlow does.
    pub(super) tensorflow: bool,
    /// Whether initial weights count the outputs of one group only, as timm does.
    pub(super) grouped_init: bool,
}

impl Family {
    /// A convolution with its batch norm and activation.
    pub(super) fn layer(
        self,
        params: &Params,
        names: &Names,
        mut conv: Conv,
        activation: Activation,
    ) -> Result<ConvBnAct> {
        if self.tensorflow {
            conv = conv.tensorflow_padding();
        }
        let layer = ConvBnAct::with_eps(params, &names[0], &names[1], conv, activation, self.eps)?;
        Ok(layer.momentum(self.momentum))
    }

    /// A convolution that filters each of `channels` alone.
    fn depthwise(self, channels: usize, kernel: usize, stride: usize) -> Conv {
        let conv = Conv::new(channels, channels, kernel).stride(stride).groups(channels);
        if self.grouped_init {
            let fan_out = (kernel * kernel) as f64;
            conv.init(Init::Normal { std: (2.0 / fan_out).sqrt() })
        } else {
            conv
        }
    }
}

/// The sizes of one block.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) from: usize,
    pub(super) expanded: usize,
    pub(super) to: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) activation: Activation,
}

/// The names of a block's layers.
pub(super) struct BlockNames {
    /// `None` when the block does not expand.
    pub(super) expand: Option<Names>,
    pub(super) depthwise: Names,
    pub(super) project: Names,
}

pub(super) struct InvertedResidual {
    expand: Option<ConvBnAct>,
    depthwise: ConvBnAct,
    gate: Option<SqueezeExcite>,
    project: ConvBnAct,
    skip: bool,
}

impl InvertedResidual {
    pub(super) fn new(
        params: &Params,
        family: Family,
        names: &BlockNames,
        sizes: Sizes,
        gate: Option<SqueezeExcite>,
    ) -> Result<Self> {
        let Sizes { from, expanded, to, kernel, stride, activation } = sizes;
        let expand = match &names.expand {
            Some(names) => Some(family.layer(params, names, Conv::new(from, expanded, 1), activation)?),
            None => None,
        };
        let depthwise = family.depthwise(expanded, kernel, stride);
        let project = Conv::new(expanded, to, 1);
        Ok(Self {
            expand,
            depthwise: family.layer(params, &names.depthwise, depthwise, activation)?,
            gate,
            project: family.layer(params, &names.project, project, Activation::None)?,
            skip: stride == 1 && from == to,
        })
    }

    pub(super) fn forward(&self, x: &Tensor, context: &Context) -> Result<Tensor> {
        if self.project.is_frozen() && blocked::is_in_blocks(x) {
            return self.in_strips(x);
        }
        let mut y = match &self.expand {
            Some(expand) => expand.forward(x, context)?,
            None => x.clone(),
        };
        y = self.depthwise.forward(&y, context)?;
        if let Some(gate) = &self.gate {
            y = gate.forward(y, context)?;
        }
        if self.skip {
            self.project.forward_add(&y, x, Activation::None, context)
        } else {
            self.project.forward(&y, context)
        }
    }

    /// The same of a frozen model, without writing what is expanded to memory.
    fn in_strips(&self, x: &Tensor) -> Result<Tensor> {
        let expand = self.expand.as_ref().map(|expand| expand.frozen_for(x)).transpose()?;
        let gates;
        let gate: Option<blocked::Gate<'_>> = match &self.gate {
            Some(gate) => {
                gates = |means: &Tensor| gate.gates(means);
                Some(&gates)
            }
            None => None,
        };
        let block = blocked::InvertedResidual {
            expand: expand.map(|(layer, _, activation)| (layer, activation)),
            depthwise: self.depthwise.frozen_for(x)?,
            gate,
            project: self.project.frozen_for(x)?.0,
            skip: self.skip,
        };
        Ok(block.forward(x)?)
    }
}

/// `channels` to the nearest multiple of eight, but never more than a tenth below.
pub(super) fn to_eights(channels: f64) -> usize {
    let near = (((channels + 4.0) as usize) / 8 * 8).max(8);
    if (near as f64) < 0.9 * channels { near + 8 } else { near }
}

#[cfg(test)]
mod tests {
    use super::to_eights;

    #[test]
    fn channels_round_to_eights_and_never_far_down() {
        assert_eq!(to_eights(24.0 * 1.1), 24);
        assert_eq!(to_eights(40.0 * 1.1), 48);
        assert_eq!(to_eights(3.0), 8);
        // 11 → 8 would lose more than a tenth.
        assert_eq!(to_eights(11.0), 16);
    }
}
