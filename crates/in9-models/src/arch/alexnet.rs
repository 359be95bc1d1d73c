//! AlexNet as torchvision has it: the one-tower network of Krizhevsky 2014 ("One weird trick").
//!
//! Pictures of at least 63×63 pixels.

use candle_core::Tensor;

use crate::error::Result;
use crate::init::Init;
use crate::layers::{Activation, Conv, ConvAct, Dropout, Linear, adaptive_avg_pool, flatten, max_pool};
use crate::model::{Context, Network};
use crate::params::Params;

/// Index in `features`, the convolution, and whether a max-pool follows.
fn plan() -> [(usize, Conv, bool); 5] {
    [
        (0, Conv::new(3, 64, 11).stride(4).padding(2), true),
        (3, Conv::new(64, 192, 5), true),
        (6, Conv::new(192, 384, 3), false),
        (8, Conv::new(384, 256, 3), false),
        (10, Conv::new(256, 256, 3), true),
    ]
}

/// Builds the network.
///
/// # Errors
/// When `params` holds weights that do not fit.
pub fn build(params: &Params, classes: usize) -> Result<Box<dyn Network>> {
    let mut features = Vec::new();
    for (index, conv, pool) in plan() {
        let fan_in: usize = conv.weight_shape()[1..].iter().product();
        let bias = Init::Uniform { bound: 1.0 / (fan_in as f64).sqrt() };
        let name = format!("features.{index}");
        let conv = conv.init(Init::FanInUniform);
        features.push((ConvAct::new(params, &name, conv, Some(bias), Activation::Relu)?, name, pool));
    }
    Ok(Box::new(AlexNet {
        features,
        drop: [0, 3].map(|i| Dropout::new(params, &format!("classifier.{i}"), 0.5)),
        hidden: [
            Linear::new(params, "classifier.1", 256 * 6 * 6, 4096)?,
            Linear::new(params, "classifier.4", 4096, 4096)?,
        ],
        classifier: Linear::new(params, "classifier.6", 4096, classes)?,
    }))
}

struct AlexNet {
    features: Vec<(ConvAct, String, bool)>,
    drop: [Dropout; 2],
    hidden: [Linear; 2],
    classifier: Linear,
}

impl Network for AlexNet {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        let mut x = x.clone();
        for (i, (conv, name, pool)) in self.features.iter().enumerate() {
            let y = if i == 0 { conv.enter(&x, context)? } else { conv.forward(&x, context)? };
            x = context.tap(name, y)?;
            if *pool {
                x = max_pool(&x, 3, 2, 0)?;
            }
        }
        x = flatten(&adaptive_avg_pool(&x, 6)?)?;
        for (drop, hidden) in self.drop.iter().zip(&self.hidden) {
            x = Activation::Relu.apply(&hidden.forward(&drop.forward(&x, context)?)?)?;
        }
        self.classifier.forward(&x)
    }

    fn tap_names(&self) -> Vec<String> {
        self.features.iter().map(|(_, name, _)| name.clone()).collect()
    }
}
