//! ShuffleNetV2 (Ma et al. 2018), as torchvision names it.

use std::ops::Range;

use candle_core::Tensor;
use in9_kernels::ChannelSource;

use crate::error::{Error, Result};
use crate::init::Init;
use crate::layers::{Activation, Conv, ConvBnAct, Linear, global_avg_pool, planes};
use crate::model::{Context, Mode, Network};
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
        // The gradients of shuffled channels are made in planes.
        let x = match context.mode() {
            Mode::Eval => self.stem.enter(x, context)?,
            Mode::Train { .. } => self.stem.forward(x, context)?,
        };
        let x = context.tap("conv1", x)?;
        let mut x = Passed::Whole(context.max_pool(&x, 3, 2, 1)?);
        for (i, (unit, name)) in self.units.iter().enumerate() {
            let (left, right) = unit.forward(&x, context)?;
            let half = unit.half;
            let next_splits = self.units.get(i + 1).is_some_and(|(next, _)| next.left.is_none());
            x = if next_splits && !context.wants(name) {
                Passed::Halves(
                    shuffle(context, &left, &right, 0..half)?,
                    shuffle(context, &left, &right, half..2 * half)?,
                )
            } else {
                let x = shuffle(context, &left, &right, 0..2 * half)?;
                Passed::Whole(if context.wants(name) {
                    context.tap(name, planes(&x, 2 * half)?)?
                } else {
                    x
                })
            };
        }
        let x = self.last.forward(x.whole()?, context)?;
        let x = context.tap("conv5", x)?;
        let x = context.end_of_trunk(x)?;
        self.classifier.forward(&global_avg_pool(&x)?)
    }

    fn taped(&self) -> bool {
        true
    }

    fn tap_names(&self) -> Vec<String> {
        let units = self.units.iter().map(|(_, name)| name.clone());
        std::iter::once("conv1".into()).chain(units).chain(std::iter::once("conv5".into())).collect()
    }
}

/// Two branches, joined and shuffled. With a change of channels both see the whole input and halve
/// its resolution; otherwise the left one passes half of the channels on.
struct Unit {
    /// Channels of each branch's result.
    half: usize,
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
        Ok(Self { half, left, right })
    }

    /// The results of both branches, to be shuffled.
    fn forward(&self, x: &Passed, context: &Context) -> Result<(Tensor, Tensor)> {
        let (left, mut right) = match &self.left {
            Some([depthwise, pointwise]) => {
                let x = x.whole()?;
                (pointwise.forward(&depthwise.forward(x, context)?, context)?, x.clone())
            }
            None => x.halves(self.half, context)?,
        };
        for layer in &self.right {
            right = layer.forward(&right, context)?;
        }
        Ok((left, right))
    }
}

/// What one unit passes to the next.
enum Passed {
    /// All channels.
    Whole(Tensor),
    /// For a unit that splits them, their halves, so that nobody copies them once more.
    Halves(Tensor, Tensor),
}

impl Passed {
    /// All channels.
    ///
    /// # Errors
    /// If it was halved: only what goes to a unit that splits is.
    fn whole(&self) -> Result<&Tensor> {
        match self {
            Self::Whole(x) => Ok(x),
            Self::Halves(..) => Err(Error::setting("channels", "all", "halves")),
        }
    }

    /// The first may have all channels: [`shuffle`] takes only the first half of them.
    fn halves(&self, half: usize, context: &Context) -> Result<(Tensor, Tensor)> {
        match self {
            Self::Whole(x) => {
                let second: Vec<ChannelSource> = (half..2 * half).map(ChannelSource::First).collect();
                Ok((x.clone(), context.assemble_channels(x, x, &second)?))
            }
            Self::Halves(first, second) => Ok((first.clone(), second.clone())),
        }
    }
}

/// The channels that come to `places` when channel k of `left` goes to 2k and of `right` to 2k + 1;
/// `left` may have more than are used.
fn shuffle(context: &Context, left: &Tensor, right: &Tensor, places: Range<usize>) -> Result<Tensor> {
    let from = |place: usize| match place % 2 {
        0 => ChannelSource::First(place / 2),
        _ => ChannelSource::Second(place / 2),
    };
    let planes: Vec<ChannelSource> = places.map(from).collect();
    context.assemble_channels(left, right, &planes)
}
