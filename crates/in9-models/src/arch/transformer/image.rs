//! The image towers of CLIP (Radford et al. 2021, arXiv 2103.00020) and SigLIP (Zhai et al. 2023, arXiv 2303.15343).

use candle_core::Tensor;

use super::attention::Attention;
use super::block::Perceptron;
use super::patches::Patches;
use super::{Encoder, EncoderConfig, LayerNorm, SMALL};
use crate::error::{Error, Result};
use crate::layers::Linear;
use crate::model::Context;
use crate::params::{Kind, Params};

/// Sizes of an image tower.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImageTowerConfig {
    /// Its blocks.
    pub encoder: EncoderConfig,
    /// Side of its square pictures, in pixels.
    pub size: usize,
    /// Side of a patch, in pixels; a divisor of `size`.
    pub patch: usize,
    /// How the tokens become one embedding.
    pub pooling: Pooling,
}

/// How an image tower makes one embedding of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The class token, projected to so many channels: CLIP.
    ClassToken {
        /// Channels of the embedding.
        embedding: usize,
    },
    /// A learnt query attends to the patches: SigLIP. As many channels as a token.
    Attention,
}

impl ImageTowerConfig {
    /// Channels of the embedding.
    pub fn embedding(&self) -> usize {
        match self.pooling {
            Pooling::ClassToken { embedding } => embedding,
            Pooling::Attention => self.encoder.width,
        }
    }

    fn patches(&self) -> usize {
        let side = self.size / self.patch.max(1);
        side * side
    }
}

/// From pictures to embeddings.
pub(crate) struct ImageTower {
    config: ImageTowerConfig,
    patches: Patches,
    /// `[tokens, width]`
    positions: Tensor,
    encoder: Encoder,
    norm: LayerNorm,
    end: End,
}

enum End {
    ClassToken {
        /// `[1, 1, width]`
        class: Tensor,
        norm_pre: LayerNorm,
        proj: Linear,
    },
    Attention {
        /// `[1, 1, width]`
        query: Tensor,
        attention: Attention,
        norm: LayerNorm,
        perceptron: Perceptron,
    },
}

impl ImageTower {
    /// Builds the tower.
    ///
    /// # Errors
    /// When `params` holds weights that do not fit.
    pub(crate) fn new(params: &Params, config: &ImageTowerConfig) -> Result<Self> {
        let ImageTowerConfig { encoder: sizes, patch, .. } = *config;
        let width = sizes.width;
        let is_clip = matches!(config.pooling, Pooling::ClassToken { .. });
        let norm = |params: &Params, name| LayerNorm::new(params, name, width, sizes.epsilon);
        let patches = Patches::new(params, "patch", patch, width, !is_clip)?;
        let tokens = config.patches() + usize::from(is_clip);
        let positions = params.get("positions", &[tokens, width], Kind::Bias, SMALL)?.value;
        let end = match config.pooling {
            Pooling::ClassToken { embedding } => End::ClassToken {
                class: params.get("class", &[width], Kind::Bias, SMALL)?.value.reshape((1, 1, width))?,
                norm_pre: norm(params, "norm_pre")?,
                proj: Linear::without_bias(params, "proj", width, embedding, SMALL)?,
            },
            Pooling::Attention => {
                let pool = params.at("pool");
                End::Attention {
                    query: pool.get("query", &[1, 1, width], Kind::Bias, SMALL)?.value,
                    attention: Attention::new(&pool.at("attn"), width, sizes.heads)?,
                    norm: norm(&pool, "norm")?,
                    perceptron: Perceptron::new(&pool.at("mlp"), &sizes)?,
                }
            }
        };
        Ok(Self {
            config: *config,
            patches,
            positions,
            encoder: Encoder::new(params, &sizes)?,
            norm: norm(params, "norm")?,
            end,
        })
    }

    /// Embeddings of pictures, not normalised.
    ///
    /// # Shapes
    /// - `x`: `[n, 3, size, size]`, normalised
    /// - output: `[n, embedding]`
    ///
    /// # Errors
    /// [`Error::Shape`] for pictures of another size.
    pub(crate) fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        let (mut tokens, grid) = self.patches(x)?;
        if let End::ClassToken { class, .. } = &self.end {
            let class = class.broadcast_as((tokens.dim(0)?, 1, self.config.encoder.width))?;
            tokens = Tensor::cat(&[&class, &tokens], 1)?;
        }
        tokens = tokens.broadcast_add(&self.positions)?;
        if let End::ClassToken { norm_pre, .. } = &self.end {
            tokens = norm_pre.forward(&tokens)?;
        }
        let tokens = self.encoder.forward(&tokens, None, Some(grid), context)?;
        match &self.end {
            End::ClassToken { proj, .. } => {
                if let Some(rollout) = &mut context.rollout {
                    rollout.read_first(grid)?;
                }
                proj.forward(&self.norm.forward(&tokens.narrow(1, 0, 1)?.squeeze(1)?)?)
            }
            End::Attention { query, attention, norm, perceptron } => {
                let tokens = self.norm.forward(&tokens)?;
                let queries = query.broadcast_as((tokens.dim(0)?, 1, self.config.encoder.width))?;
                let pooled = attention.across(&queries.contiguous()?, &tokens, context)?;
                if let Some(rollout) = &mut context.rollout {
                    rollout.read_query(grid)?;
                }
                let pooled = perceptron.forward(&norm.forward(&pooled)?, &pooled)?;
                Ok(pooled.squeeze(1)?)
            }
        }
    }

    /// Where activations can be tapped.
    pub(crate) fn tap_names(&self) -> Vec<String> {
        self.encoder.tap_names()
    }

    /// The tokens of the patches, row by row, `[n, patches, width]`, and how many rows and columns there are.
    fn patches(&self, x: &Tensor) -> Result<(Tensor, [usize; 2])> {
        let size = self.config.size;
        if x.rank() != 4 || x.dims()[1..] != [3, size, size] {
            return Err(Error::Shape {
                what: "input of an image tower".into(),
                expected: format!("[n, 3, {size}, {size}]"),
                found: x.dims().to_vec(),
            });
        }
        self.patches.forward(x)
    }
}
