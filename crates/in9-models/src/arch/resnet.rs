//! Residual networks (He et al. 2015) and their wide form (Zagoruyko and Komodakis 2016), as
//! torchvision builds and names them: the stride of a bottleneck is at its 3×3 convolution.

use candle_core::Tensor;

use super::resnet_small::Block;
use crate::error::Result;
use crate::layers::{Activation, Conv, ConvBnAct, Linear, global_avg_pool};
use crate::model::{Context, Network};
use crate::params::Params;

/// The kind of a network's blocks.
#[derive(Clone, Copy, Debug)]
pub enum Blocks {
    /// Two 3×3 convolutions: ResNet-18 and -34.
    Basic,
    /// 1×1, 3×3, 1×1 with four times the channels at the end.
    Bottleneck {
        /// Channels of the 3×3 convolution in the first stage; 64, or 128 for the wide form.
        width: usize,
    },
}

/// Builds the network with this many blocks in each of the four stages.
///
/// # Errors
/// When `params` holds weights that do not fit.
pub fn build(params: &Params, classes: usize, depths: [usize; 4], kind: Blocks) -> Result<Box<dyn Network>> {
    let stem = Conv::new(3, 64, 7).stride(2);
    let stem = ConvBnAct::new(params, "conv1", "bn1", stem, Activation::Relu)?;
    let mut blocks: Vec<(String, Box<dyn Residual>)> = Vec::new();
    let mut channels = 64;
    for (stage, depth) in depths.into_iter().enumerate() {
        for block in 0..depth {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let name = format!("layer{}.{block}", stage + 1);
            let block: Box<dyn Residual> = match kind {
                Blocks::Basic => {
                    let out = 64 << stage;
                    let from = std::mem::replace(&mut channels, out);
                    Box::new(Block::new(params, name.clone(), from, out, stride)?)
                }
                Blocks::Bottleneck { width } => {
                    let out = 256 << stage;
                    let from = std::mem::replace(&mut channels, out);
                    Box::new(Bottleneck::new(&params.at(&name), from, width << stage, out, stride)?)
                }
            };
            blocks.push((name, block));
        }
    }
    let classifier = Linear::new(params, "fc", channels, classes)?;
    Ok(Box::new(ResNet { stem, blocks, classifier }))
}

struct ResNet {
    stem: ConvBnAct,
    blocks: Vec<(String, Box<dyn Residual>)>,
    classifier: Linear,
}

impl Network for ResNet {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        let x = self.stem.enter(x, context)?;
        let x = context.tap("conv1", x)?;
        let mut x = context.max_pool(&x, 3, 2, 1)?;
        for (name, block) in &self.blocks {
            x = context.tap(name, block.forward(&x, context)?)?;
        }
        let x = context.end_of_trunk(x)?;
        let x = context.tap("avgpool", global_avg_pool(&x)?)?;
        self.classifier.forward(&x)
    }

    fn taped(&self) -> bool {
        true
    }

    fn tap_names(&self) -> Vec<String> {
        let blocks = self.blocks.iter().map(|(name, _)| name.clone());
        std::iter::once("conv1".into()).chain(blocks).chain(std::iter::once("avgpool".into())).collect()
    }
}

trait Residual: Send + Sync {
    fn forward(&self, x: &Tensor, context: &Context) -> Result<Tensor>;
}

impl Residual for Block {
    fn forward(&self, x: &Tensor, context: &Context) -> Result<Tensor> {
        Block::forward(self, x, context)
    }
}

struct Bottleneck {
    reduce: ConvBnAct,
    middle: ConvBnAct,
    expand: ConvBnAct,
    /// A 1×1 convolution where the number of channels or the resolution changes.
    shortcut: Option<ConvBnAct>,
}

impl Bottleneck {
    fn new(params: &Params, from: usize, width: usize, to: usize, stride: usize) -> Result<Self> {
        let layer =
            |i: usize, conv, act| ConvBnAct::new(params, &format!("conv{i}"), &format!("bn{i}"), conv, act);
        let reduce = layer(1, Conv::new(from, width, 1), Activation::Relu)?;
        let middle = layer(2, Conv::new(width, width, 3).stride(stride), Activation::Relu)?;
        let expand = layer(3, Conv::new(width, to, 1), Activation::None)?;
        let shortcut = if stride != 1 || from != to {
            let conv = Conv::new(from, to, 1).stride(stride);
            Some(ConvBnAct::new(&params.at("downsample"), "0", "1", conv, Activation::None)?)
        } else {
            None
        };
        Ok(Self { reduce, middle, expand, shortcut })
    }
}

impl Residual for Bottleneck {
    fn forward(&self, x: &Tensor, context: &Context) -> Result<Tensor> {
        let y = self.reduce.forward(x, context)?;
        let y = self.middle.forward(&y, context)?;
        let shortcut = self.shortcut.as_ref().map(|shortcut| shortcut.forward(x, context)).transpose()?;
        self.expand.forward_add(&y, shortcut.as_ref().unwrap_or(x), Activation::Relu, context)
    }
}
