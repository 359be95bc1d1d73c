//! Transformers over tokens, for evaluation: the layers that vision transformers, image and text towers share.
//!
//! Names of parameters are timm's (`blocks.3.attn.qkv.weight`). Where a gradient is wanted, every operation is one
//! that Candle can go back through; elsewhere, and on the processor, in9-kernels' layers of transformers are taken.

mod attention;
mod block;
mod image;
mod norm;
mod patches;
mod rotary;
mod text;

pub(crate) use image::ImageTower;
pub use image::{ImageTowerConfig, Pooling};
pub(crate) use text::TextTower;
pub use text::TextTowerConfig;

pub(crate) use attention::Attention;
pub use attention::QkvBias;
use block::Block;
pub(crate) use block::Perceptron;
pub(crate) use norm::LayerNorm;
pub(crate) use patches::Patches;
pub(crate) use rotary::Rotary;

pub use in9_kernels::tokens::Nonlinearity;

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::init::Init;
use crate::layers::Linear;
use crate::model::Context;
use crate::params::Params;

/// Sizes of a stack of blocks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EncoderConfig {
    /// Channels of a token.
    pub width: usize,
    /// Blocks.
    pub layers: usize,
    /// Heads of each attention; a divisor of `width`.
    pub heads: usize,
    /// Channels between the two layers of a perceptron.
    pub hidden: usize,
    /// What stands between them.
    pub nonlinearity: Nonlinearity,
    /// What layer norms add to the variance.
    pub epsilon: f64,
}

impl EncoderConfig {
    /// Refuses sizes that no network has.
    ///
    /// # Errors
    /// [`Error::Setting`] when the heads do not divide the width.
    pub(crate) fn check(&self) -> Result<()> {
        if self.heads == 0 || self.width == 0 || !self.width.is_multiple_of(self.heads) {
            return Err(Error::setting(
                "heads of an attention",
                format!("a divisor of {}", self.width),
                self.heads,
            ));
        }
        Ok(())
    }
}

/// A stack of blocks.
pub(crate) struct Encoder {
    blocks: Vec<Block>,
}

impl Encoder {
    /// The blocks `blocks.0`, `blocks.1`, …
    pub(crate) fn new(params: &Params, config: &EncoderConfig) -> Result<Self> {
        config.check()?;
        let blocks = params.at("blocks");
        let blocks = (0..config.layers).map(|i| Block::new(&blocks.at(i), config)).collect::<Result<_>>()?;
        Ok(Self { blocks })
    }

    /// # Shapes
    /// - `x`, output: `[n, tokens, width]`
    /// - `mask`: `[tokens, tokens]`, added to the products of queries (rows) and keys (columns)
    /// - `grid`: rows and columns of patches, which stand last among the tokens; none of a text
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        mask: Option<&Tensor>,
        grid: Option<[usize; 2]>,
        context: &mut Context,
    ) -> Result<Tensor> {
        let mut x = x.clone();
        for block in &self.blocks {
            x = block.forward(&x, mask, grid, context)?;
        }
        Ok(x)
    }

    /// Where its activations can be tapped: the patches in front of each attention.
    pub(crate) fn tap_names(&self) -> Vec<String> {
        self.blocks.iter().map(|block| block.tap().to_owned()).collect()
    }
}

/// Initial values of weights, tokens and positions.
pub(crate) const SMALL: Init = Init::Normal { std: 0.02 };

/// A fully connected layer with a bias, which is 0 at first.
pub(crate) fn linear(params: &Params, name: &str, inputs: usize, outputs: usize) -> Result<Linear> {
    Linear::with_init(params, name, inputs, outputs, SMALL, Init::Constant(0.0))
}
