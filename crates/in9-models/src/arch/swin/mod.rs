//! Swin transformers with 4×4 patches and windows of 7×7 tokens (Liu et al. 2021, arXiv 2103.14030), for evaluation only.
//! Names are timm's.
//!
//! Pictures may have any size of at least a patch: tokens are filled up to whole windows, as torchvision does.

mod block;
pub(crate) mod windows;

use candle_core::Tensor;

use super::transformer::{LayerNorm, Patches, SMALL};
use crate::error::{Error, Result};
use crate::init::Init;
use crate::layers::Linear;
use crate::model::{Context, Mode, Network};
use crate::params::Params;
use block::Block;
use windows::Windows;

/// Sizes of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SwinConfig {
    /// Channels of a token in the first stage; each further stage has twice as many.
    pub width: usize,
    /// Blocks of each stage.
    pub blocks: [usize; 4],
    /// Channels of a head, in every stage.
    pub head: usize,
    /// Tokens a side of a window.
    pub window: usize,
}

impl SwinConfig {
    /// Swin-T.
    pub const TINY: Self = Self { width: 96, blocks: [2, 2, 6, 2], head: 32, window: 7 };
    /// Swin-S.
    pub const SMALL: Self = Self { blocks: [2, 2, 18, 2], ..Self::TINY };
    /// Swin-B.
    pub const BASE: Self = Self { width: 128, ..Self::SMALL };
}

/// Side of a patch, in pixels.
const PATCH: usize = 4;
/// What layer norms add to the variance.
const EPSILON: f64 = 1e-5;

/// Builds a network of these sizes.
///
/// # Errors
/// When `params` holds weights that do not fit.
pub fn build(params: &Params, classes: usize, config: &SwinConfig) -> Result<Box<dyn Network>> {
    let patches = Patches::new(params, "patch_embed.proj", PATCH, config.width, true)?;
    let norm_pre = LayerNorm::new(params, "patch_embed.norm", config.width, EPSILON)?;
    let layers = params.at("layers");
    let stages = (0..4).map(|i| Stage::new(&layers.at(i), config, i)).collect::<Result<_>>()?;
    let width = config.width << 3;
    Ok(Box::new(Swin {
        patches,
        norm_pre,
        stages,
        norm: LayerNorm::new(params, "norm", width, EPSILON)?,
        head: Linear::with_init(params, "head.fc", width, classes, SMALL, Init::Constant(0.0))?,
        name: params.name("swin"),
    }))
}

struct Swin {
    patches: Patches,
    norm_pre: LayerNorm,
    stages: Vec<Stage>,
    norm: LayerNorm,
    head: Linear,
    name: String,
}

impl Network for Swin {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        if context.mode() != Mode::Eval {
            return Err(Error::Frozen(self.name.clone()));
        }
        let (tokens, [rows, columns]) = self.patches.forward(x)?;
        let (n, _, width) = tokens.dims3()?;
        let mut x = self.norm_pre.forward(&tokens)?.reshape((n, rows, columns, width))?;
        for (i, stage) in self.stages.iter().enumerate() {
            x = stage.forward(&x, context)?;
            let (n, rows, columns, width) = x.dims4()?;
            let tokens = x.reshape((n, rows * columns, width))?;
            let tokens = context.tap_tokens(&stage_name(i), tokens, [rows, columns])?;
            x = tokens.reshape((n, rows, columns, width))?;
        }
        if let Some(rollout) = &mut context.rollout {
            rollout.read_mean([rows, columns])?;
        }
        let features = self.norm.forward(&x)?.flatten(1, 2)?.mean(1)?;
        self.head.forward(&features)
    }

    fn own_layers(&self) -> bool {
        false
    }

    fn tap_names(&self) -> Vec<String> {
        (0..self.stages.len()).map(stage_name).collect()
    }

    fn attends(&self) -> bool {
        true
    }
}

fn stage_name(index: usize) -> String {
    format!("layers.{index}")
}

/// Blocks on tokens of one width.
struct Stage {
    /// Makes one token of four.
    merging: Option<Merging>,
    blocks: Vec<Block>,
    window: usize,
}

impl Stage {
    /// Stage `index`, from 0.
    fn new(params: &Params, config: &SwinConfig, index: usize) -> Result<Self> {
        let width = config.width << index;
        let merging = match index {
            0 => None,
            _ => Some(Merging::new(&params.at("downsample"), width / 2)?),
        };
        let blocks = params.at("blocks");
        let block = |i| Block::new(&blocks.at(i), width, width / config.head, config.window, i % 2 == 1);
        let blocks = (0..config.blocks[index]).map(block).collect::<Result<_>>()?;
        Ok(Self { merging, blocks, window: config.window })
    }

    /// # Shapes
    /// - `x`: `[n, rows, columns, width / 2]`, in the first stage `[n, rows, columns, width]`
    /// - output: `[n, rows, columns, width]`
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        let mut x = match &self.merging {
            None => x.clone(),
            Some(merging) => {
                if let Some(rollout) = &mut context.rollout {
                    rollout.merge([x.dim(1)?, x.dim(2)?])?;
                }
                merging.forward(x)?
            }
        };
        let (_, rows, columns, _) = x.dims4()?;
        let windows = Windows::new(self.window, rows, columns, &x)?;
        for block in &self.blocks {
            x = block.forward(&x, &windows, context)?;
        }
        Ok(x)
    }
}

/// Four neighbours become one token of twice the channels.
struct Merging {
    norm: LayerNorm,
    reduction: Linear,
}

impl Merging {
    /// Parameters `norm` and `reduction`, from tokens of `width` channels.
    fn new(params: &Params, width: usize) -> Result<Self> {
        Ok(Self {
            norm: LayerNorm::new(params, "norm", 4 * width, EPSILON)?,
            reduction: Linear::without_bias(params, "reduction", 4 * width, 2 * width, SMALL)?,
        })
    }

    /// # Shapes
    /// - `x`: `[n, rows, columns, width]`; output: half as many of each, rounded up, of twice the width
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let (_, rows, columns, width) = x.dims4()?;
        let x = x.pad_with_zeros(1, 0, rows % 2)?.pad_with_zeros(2, 0, columns % 2)?;
        let (n, rows, columns, _) = x.dims4()?;
        let (rows, columns) = (rows / 2, columns / 2);
        // Down the left column, then down the right one.
        let four = x.reshape(&[n, rows, 2, columns, 2, width])?.permute([0, 1, 3, 4, 2, 5])?;
        let four = four.contiguous()?.reshape((n, rows, columns, 4 * width))?;
        self.reduction.forward(&self.norm.forward(&four)?)
    }
}
