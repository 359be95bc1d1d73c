//! The text towers of CLIP and SigLIP.

use candle_core::{DType, Tensor};

use super::{Encoder, EncoderConfig, LayerNorm, SMALL, linear};
use crate::error::{Error, Result};
use crate::layers::Linear;
use crate::model::{Context, Mode};
use crate::params::{Kind, Params};

/// Sizes of a text tower.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextTowerConfig {
    /// Its blocks.
    pub encoder: EncoderConfig,
    /// Entries of the vocabulary.
    pub vocabulary: usize,
    /// Most tokens of a text.
    pub context: usize,
    /// Channels of the embedding.
    pub embedding: usize,
    /// Whether a token sees those before it only, as CLIP's do; SigLIP's see all, padding included.
    pub causal: bool,
    /// Whether the projection to the embedding has a bias: SigLIP's has one.
    pub bias: bool,
}

/// From texts to embeddings: that of a text is its last token's.
pub(crate) struct TextTower {
    config: TextTowerConfig,
    /// `[vocabulary, width]`
    tokens: Tensor,
    /// `[context, width]`
    positions: Tensor,
    encoder: Encoder,
    norm: LayerNorm,
    proj: Linear,
}

impl TextTower {
    /// Builds the tower.
    ///
    /// # Errors
    /// When `params` holds weights that do not fit.
    pub(crate) fn new(params: &Params, config: &TextTowerConfig) -> Result<Self> {
        let (width, embedding) = (config.encoder.width, config.embedding);
        Ok(Self {
            config: *config,
            tokens: params.get("tokens.weight", &[config.vocabulary, width], Kind::Weight, SMALL)?.value,
            positions: params.get("positions", &[config.context, width], Kind::Bias, SMALL)?.value,
            encoder: Encoder::new(params, &config.encoder)?,
            norm: LayerNorm::new(params, "norm", width, config.encoder.epsilon)?,
            proj: match config.bias {
                true => linear(params, "proj", width, embedding)?,
                false => Linear::without_bias(params, "proj", width, embedding, SMALL)?,
            },
        })
    }

    /// The embedding of one text, not normalised.
    ///
    /// # Shapes
    /// - `ids`: at most `context` tokens; the last is the one that speaks for the text
    /// - output: `[embedding]`
    ///
    /// # Errors
    /// [`Error::Shape`] for none or too many tokens, [`Error::Setting`] for one outside the vocabulary.
    pub(crate) fn forward(&self, ids: &[u32]) -> Result<Tensor> {
        let count = ids.len();
        if count == 0 || count > self.config.context {
            return Err(Error::Shape {
                what: "tokens of a text".into(),
                expected: format!("1 to {}", self.config.context),
                found: vec![count],
            });
        }
        if let Some(id) = ids.iter().find(|id| **id as usize >= self.config.vocabulary) {
            return Err(Error::setting("token of a text", format!("below {}", self.config.vocabulary), id));
        }
        let device = self.tokens.device();
        let tokens = self.tokens.index_select(&Tensor::new(ids, device)?, 0)?;
        let x = (tokens + self.positions.narrow(0, 0, count)?)?.unsqueeze(0)?;
        let mask = match self.config.causal {
            true => Some(causal(count, &x)?),
            false => None,
        };
        let x = self.encoder.forward(&x, mask.as_ref(), None, &mut Context::new(Mode::Eval))?;
        let last = self.norm.forward(&x.narrow(1, count - 1, 1)?.squeeze(1)?)?;
        Ok(self.proj.forward(&last)?.squeeze(0)?)
    }
}

/// `[tokens, tokens]`: nought where a token (row) sees another (column), minus infinity elsewhere.
fn causal(tokens: usize, like: &Tensor) -> Result<Tensor> {
    let seen = |row: usize, column: usize| if column <= row { 0.0 } else { f32::NEG_INFINITY };
    let values: Vec<f32> =
        (0..tokens).flat_map(|row| (0..tokens).map(move |column| seen(row, column))).collect();
    Ok(Tensor::from_vec(values, (tokens, tokens), like.device())?
        .to_dtype(DType::F32)?
        .to_dtype(like.dtype())?)
}
