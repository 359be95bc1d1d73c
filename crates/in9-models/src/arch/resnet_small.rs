//! Small residual networks for 64×64 photographs: `resnet-small` and `resnet-tiny`.
//!
//! The 18-layer network of He et al. 2015 ("Deep residual learning"), with a 3×3 stem of stride 2,
//! no max-pool and a narrower start. Parameters are named as in torchvision's ResNet.

use candle_core::Tensor;

use crate::error::Result;
use crate::layers::{Activation, Conv, ConvBnAct, Linear, global_avg_pool};
use crate::model::{Context, Network};
use crate::params::Params;

/// Builds the network; `width` is the number of channels after the stem.
///
/// # Errors
/// When `params` holds weights that do not fit.
pub fn build(params: &Params, classes: usize, width: usize) -> Result<Box<dyn Network>> {
    let conv = Conv::new(3, width, 3).stride(2);
    let stem = ConvBnAct::new(params, "conv1", "bn1", conv, Activation::Relu)?;
    let mut blocks = Vec::new();
    let mut channels = width;
    for stage in 0..4 {
        let out = width << stage;
        for block in 0..2 {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let name = format!("layer{}.{block}", stage + 1);
            blocks.push(Block::new(params, name, channels, out, stride)?);
            channels = out;
        }
    }
    let classifier = Linear::new(params, "fc", channels, classes)?;
    Ok(Box::new(ResNetSmall { stem, blocks, classifier }))
}

struct ResNetSmall {
    stem: ConvBnAct,
    blocks: Vec<Block>,
    classifier: Linear,
}

impl Network for ResNetSmall {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        let x = self.stem.enter(x, context)?;
        let mut x = context.tap("conv1", x)?;
        for block in &self.blocks {
            x = block.forward(&x, context)?;
            x = context.tap(&block.name, x)?;
        }
        let x = context.end_of_trunk(x)?;
        let x = context.tap("avgpool", global_avg_pool(&x)?)?;
        self.classifier.forward(&x)
    }

    fn taped(&self) -> bool {
        true
    }

    fn tap_names(&self) -> Vec<String> {
        let blocks = self.blocks.iter().map(|block| block.name.clone());
        std::iter::once("conv1".to_owned())
            .chain(blocks)
            .chain(std::iter::once("avgpool".to_owned()))
            .collect()
    }
}

/// Two 3×3 convolutions and the shortcut around them.
pub(super) struct Block {
    name: String,
    first: ConvBnAct,
    second: ConvBnAct,
    /// A 1×1 convolution where the number of channels or the resolution changes.
    shortcut: Option<ConvBnAct>,
}

impl Block {
    pub(super) fn new(params: &Params, name: String, from: usize, to: usize, stride: usize) -> Result<Self> {
        let params = params.at(&name);
        let first = Conv::new(from, to, 3).stride(stride);
        let first = ConvBnAct::new(&params, "conv1", "bn1", first, Activation::Relu)?;
        let second = Conv::new(to, to, 3);
        let second = ConvBnAct::new(&params, "conv2", "bn2", second, Activation::None)?;
        let shortcut = if stride != 1 || from != to {
            let conv = Conv::new(from, to, 1).stride(stride);
            let params = params.at("downsample");
            Some(ConvBnAct::new(&params, "0", "1", conv, Activation::None)?)
        } else {
            None
        };
        Ok(Self { name, first, second, shortcut })
    }

    pub(super) fn forward(&self, x: &Tensor, context: &Context) -> Result<Tensor> {
        let y = self.first.forward(x, context)?;
        let shortcut = self.shortcut.as_ref().map(|shortcut| shortcut.forward(x, context)).transpose()?;
        self.second.forward_add(&y, shortcut.as_ref().unwrap_or(x), Activation::Relu, context)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Tensor};

    use crate::{Mode, Params, build};

    #[test]
    fn has_the_peers_number_of_weights() {
        let params = Params::random(0, DType::F32, &Device::Cpu);
        let model = build("resnet-small", 9, &params).unwrap();
        assert_eq!(model.parameter_count(), 2_797_353);
    }

    #[test]
    fn taps_are_reached_in_order_with_their_shapes() {
        let params = Params::random(0, DType::F32, &Device::Cpu);
        let model = build("resnet-tiny", 3, &params).unwrap();
        let x = Tensor::zeros((2, 3, 32, 32), DType::F32, &Device::Cpu).unwrap();
        let (y, taps) = model.forward_with_taps(&x, Mode::Eval, &["layer4.1", "conv1"]).unwrap();
        assert_eq!(y.dims(), [2, 3]);
        let shapes: Vec<_> = taps.iter().map(|(n, t)| (n.as_str(), t.dims())).collect();
        assert_eq!(shapes[0], ("conv1", [2, 16, 16, 16].as_slice()));
        assert_eq!(shapes[1], ("layer4.1", [2, 128, 2, 2].as_slice()));
        assert!(model.forward_with_taps(&x, Mode::Eval, &["fc"]).is_err());
    }
}
