//! One block: attention and a perceptron, each behind a norm and beside a way around it.

use candle_core::Tensor;

use super::attention::Attention;
use super::norm::LayerNorm;
use super::{EncoderConfig, Nonlinearity, linear};
use crate::error::Result;
use crate::layers::Linear;
use crate::model::Context;
use crate::params::Params;

/// Two fully connected layers, on each token by itself.
pub(crate) struct Perceptron {
    fc1: Linear,
    fc2: Linear,
    nonlinearity: Nonlinearity,
}

impl Perceptron {
    /// Parameters `fc1` and `fc2`.
    pub(crate) fn new(params: &Params, config: &EncoderConfig) -> Result<Self> {
        Ok(Self {
            fc1: linear(params, "fc1", config.width, config.hidden)?,
            fc2: linear(params, "fc2", config.hidden, config.width)?,
            nonlinearity: config.nonlinearity,
        })
    }

    /// What it makes of `x`, and what goes around it added.
    ///
    /// # Shapes
    /// - `x`, `residual`, output: `[n, tokens, width]`
    pub(crate) fn forward(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor> {
        let hidden = self.fc1.finished(x, self.nonlinearity, None)?;
        self.fc2.finished(&hidden, Nonlinearity::None, Some(residual))
    }

    /// The same perceptron, whose outputs are multiplied by `scale`, `[width]`.
    pub(crate) fn scaled(self, scale: &Tensor) -> Result<Self> {
        Ok(Self { fc2: self.fc2.scaled(scale)?, ..self })
    }
}

/// A block whose norms stand before its layers.
pub(crate) struct Block {
    norm1: LayerNorm,
    attention: Attention,
    norm2: LayerNorm,
    perceptron: Perceptron,
    /// What the input of its attention is called.
    tap: String,
}

impl Block {
    /// Parameters `norm1`, `attn`, `norm2`, `mlp`.
    pub(crate) fn new(params: &Params, config: &EncoderConfig) -> Result<Self> {
        let norm = |name| LayerNorm::new(params, name, config.width, config.epsilon);
        Ok(Self {
            norm1: norm("norm1")?,
            attention: Attention::new(&params.at("attn"), config.width, config.heads)?,
            norm2: norm("norm2")?,
            perceptron: Perceptron::new(&params.at("mlp"), config)?,
            tap: params.name("norm1"),
        })
    }

    /// Tokens of a picture, of which the last are patches in so many rows and columns; those of a text have none.
    ///
    /// # Shapes
    /// - `x`, output: `[n, tokens, width]`
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        mask: Option<&Tensor>,
        grid: Option<[usize; 2]>,
        context: &mut Context,
    ) -> Result<Tensor> {
        let mut behind = self.norm1.forward(x)?;
        if let Some(grid) = grid {
            behind = context.tap_tokens(&self.tap, behind, grid)?;
        }
        let x = self.attention.forward(&behind, Some(x), mask, None, context)?;
        if let Some(rollout) = &mut context.rollout {
            rollout.block()?;
        }
        self.perceptron.forward(&self.norm2.forward(&x)?, &x)
    }

    /// What the input of its attention is called.
    pub(crate) fn tap(&self) -> &str {
        &self.tap
    }
}
