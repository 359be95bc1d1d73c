//! Dual-path network DPN-92 (Chen et al. 2017), as timm names it.
//!
//! Every convolution is preceded by its batch norm and ReLU. One tensor carries both paths: the
//! first channels are added to (residual), each block appends new ones behind them (dense).

use candle_core::Tensor;
use in9_kernels::{ChannelSource, assemble_channels};

use crate::error::Result;
use crate::init::Init;
use crate::layers::{Activation, BatchNorm, Conv, ConvAct, ConvBnAct, global_avg_pool, max_pool};
use crate::model::{Context, Network};
use crate::params::Params;

/// Added to the variance in every batch norm.
const EPS: f64 = 1e-3;

/// Blocks, and channels that each block appends, by stage.
const STAGES: [(usize, usize); 4] = [(3, 16), (4, 32), (20, 24), (3, 128)];

/// Builds DPN-92.
///
/// # Errors
/// When `params` holds weights that do not fit.
pub fn build(params: &Params, classes: usize) -> Result<Box<dyn Network>> {
    let features = params.at("features");
    let stem = Conv::new(3, 64, 7).stride(2);
    let (conv, norm) = ("conv1_1.conv", "conv1_1.bn");
    let stem = ConvBnAct::with_eps(&features, conv, norm, stem, Activation::Relu, EPS)?;
    let mut blocks = Vec::new();
    let mut channels = 64;
    for (stage, (depth, appended)) in STAGES.into_iter().enumerate() {
        let residual = 256 << stage;
        for index in 0..depth {
            let sizes = Sizes {
                from: channels,
                bottleneck: 96 << stage,
                residual,
                appended,
                stride: if stage > 0 && index == 0 { 2 } else { 1 },
                projects: index == 0,
            };
            let name = format!("conv{}_{}", stage + 2, index + 1);
            blocks.push((Block::new(&features.at(&name), sizes)?, format!("features.{name}")));
            channels = if index == 0 { residual + 3 * appended } else { channels + appended };
        }
    }
    // timm asks for an ELU here, but what it builds, and what the published weights are used with,
    // is a ReLU.
    let last = BatchNorm::with_eps(&features, "conv5_bn_ac.bn", channels, Activation::Relu, EPS)?;
    let head = Conv::new(channels, classes, 1).init(Init::FanInUniform);
    let bias = Init::Uniform { bound: 1.0 / (channels as f64).sqrt() };
    let classifier = ConvAct::new(params, "classifier", head, Some(bias), Activation::None)?;
    Ok(Box::new(Dpn { stem, blocks, last, classifier }))
}

struct Dpn {
    stem: ConvBnAct,
    blocks: Vec<(Block, String)>,
    last: BatchNorm,
    /// A 1×1 convolution on the means, which timm keeps for another way of pooling.
    classifier: ConvAct,
}

impl Network for Dpn {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        let x = self.stem.enter(x, context)?;
        let x = context.tap("features.conv1_1", x)?;
        let mut x = max_pool(&x, 3, 2, 1)?;
        for (block, name) in &self.blocks {
            x = context.tap(name, block.forward(&x, context)?)?;
        }
        let x = self.last.forward(&x, context)?;
        let x = context.tap("features.conv5_bn_ac", x)?;
        Ok(self.classifier.forward_vectors(&global_avg_pool(&x)?)?)
    }

    fn tap_names(&self) -> Vec<String> {
        let blocks = self.blocks.iter().map(|(_, name)| name.clone());
        let last = std::iter::once("features.conv5_bn_ac".into());
        std::iter::once("features.conv1_1".into()).chain(blocks).chain(last).collect()
    }
}

struct Sizes {
    from: usize,
    bottleneck: usize,
    residual: usize,
    appended: usize,
    stride: usize,
    /// Whether the input goes through a convolution of its own, as at the start of a stage.
    projects: bool,
}

struct Block {
    residual: usize,
    /// Channels that come with the residual ones, and that the block appends.
    carried: usize,
    appended: usize,
    shortcut: Option<(BatchNorm, ConvAct)>,
    /// Batch norm and ReLU before the first convolution.
    norm: BatchNorm,
    /// First and second convolution, each with the batch norm and ReLU before the next one: in
    /// that grouping evaluation can fold them.
    middle: [ConvBnAct; 2],
    last: ConvAct,
}

impl Block {
    fn new(params: &Params, sizes: Sizes) -> Result<Self> {
        let Sizes { from, bottleneck, residual, appended, stride, projects } = sizes;
        let relu = Activation::Relu;
        let norm = |name: &str| BatchNorm::with_eps(params, &format!("{name}.bn"), from, relu, EPS);
        let plain = |name: &str, conv: Conv| {
            ConvAct::new(params, &format!("{name}.conv"), conv, None, Activation::None)
        };
        let fused = |conv_of: &str, norm_of: &str, conv: Conv| {
            let (conv_name, norm_name) = (format!("{conv_of}.conv"), format!("{norm_of}.bn"));
            ConvBnAct::with_eps(params, &conv_name, &norm_name, conv, relu, EPS)
        };
        let shortcut = if projects {
            let name = if stride == 1 { "c1x1_w_s1" } else { "c1x1_w_s2" };
            let conv = Conv::new(from, residual + 2 * appended, 1).stride(stride);
            Some((norm(name)?, plain(name, conv)?))
        } else {
            None
        };
        let grouped = Conv::new(bottleneck, bottleneck, 3).stride(stride).groups(32);
        Ok(Self {
            residual,
            carried: if projects { residual + 2 * appended } else { from },
            appended,
            shortcut,
            norm: norm("c1x1_a")?,
            middle: [
                fused("c1x1_a", "c3x3_b", Conv::new(from, bottleneck, 1))?,
                fused("c3x3_b", "c1x1_c", grouped)?,
            ],
            last: plain("c1x1_c", Conv::new(bottleneck, residual + appended, 1))?,
        })
    }

    fn forward(&self, x: &Tensor, context: &Context) -> Result<Tensor> {
        let carried = match &self.shortcut {
            Some((norm, conv)) => conv.forward(&norm.forward(x, context)?, context)?,
            None => x.clone(),
        };
        let mut y = self.norm.forward(x, context)?;
        for layer in &self.middle {
            y = layer.forward(&y, context)?;
        }
        self.join(&carried, &self.last.forward(&y, context)?)
    }

    /// The first `residual` channels of both are added; the others of `carried`, then those of `y`, follow.
    fn join(&self, carried: &Tensor, y: &Tensor) -> Result<Tensor> {
        let (residual, before) = (self.residual, self.carried);
        let sums = (0..residual).map(|i| ChannelSource::Sum(i, i));
        let dense = (residual..before).map(ChannelSource::First);
        let appended = (residual..residual + self.appended).map(ChannelSource::Second);
        Ok(assemble_channels(carried, y, &sums.chain(dense).chain(appended).collect::<Vec<_>>())?)
    }
}
