//! The towers' sizes, from the shapes of their tensors.

use std::collections::BTreeMap;
use std::path::Path;

use super::Family;
use super::config::{Config, Tower};
use crate::arch::transformer::{EncoderConfig, ImageTowerConfig, Pooling, TextTowerConfig};
use crate::error::{Error, Result};

/// Names and shapes, without axes of length one in front.
pub(super) struct Shapes<'a> {
    pub(super) path: &'a Path,
    pub(super) shapes: &'a BTreeMap<String, Vec<usize>>,
}

impl Shapes<'_> {
    fn missing(&self, name: &str, expected: &str) -> Error {
        let found = self.shapes.get(name).map_or_else(|| "none".to_owned(), |shape| format!("{shape:?}"));
        Error::file(self.path, format!("tensor {name}; nothing was loaded"), expected, found)
    }

    /// The two sides of a matrix.
    fn matrix(&self, name: &str) -> Result<[usize; 2]> {
        let shape = self.shapes.get(name).and_then(|shape| <[usize; 2]>::try_from(shape.as_slice()).ok());
        shape.ok_or_else(|| self.missing(name, "a matrix"))
    }

    /// Which family it is: SigLIP has a bias of its scores, CLIP a class token.
    pub(super) fn family(&self) -> Result<Family> {
        let has = |name: &str| self.shapes.contains_key(name);
        match (has("logit_bias") && has("visual.pool.query"), has("visual.class")) {
            (true, false) => Ok(Family::Siglip),
            (false, true) => Ok(Family::Clip),
            _ => Err(Error::file(
                self.path,
                "neither CLIP nor SigLIP; nothing was loaded",
                "a class token, or else a bias of the scores and a pooling attention",
                "both or neither",
            )),
        }
    }

    /// Channels of a token in the image and the text tower.
    pub(super) fn widths(&self) -> Result<[usize; 2]> {
        Ok([self.matrix("visual.positions")?[1], self.matrix("text.positions")?[1]])
    }

    /// The image tower.
    ///
    /// # Errors
    /// [`Error::File`] when a tensor is missing, or `config` says something else.
    pub(super) fn image(&self, family: Family, config: &Config) -> Result<ImageTowerConfig> {
        let name = "visual.patch.weight";
        let patch = match self.shapes.get(name).map(Vec::as_slice) {
            Some(&[_, 3, rows, columns]) if rows == columns && rows > 0 => rows,
            _ => return Err(self.missing(name, "[width, 3, side, side]")),
        };
        let [tokens, _] = self.matrix("visual.positions")?;
        let patches = tokens.saturating_sub(usize::from(family == Family::Clip));
        let rows = patches.isqrt();
        if rows == 0 || rows * rows != patches {
            return Err(self.missing("visual.positions", "positions of a square of patches"));
        }
        let image = ImageTowerConfig {
            encoder: self.encoder("visual", &config.image)?,
            size: rows * patch,
            patch,
            pooling: match family {
                Family::Clip => Pooling::ClassToken { embedding: self.matrix("visual.proj.weight")?[0] },
                Family::Siglip => Pooling::Attention,
            },
        };
        self.agree("side of a patch", config.patch, patch)?;
        // What does not divide is cut off at the edge by other libraries; no published network does it.
        self.agree("side of a picture", config.size, image.size)?;
        Ok(image)
    }

    /// The text tower.
    ///
    /// # Errors
    /// As [`Shapes::image`].
    pub(super) fn text(&self, family: Family, config: &Config) -> Result<TextTowerConfig> {
        let [vocabulary, _] = self.matrix("text.tokens.weight")?;
        let [context, _] = self.matrix("text.positions")?;
        Ok(TextTowerConfig {
            encoder: self.encoder("text", &config.text)?,
            vocabulary,
            context,
            embedding: self.matrix("text.proj.weight")?[0],
            causal: family == Family::Clip,
            bias: family == Family::Siglip,
        })
    }

    fn encoder(&self, tower: &str, said: &Tower) -> Result<EncoderConfig> {
        let [_, width] = self.matrix(&format!("{tower}.positions"))?;
        let [hidden, _] = self.matrix(&format!("{tower}.blocks.0.mlp.fc1.weight"))?;
        let has = |layer: usize| self.shapes.contains_key(&format!("{tower}.blocks.{layer}.mlp.fc1.weight"));
        let layers = (0..).take_while(|layer| has(*layer)).count();
        self.agree(&format!("width of the {tower} tower"), said.width, width)?;
        self.agree(&format!("blocks of the {tower} tower"), said.layers, layers)?;
        let (heads, nonlinearity, epsilon) = (said.heads, said.nonlinearity, said.epsilon);
        let config = EncoderConfig { width, layers, heads, hidden, nonlinearity, epsilon };
        config.check()?;
        Ok(config)
    }

    fn agree(&self, what: &str, said: Option<usize>, found: usize) -> Result<()> {
        match said {
            Some(said) if said != found => {
                let what = format!("{what} is not what the configuration beside it says; nothing was loaded");
                Err(Error::file(self.path, what, said, found))
            }
            _ => Ok(()),
        }
    }
}
