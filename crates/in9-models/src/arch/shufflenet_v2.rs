//! ShuffleNetV2 (Ma et al. 2018), as torchvision names it.

use candle_core::Tensor;

use super::planes::{Plane, assemble, can_assemble};
use crate::error::Result;
use crate::init::Init;
use crate::layers::{Activation, Conv, ConvBnAct, Linear, global_avg_pool, max_pool};
use crate::model::{Context, Network};
use crate::params::Params;

const REPEATS: [usize; 3] = [4, 8, 4];

/// Builds the network; `channels` are those after each of the three stages.
///
/// # Errors
/// When `params` holds weights that do not fit.
pub fn build(params: &Params, classes: usize, channels: [usize; 3]) -> Result<Box<dyn Network>> {
    let stem = Conv::new(3, 24, 3).stride(2);
    let stem = layer(&params.at("conv1"), 0, stem, Activation::Relu)?;
    let mut units = Vec::new();
    let mut from = 24;
    for (stage, (to, repeats)) in channels.into_iter().zip(REPEATS).enumerate() {
        for unit in 0..repeats {
            let name = format!("stage{}.{unit}", stage + 2);
            units.push((Unit::new(&params.at(&name), from, to)?, name));
            from = to;
        }
    }
    let last = layer(&params.at("conv5"), 0, Conv::new(from, 1024, 1), Activation::Relu)?;
    let classifier = Linear::new(params, "fc", 1024, classes)?;
    Ok(Box::new(ShuffleNet { stem, units, last, classifier }))
}

/// The convolution `index` and the batch norm behind it, with PyTorch's default initial values.
fn layer(params: &Params, index: usize, conv: Conv, activation: Activation) -> Result<ConvBnAct> {
    let conv = conv.init(Init::FanInUniform);
    ConvBnAct::new(params, &index.to_string(), &(index + 1).to_string(), conv, activation)
}

struct ShuffleNet {
    stem: ConvBnAct,
    units: Vec<(Unit, String)>,
    last: ConvBnAct,
    classifier: Linear,
}

impl Network for ShuffleNet {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        let x = self.stem.forward(x, context)?;
        let x = context.tap("conv1", x)?;
        let mut x = max_pool(&x, 3, 2, 1)?;
        for (unit, name) in &self.units {
            x = context.tap(name, unit.forward(&x, context)?)?;
        }
        let x = self.last.forward(&x, context)?;
        let x = context.tap("conv5", x)?;
        self.classifier.forward(&global_avg_pool(&x)?)
    }

    fn tap_names(&self) -> Vec<String> {
        let units = self.units.iter().map(|(_, name)| name.clone());
        std::iter::once("conv1".into()).chain(units).chain(std::iter::once("conv5".into())).collect()
    }
}

/// Two branches, joined and shuffled. With a change of channels both see the whole input and halve
/// its resolution; otherwise the left one passes half of the channels on.
struct Unit {
    left: Option<[ConvBnAct; 2]>,
    right: [ConvBnAct; 3],
}

impl Unit {
    fn new(params: &Params, from: usize, to: usize) -> Result<Self> {
        let half = to / 2;
        let down = from != to;
        let stride = if down { 2 } else { 1 };
        let depthwise = |channels| Conv::new(channels, channels, 3).stride(stride).groups(channels);
        let left = if down {
            let params = params.at("branch1");
            Some([
                layer(&params, 0, depthwise(from), Activation::None)?,
                layer(&params, 2, Conv::new(from, half, 1), Activation::Relu)?,
            ])
        } else {
            None
        };
        let params = params.at("branch2");
        let right = [
            layer(&params, 0, Conv::new(if down { from } else { half }, half, 1), Activation::Relu)?,
            layer(&params, 3, depthwise(half), Activation::None)?,
            layer(&params, 5, Conv::new(half, half, 1), Activation::Relu)?,
        ];
        Ok(Self { left, right })
    }

    fn forward(&self, x: &Tensor, context: &Context) -> Result<Tensor> {
        let (left, mut right) = match &self.left {
            Some([depthwise, pointwise]) => {
                let left = pointwise.forward(&depthwise.forward(x, context)?, context)?;
                (left, x.clone())
            }
            None => {
                let half = x.dim(1)? / 2;
                // Of the left one `shuffle` takes the first half.
                (x.clone(), x.narrow(1, half, half)?.contiguous()?)
            }
        };
        for layer in &self.right {
            right = layer.forward(&right, context)?;
        }
        shuffle(&left, &right)
    }
}

/// Channel k of `left` comes to 2k, of `right` to 2k + 1; `left` may have more than are used.
fn shuffle(left: &Tensor, right: &Tensor) -> Result<Tensor> {
    let (n, half, h, w) = right.dims4()?;
    if can_assemble(&[left, right]) {
        let planes = (0..half).flat_map(|k| [Plane::First(k), Plane::Second(k)]).collect();
        return Ok(assemble(left, right, planes)?);
    }
    let left = left.narrow(1, 0, half)?;
    Ok(Tensor::stack(&[&left, right], 2)?.reshape((n, 2 * half, h, w))?)
}
