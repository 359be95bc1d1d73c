//! MobileNetV3 (Howard et al. 2019), as torchvision names it.
//!
//! [`mobilenet_v3_timm`](super::mobilenet_v3_timm) is the same design under timm's names.

use candle_core::Tensor;

use super::inverted_residual::{BlockNames, Family, InvertedResidual, Sizes, to_eights};
use crate::error::Result;
use crate::init::Init;
use crate::layers::{Activation, Conv, ConvBnAct, Dropout, Linear, SqueezeExcite, global_avg_pool};
use crate::model::{Context, Network};
use crate::params::Params;

const FAMILY: Family = Family { eps: 1e-3, momentum: 0.01, tensorflow: false, grouped_init: false };

/// One block: kernel, expanded channels, channels, gated, activation, stride.
pub(super) type Row = (usize, usize, usize, bool, Activation, usize);

const RE: Activation = Activation::Relu;
const HS: Activation = Activation::HardSwish;

/// The small network: table 2 of the paper.
pub(super) const SMALL: &[Row] = &[
    (3, 16, 16, true, RE, 2),
    (3, 72, 24, false, RE, 2),
    (3, 88, 24, false, RE, 1),
    (5, 96, 40, true, HS, 2),
    (5, 240, 40, true, HS, 1),
    (5, 240, 40, true, HS, 1),
    (5, 120, 48, true, HS, 1),
    (5, 144, 48, true, HS, 1),
    (5, 288, 96, true, HS, 2),
    (5, 576, 96, true, HS, 1),
    (5, 576, 96, true, HS, 1),
];

/// The large network: table 1 of the paper.
pub(super) const LARGE: &[Row] = &[
    (3, 16, 16, false, RE, 1),
    (3, 64, 24, false, RE, 2),
    (3, 72, 24, false, RE, 1),
    (5, 72, 40, true, RE, 2),
    (5, 120, 40, true, RE, 1),
    (5, 120, 40, true, RE, 1),
    (3, 240, 80, false, HS, 2),
    (3, 200, 80, false, HS, 1),
    (3, 184, 80, false, HS, 1),
    (3, 184, 80, false, HS, 1),
    (3, 480, 112, true, HS, 1),
    (3, 672, 112, true, HS, 1),
    (5, 672, 160, true, HS, 2),
    (5, 960, 160, true, HS, 1),
    (5, 960, 160, true, HS, 1),
];

/// Which of the two networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// 2.5 M weights.
    Small,
    /// 5.5 M weights.
    Large,
}

impl Size {
    pub(super) fn rows(self) -> &'static [Row] {
        match self {
            Self::Small => SMALL,
            Self::Large => LARGE,
        }
    }

    /// Channels of the hidden layer before the classifier.
    pub(super) fn hidden(self) -> usize {
        match self {
            Self::Small => 1024,
            Self::Large => 1280,
        }
    }
}

/// Builds the network.
///
/// # Errors
/// When `params` holds weights that do not fit.
pub fn build(params: &Params, classes: usize, size: Size) -> Result<Box<dyn Network>> {
    let names = |path: &str| ["0", "1"].map(|leaf| format!("{path}.{leaf}"));
    let stem = FAMILY.layer(params, &names("features.0"), Conv::new(3, 16, 3).stride(2), HS)?;
    let mut blocks = Vec::new();
    let mut from = 16;
    for &(kernel, expanded, to, gated, activation, stride) in size.rows() {
        let name = format!("features.{}", blocks.len() + 1);
        let params = params.at(&name).at("block");
        let mut next = 0..;
        let mut index = || next.next().unwrap_or_default().to_string();
        let expand = (expanded != from).then(|| names(&index()));
        let depthwise = names(&index());
        let gate = if gated {
            let at = index();
            let paths = [format!("{at}.fc1"), format!("{at}.fc2")];
            let squeezed = to_eights((expanded / 4) as f64);
            let paths = [paths[0].as_str(), paths[1].as_str()];
            let gate = Activation::HardSigmoid;
            Some(SqueezeExcite::new(&params, paths, expanded, squeezed, RE, gate)?)
        } else {
            None
        };
        let names = BlockNames { expand, depthwise, project: names(&index()) };
        let sizes = Sizes { from, expanded, to, kernel, stride, activation };
        blocks.push((InvertedResidual::new(&params, FAMILY, &names, sizes, gate)?, name));
        from = to;
    }
    let wide = 6 * from;
    let last_name = format!("features.{}", blocks.len() + 1);
    let last = FAMILY.layer(params, &names(&last_name), Conv::new(from, wide, 1), HS)?;
    let linear = |name: &str, inputs, outputs| {
        let init = Init::Normal { std: 0.01 };
        Linear::with_init(params, name, inputs, outputs, init, Init::Constant(0.0))
    };
    Ok(Box::new(MobileNetV3 {
        stem,
        blocks,
        last,
        last_name,
        hidden: linear("classifier.0", wide, size.hidden())?,
        drop: Dropout::new(params, "classifier.2", 0.2),
        classifier: linear("classifier.3", size.hidden(), classes)?,
    }))
}

struct MobileNetV3 {
    stem: ConvBnAct,
    blocks: Vec<(InvertedResidual, String)>,
    last: ConvBnAct,
    last_name: String,
    hidden: Linear,
    drop: Dropout,
    classifier: Linear,
}

impl Network for MobileNetV3 {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        let x = self.stem.enter(x, context)?;
        let mut x = context.tap("features.0", x)?;
        for (block, name) in &self.blocks {
            x = context.tap(name, block.forward(&x, context)?)?;
        }
        let x = self.last.forward(&x, context)?;
        let x = context.tap(&self.last_name, x)?;
        let x = context.end_of_trunk(x)?;
        let x = HS.apply(&self.hidden.forward(&global_avg_pool(&x)?)?)?;
        self.classifier.forward(&self.drop.forward(&x, context)?)
    }

    fn taped(&self) -> bool {
        true
    }

    fn tap_names(&self) -> Vec<String> {
        let blocks = self.blocks.iter().map(|(_, name)| name.clone());
        let last = std::iter::once(self.last_name.clone());
        std::iter::once("features.0".into()).chain(blocks).chain(last).collect()
    }
}
