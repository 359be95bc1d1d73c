//! EfficientNet-B0 and the Lite family (Tan and Le 2019), as timm names them.
//!
//! Lite leaves out squeeze-and-excitation, uses ReLU6 for SiLU, and when it scales keeps the stem,
//! the head and the number of blocks in the first and last stage.

use candle_core::Tensor;

use super::inverted_residual::{Family, InvertedResidual, to_eights};
use super::timm_blocks::{Gate, block};
use crate::error::Result;
use crate::init::Init;
use crate::layers::{Activation, Conv, ConvBnAct, Linear, global_avg_pool};
use crate::model::{Context, Network};
use crate::params::Params;

/// Expansion, channels, blocks, stride of the first block, kernel.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
];

/// Which network of the family.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// Whether it is a Lite network.
    pub lite: bool,
    /// Factor on the channels.
    pub width: f64,
    /// Factor on the blocks of a stage.
    pub depth: f64,
    /// TensorFlow's padding and batch norm's epsilon (timm's `tf_` networks).
    pub tensorflow: bool,
}

/// Builds the network.
///
/// # Errors
/// When `params` holds weights that do not fit.
pub fn build(params: &Params, classes: usize, variant: Variant) -> Result<Box<dyn Network>> {
    let Variant { lite, width, depth, tensorflow } = variant;
    let eps = if tensorflow { 1e-3 } else { 1e-5 };
    let family = Family { eps, momentum: 0.1, tensorflow, grouped_init: true };
    let act = if lite { Activation::Relu6 } else { Activation::Silu };
    let names = |conv: &str, norm: &str| [conv.to_owned(), norm.to_owned()];
    let fixed = |channels: usize| if lite { channels } else { to_eights(channels as f64 * width) };
    let mut from = fixed(32);
    let stem = Conv::new(3, from, 3).stride(2);
    let stem = family.layer(params, &names("conv_stem", "bn1"), stem, act)?;
    let mut blocks = Vec::new();
    for (stage, (expansion, channels, repeats, stride, kernel)) in STAGES.into_iter().enumerate() {
        let to = to_eights(channels as f64 * width);
        let ends = stage == 0 || stage == STAGES.len() - 1;
        let repeats = if lite && ends { repeats } else { (repeats as f64 * depth).ceil() as usize };
        for index in 0..repeats {
            let name = format!("blocks.{stage}.{index}");
            // The squeeze is a quarter of the block's input, not of the expanded channels.
            let squeezed = (from as f64 * 0.25).round() as usize;
            let gate = (!lite).then_some(Gate { squeezed, inner: act, gate: Activation::Sigmoid });
            let stride = if index == 0 { stride } else { 1 };
            let row = (kernel, from * expansion, to, !lite, act, stride);
            blocks.push((block(&params.at(&name), family, from, row, expansion > 1, gate)?, name));
            from = to;
        }
    }
    let head = fixed(1280);
    let last = family.layer(params, &names("conv_head", "bn2"), Conv::new(from, head, 1), act)?;
    let init = Init::Uniform { bound: 1.0 / (classes as f64).sqrt() };
    let classifier = Linear::with_init(params, "classifier", head, classes, init, Init::Constant(0.0))?;
    Ok(Box::new(EfficientNet { stem, blocks, last, classifier }))
}

struct EfficientNet {
    stem: ConvBnAct,
    blocks: Vec<(InvertedResidual, String)>,
    last: ConvBnAct,
    classifier: Linear,
}

impl Network for EfficientNet {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        let x = self.stem.enter(x, context)?;
        let mut x = context.tap("conv_stem", x)?;
        for (block, name) in &self.blocks {
            x = context.tap(name, block.forward(&x, context)?)?;
        }
        let x = self.last.forward(&x, context)?;
        let x = context.tap("conv_head", x)?;
        let x = context.end_of_trunk(x)?;
        self.classifier.forward(&global_avg_pool(&x)?)
    }

    fn taped(&self) -> bool {
        true
    }

    fn tap_names(&self) -> Vec<String> {
        let blocks = self.blocks.iter().map(|(_, name)| name.clone());
        let last = std::iter::once("conv_head".into());
        std::iter::once("conv_stem".into()).chain(blocks).chain(last).collect()
    }
}
