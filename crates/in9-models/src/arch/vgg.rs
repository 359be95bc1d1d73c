//! VGG16 with batch norm (Simonyan and Zisserman 2014), as torchvision names it.
//!
//! Pictures of at least 32×32 pixels.

use candle_core::Tensor;

use crate::error::Result;
use crate::init::Init;
use crate::layers::{Activation, Conv, ConvBnAct, Dropout, Linear, adaptive_avg_pool, flatten};
use crate::model::{Context, Network};
use crate::params::Params;

/// Channels of each convolution; a group ends with a max-pool.
const GROUPS: [&[usize]; 5] = [&[64, 64], &[128, 128], &[256, 256, 256], &[512, 512, 512], &[512, 512, 512]];

/// Builds VGG16-BN.
///
/// # Errors
/// When `params` holds weights that do not fit.
pub fn build(params: &Params, classes: usize) -> Result<Box<dyn Network>> {
    let mut groups = Vec::new();
    let mut channels = 3;
    // In torchvision's list a convolution is followed by its batch norm and its ReLU.
    let mut index = 0;
    for group in GROUPS {
        let mut layers = Vec::new();
        for &out in group {
            let [name, norm] = [index, index + 1].map(|i| format!("features.{i}"));
            let conv = Conv::new(channels, out, 3);
            layers.push(ConvBnAct::with_bias(params, &name, &norm, conv, Activation::Relu)?);
            channels = out;
            index += 3;
        }
        groups.push((layers, format!("features.{index}")));
        index += 1;
    }
    let linear = |name: &str, inputs, outputs| {
        let init = Init::Normal { std: 0.01 };
        Linear::with_init(params, name, inputs, outputs, init, Init::Constant(0.0))
    };
    let hidden = [linear("classifier.0", 512 * 7 * 7, 4096)?, linear("classifier.3", 4096, 4096)?];
    Ok(Box::new(Vgg {
        groups,
        hidden,
        drop: [2, 5].map(|i| Dropout::new(params, &format!("classifier.{i}"), 0.5)),
        classifier: linear("classifier.6", 4096, classes)?,
    }))
}

struct Vgg {
    /// Convolutions, and the name of the max-pool after them.
    groups: Vec<(Vec<ConvBnAct>, String)>,
    hidden: [Linear; 2],
    drop: [Dropout; 2],
    classifier: Linear,
}

impl Network for Vgg {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        let (mut x, mut entered) = (x.clone(), false);
        for (layers, name) in &self.groups {
            for layer in layers {
                x = if entered { layer.forward(&x, context)? } else { layer.enter(&x, context)? };
                entered = true;
            }
            x = context.tap(name, context.max_pool(&x, 2, 2, 0)?)?;
        }
        x = context.end_of_trunk(x)?;
        x = flatten(&adaptive_avg_pool(&x, 7)?)?;
        for (hidden, drop) in self.hidden.iter().zip(&self.drop) {
            x = drop.forward(&Activation::Relu.apply(&hidden.forward(&x)?)?, context)?;
        }
        self.classifier.forward(&x)
    }

    fn taped(&self) -> bool {
        true
    }

    fn tap_names(&self) -> Vec<String> {
        self.groups.iter().map(|(_, name)| name.clone()).collect()
    }
}
