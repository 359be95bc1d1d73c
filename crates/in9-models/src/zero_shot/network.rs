//! An image tower that scores the classes whose texts it was told: a network like any other, for every probe.

use std::sync::Arc;

use candle_core::Tensor;

use super::Family;
use crate::arch::transformer::{ImageTower, ImageTowerConfig};
use crate::error::{Error, Result};
use crate::layers::Linear;
use crate::model::{Builder, Context, Mode, Network};
use crate::registry::Architecture;

/// What the two families are, for results; their networks are built from sizes in files.
pub(super) static CLIP: Architecture = Architecture {
    name: "clip",
    summary: "CLIP, image and text towers, evaluation only",
    input_size: 224,
    paper: "Radford et al. 2021, arXiv 2103.00020",
    evaluation_only: true,
    head: "head",
    build: |_, _| Err(unsized_network("clip")),
};

/// As [`CLIP`].
pub(super) static SIGLIP: Architecture = Architecture {
    name: "siglip",
    summary: "SigLIP, image and text towers, evaluation only",
    input_size: 224,
    paper: "Zhai et al. 2023, arXiv 2303.15343",
    evaluation_only: true,
    head: "head",
    build: |_, _| Err(unsized_network("siglip")),
};

fn unsized_network(name: &str) -> Error {
    Error::setting("architecture", "one whose sizes its name says", name)
}

/// The family, and the sizes as papers write them: `clip-vit-b-32`, `clip-vit-l-14-336`.
pub(super) fn name(family: Family, config: &ImageTowerConfig) -> String {
    let size = match config.encoder.width {
        384 => "s".to_owned(),
        768 => "b".to_owned(),
        1024 => "l".to_owned(),
        1280 => "h".to_owned(),
        width => width.to_string(),
    };
    let pixels = if config.size == 224 { String::new() } else { format!("-{}", config.size) };
    format!("{}-vit-{size}-{}{pixels}", family.architecture().name, config.patch)
}

/// Builds the network over parameters, `visual.…` and `head.…`.
pub(super) fn builder(config: ImageTowerConfig) -> Builder {
    Arc::new(move |params, classes| {
        let network = ZeroShot {
            tower: ImageTower::new(&params.at("visual"), &config)?,
            head: Linear::new(params, "head", config.embedding(), classes)?,
        };
        Ok(Box::new(network) as Box<dyn Network>)
    })
}

struct ZeroShot {
    tower: ImageTower,
    /// Embeddings of the classes' texts times the scale, and the bias.
    head: Linear,
}

impl Network for ZeroShot {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        if context.mode() != Mode::Eval {
            return Err(Error::Frozen("an image tower".to_owned()));
        }
        self.head.forward(&normalised(&self.tower.forward(x, context)?)?)
    }

    fn own_layers(&self) -> bool {
        false
    }

    fn tap_names(&self) -> Vec<String> {
        self.tower.tap_names()
    }

    fn attends(&self) -> bool {
        true
    }
}

/// Vectors of length one.
///
/// # Shapes
/// - `x`, output: `[n, channels]`
pub(super) fn normalised(x: &Tensor) -> Result<Tensor> {
    let length = x.sqr()?.sum_keepdim(1)?.sqrt()?;
    Ok(x.broadcast_div(&length)?)
}
