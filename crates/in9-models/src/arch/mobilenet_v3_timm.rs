//! MobileNetV3 as timm names it, with PyTorch's or TensorFlow's padding.
//!
//! The `tf_` form carries the weights that Google published; its small one is the paper's
//! MobileNet-v3. Beside the names it differs from torchvision's form in the last layers (the
//! hidden layer is a convolution) and in batch norm's constants.

use candle_core::Tensor;

use super::inverted_residual::{Family, InvertedResidual, to_eights};
use super::mobilenet_v3::Size;
use super::timm_blocks::{Gate, block};
use crate::error::Result;
use crate::init::Init;
use crate::layers::{Activation, Conv, ConvAct, ConvBnAct, Linear, global_avg_pool};
use crate::model::{Context, Network};
use crate::params::Params;

const HS: Activation = Activation::HardSwish;

/// Builds the network; `tensorflow` chooses the padding and batch norm's epsilon of the `tf_` form.
///
/// # Errors
/// When `params` holds weights that do not fit.
pub fn build(params: &Params, classes: usize, size: Size, tensorflow: bool) -> Result<Box<dyn Network>> {
    let eps = if tensorflow { 1e-3 } else { 1e-5 };
    let family = Family { eps, momentum: 0.1, tensorflow, grouped_init: true };
    let names = ["conv_stem", "bn1"].map(str::to_owned);
    let stem = family.layer(params, &names, Conv::new(3, 16, 3).stride(2), HS)?;
    let mut blocks = Vec::new();
    let mut from = 16;
    let (mut stage, mut index) = (0, 0);
    for (i, &row) in size.rows().iter().enumerate() {
        let (_, expanded, to, gated, ..) = row;
        if i > 0 {
            // A stage ends where the number of channels changes.
            (stage, index) = if to == from && i > 1 { (stage, index + 1) } else { (stage + 1, 0) };
        }
        let name = format!("blocks.{stage}.{index}");
        let gate = gated.then(|| Gate {
            squeezed: to_eights(expanded as f64 * 0.25),
            inner: Activation::Relu,
            gate: Activation::HardSigmoid,
        });
        // Only the first block does not expand.
        blocks.push((block(&params.at(&name), family, from, row, i > 0, gate)?, name));
        from = to;
    }
    let wide = 6 * from;
    let last_name = format!("blocks.{}.0", stage + 1);
    let names = ["conv", "bn1"].map(str::to_owned);
    let last = family.layer(&params.at(&last_name), &names, Conv::new(from, wide, 1), HS)?;
    let zero = Init::Constant(0.0);
    let hidden = Conv::new(wide, size.hidden(), 1);
    let hidden = ConvAct::new(params, "conv_head", hidden, Some(zero), HS)?;
    let bound = 1.0 / (classes as f64).sqrt();
    let init = Init::Uniform { bound };
    let classifier = Linear::with_init(params, "classifier", size.hidden(), classes, init, zero)?;
    Ok(Box::new(MobileNetV3 { stem, blocks, last, last_name, hidden, classifier }))
}

struct MobileNetV3 {
    stem: ConvBnAct,
    blocks: Vec<(InvertedResidual, String)>,
    last: ConvBnAct,
    last_name: String,
    hidden: ConvAct,
    classifier: Linear,
}

impl Network for MobileNetV3 {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        let x = self.stem.enter(x, context)?;
        let mut x = context.tap("conv_stem", x)?;
        for (block, name) in &self.blocks {
            x = context.tap(name, block.forward(&x, context)?)?;
        }
        let x = self.last.forward(&x, context)?;
        let x = context.tap(&self.last_name, x)?;
        let x = context.end_of_trunk(x)?;
        self.classifier.forward(&self.hidden.forward_vectors(&global_avg_pool(&x)?)?)
    }

    fn taped(&self) -> bool {
        true
    }

    fn tap_names(&self) -> Vec<String> {
        let blocks = self.blocks.iter().map(|(_, name)| name.clone());
        let last = std::iter::once(self.last_name.clone());
        std::iter::once("conv_stem".into()).chain(blocks).chain(last).collect()
    }
}
