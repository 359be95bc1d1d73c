//! The same network on in9-kernels' layers: several times as fast, and without a way back for gradients.
//!
//! Between the layers a pixel is a token, its channels together; only the depthwise convolutions want blocks of channels.

use candle_core::Tensor;

use crate::arch::transformer::{EncoderConfig, LayerNorm, Nonlinearity, Patches, Perceptron};
use crate::error::Result;
use crate::init::Init;
use crate::layers::{Activation, Conv, ConvAct, Linear};
use crate::model::{Context, Mode};
use crate::params::{Kind, Params};

/// Blocks of each stage of ConvNeXt-T, and their channels: those of candle's configuration, which keeps them to itself.
const STAGES: [(usize, usize); 4] = [(3, 96), (3, 192), (9, 384), (3, 768)];

/// What layer norms add to the variance.
const EPSILON: f64 = 1e-6;

/// Channels of a block in the kernels' layout.
const BLOCK: usize = 8;

pub(super) struct Frozen {
    stem: Patches,
    stem_norm: LayerNorm,
    stages: Vec<Stage>,
    norm: LayerNorm,
    head: Linear,
}

/// Tokens of a grid, `[n, rows · columns, channels]`.
struct Grid {
    tokens: Tensor,
    rows: usize,
    columns: usize,
}

impl Frozen {
    /// Of the parameters that candle's network has, by the same names.
    pub(super) fn new(params: &Params, classes: usize) -> Result<Self> {
        let [(_, first), .., (_, last)] = STAGES;
        let stem = params.at("stem");
        let mut stages = Vec::new();
        let mut before = None;
        for (i, (blocks, channels)) in STAGES.into_iter().enumerate() {
            stages.push(Stage::new(&params.at("stages").at(i), blocks, channels, before)?);
            before = Some(channels);
        }
        let head = params.at("head");
        Ok(Self {
            stem: Patches::new(&stem, "0", 4, first, true)?,
            stem_norm: LayerNorm::new(&stem, "1", first, EPSILON)?,
            stages,
            norm: LayerNorm::new(&head, "norm", last, EPSILON)?,
            head: Linear::new(&head, "fc", last, classes)?,
        })
    }

    /// # Shapes
    /// - `x`: `[n, 3, h, w]`
    /// - output: `[n, classes]`
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (patches, [rows, columns]) = self.stem.forward(x)?;
        let mut x = Grid { tokens: self.stem_norm.forward(&patches)?, rows, columns };
        for stage in &self.stages {
            x = stage.forward(x)?;
        }
        self.head.forward(&self.norm.forward(&x.tokens.mean(1)?)?)
    }
}

struct Stage {
    /// Four neighbours become one token: a norm, and a convolution whose stride is as long as its kernel.
    downsample: Option<(LayerNorm, Linear)>,
    blocks: Vec<Block>,
}

impl Stage {
    fn new(params: &Params, blocks: usize, channels: usize, before: Option<usize>) -> Result<Self> {
        let downsample = match before {
            None => None,
            Some(inputs) => {
                let params = params.at("downsample");
                let norm = LayerNorm::new(&params, "0", inputs, EPSILON)?;
                let params = params.at("1");
                let init = Init::Constant(0.0);
                let weight = params.get("weight", &[channels, inputs, 2, 2], Kind::Weight, init)?.value;
                let bias = params.get("bias", &[channels], Kind::Bias, init)?.value;
                // The channels of a pixel lie together.
                let weight = weight.permute((0, 2, 3, 1))?.reshape((channels, 4 * inputs))?;
                Some((norm, Linear::of(weight, Some(bias))))
            }
        };
        let params = params.at("blocks");
        let blocks = (0..blocks).map(|i| Block::new(&params.at(i), channels)).collect::<Result<_>>()?;
        Ok(Self { downsample, blocks })
    }

    fn forward(&self, mut x: Grid) -> Result<Grid> {
        if let Some((norm, layer)) = &self.downsample {
            let (n, _, channels) = x.tokens.dims3()?;
            let (rows, columns) = (x.rows / 2, x.columns / 2);
            let grid = norm.forward(&x.tokens)?.reshape((n, x.rows, x.columns, channels))?;
            let grid = grid.narrow(1, 0, 2 * rows)?.narrow(2, 0, 2 * columns)?.contiguous()?;
            let four = grid.reshape(&[n, rows, 2, columns, 2, channels])?.permute([0, 1, 3, 2, 4, 5])?;
            let four = four.contiguous()?.reshape((n, rows * columns, 4 * channels))?;
            x = Grid { tokens: layer.forward(&four)?, rows, columns };
        }
        for block in &self.blocks {
            x.tokens = block.forward(&x)?;
        }
        Ok(x)
    }
}

struct Block {
    conv: ConvAct,
    norm: LayerNorm,
    perceptron: Perceptron,
}

impl Block {
    fn new(params: &Params, channels: usize) -> Result<Self> {
        let conv = Conv::new(channels, channels, 7).groups(channels);
        let bias = Some(Init::Constant(0.0));
        let scale = params.get("gamma", &[channels], Kind::Norm, Init::Constant(1.0))?.value;
        let sizes = EncoderConfig {
            width: channels,
            layers: 1,
            heads: 1,
            hidden: 4 * channels,
            nonlinearity: Nonlinearity::Gelu,
            epsilon: EPSILON,
        };
        Ok(Self {
            conv: ConvAct::new(params, "conv_dw", conv, bias, Activation::None)?,
            norm: LayerNorm::new(params, "norm", channels, EPSILON)?,
            perceptron: Perceptron::new(&params.at("mlp"), &sizes)?.scaled(&scale)?,
        })
    }

    fn forward(&self, x: &Grid) -> Result<Tensor> {
        let (n, pixels, channels) = x.tokens.dims3()?;
        let blocks = x.tokens.reshape((n, x.rows, x.columns, channels / BLOCK, BLOCK))?;
        let blocks = blocks.permute((0, 3, 1, 2, 4))?.contiguous()?;
        let y = self.conv.forward(&blocks, &Context::new(Mode::Eval))?;
        let y = y.permute((0, 2, 3, 1, 4))?.contiguous()?.reshape((n, pixels, channels))?;
        self.perceptron.forward(&self.norm.forward(&y)?, &x.tokens)
    }
}
