//! MobileNetV2 (Sandler et al. 2018), as torchvision names it.

use candle_core::Tensor;

use super::inverted_residual::{BlockNames, Family, InvertedResidual, Sizes};
use crate::error::Result;
use crate::init::Init;
use crate::layers::{Activation, Conv, ConvBnAct, Dropout, Linear, global_avg_pool};
use crate::model::{Context, Network};
use crate::params::Params;

const FAMILY: Family = Family { eps: 1e-5, momentum: 0.1, tensorflow: false, grouped_init: false };

/// Expansion, channels, blocks, stride of the first block.
const STAGES: [(usize, usize, usize, usize); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];

/// Builds the network.
///
/// # Errors
/// When `params` holds weights that do not fit.
pub fn build(params: &Params, classes: usize) -> Result<Box<dyn Network>> {
    let names = |path: &str| ["0", "1"].map(|leaf| format!("{path}.{leaf}"));
    let act = Activation::Relu6;
    let stem = FAMILY.layer(params, &names("features.0"), Conv::new(3, 32, 3).stride(2), act)?;
    let mut blocks = Vec::new();
    let mut from = 32;
    for (expansion, to, repeats, stride) in STAGES {
        for block in 0..repeats {
            let name = format!("features.{}", blocks.len() + 1);
            let first = usize::from(expansion > 1);
            let names = BlockNames {
                expand: (expansion > 1).then(|| names("conv.0")),
                depthwise: names(&format!("conv.{first}")),
                project: [first + 1, first + 2].map(|i| format!("conv.{i}")),
            };
            let sizes = Sizes {
                from,
                expanded: from * expansion,
                to,
                kernel: 3,
                stride: if block == 0 { stride } else { 1 },
                activation: act,
            };
            blocks.push((InvertedResidual::new(&params.at(&name), FAMILY, &names, sizes, None)?, name));
            from = to;
        }
    }
    let last = FAMILY.layer(params, &names("features.18"), Conv::new(from, 1280, 1), act)?;
    let init = Init::Normal { std: 0.01 };
    Ok(Box::new(MobileNetV2 {
        stem,
        blocks,
        last,
        drop: Dropout::new(params, "classifier.0", 0.2),
        classifier: Linear::with_init(params, "classifier.1", 1280, classes, init, Init::Constant(0.0))?,
    }))
}

struct MobileNetV2 {
    stem: ConvBnAct,
    blocks: Vec<(InvertedResidual, String)>,
    last: ConvBnAct,
    drop: Dropout,
    classifier: Linear,
}

impl Network for MobileNetV2 {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        let x = self.stem.enter(x, context)?;
        let mut x = context.tap("features.0", x)?;
        for (block, name) in &self.blocks {
            x = context.tap(name, block.forward(&x, context)?)?;
        }
        let x = self.last.forward(&x, context)?;
        let x = context.tap("features.18", x)?;
        let x = context.end_of_trunk(x)?;
        self.classifier.forward(&self.drop.forward(&global_avg_pool(&x)?, context)?)
    }

    fn taped(&self) -> bool {
        true
    }

    fn tap_names(&self) -> Vec<String> {
        (0..=18).map(|i| format!("features.{i}")).collect()
    }
}
