//! The Segment Anything Model (Kirillov et al. 2023, ViT-B, L and H) and MobileSAM (Zhang et al. 2023), told a box: a source of
//! masks for in9-data.
//!
//! Encoder of images and of prompts, and the transformer of the decoder, are candle-transformers'. What computes GELU by its
//! approximation there, the decoder's upscaling and TinyViT, is ours, with the authors' GELU. Names of parameters are the
//! authors'.

mod decoder;
mod masks;
mod memory;
mod sizes;
mod tiny_vit;

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::Module as _;
use candle_transformers::models::segment_anything::image_encoder::ImageEncoderViT;
use candle_transformers::models::segment_anything::prompt_encoder::PromptEncoder;
use in9_base::guard::guarded;

use crate::arch::candle_backend::builder;
use crate::error::{Error, Result};
use crate::params::Params;
use crate::weights::{StateDict, finite};

use decoder::Decoder;
use tiny_vit::TinyVit;

pub use masks::open;
pub use sizes::{DecoderSizes, EncoderSizes, SamConfig, TinySizes, VitSizes};

/// A network that is shown a picture and told a box.
pub struct Sam {
    encoder: Encoder,
    prompts: PromptEncoder,
    decoder: Decoder,
    config: SamConfig,
}

enum Encoder {
    Vit(Box<ImageEncoderViT>),
    Tiny(Box<TinyVit>),
}

impl Sam {
    /// The network of these sizes with the weights `tensors`, which were read from `path`.
    ///
    /// # Errors
    /// [`Error::Weights`] for values that are no numbers, [`Error::File`] if one that is needed is missing, has another shape,
    /// or is not needed.
    pub fn new(path: &Path, config: &SamConfig, tensors: &StateDict) -> Result<Self> {
        let mut values = HashMap::new();
        for (name, raw) in tensors.iter().filter(|(name, _)| config.uses(name)) {
            let finite = finite(name, raw).map_err(|fault| fault.at(path))?;
            values.insert(name.to_owned(), Tensor::from_vec(finite, raw.shape(), &Device::Cpu)?);
        }
        let params = Params::frozen(values, DType::F32, &Device::Cpu);
        // Candle adds where it was called from, on further lines.
        let first = |error: Error| error.to_string().lines().next().unwrap_or_default().to_owned();
        let sam = guarded(|| Self::build(&params, config).map_err(first)).map_err(|found| {
            Error::file(path, "not the weights of a SAM", "tensors that fit together", found)
        })?;
        match &params.unused()[..] {
            [] => Ok(sam),
            [first, ..] => Err(Error::file(path, "not the weights of a SAM", "its tensors alone", first)),
        }
    }

    fn build(params: &Params, config: &SamConfig) -> Result<Self> {
        let none_is_absent = |_: &str| false;
        let DecoderSizes { width, mask_channels, .. } = config.decoder;
        let image = params.at("image_encoder");
        let encoder = match &config.encoder {
            EncoderSizes::Vit(vit) => Encoder::Vit(Box::new(ImageEncoderViT::new(
                config.image,
                vit.patch,
                3,
                vit.width,
                vit.layers,
                vit.heads,
                width,
                true,
                true,
                true,
                vit.window,
                &vit.global,
                builder(&image, none_is_absent),
            )?)),
            EncoderSizes::Tiny(tiny) => Encoder::Tiny(Box::new(TinyVit::new(&image, tiny, width)?)),
        };
        let (grid, side) = (config.grid(), config.image);
        let vb = builder(&params.at("prompt_encoder"), none_is_absent);
        let prompts = PromptEncoder::new(width, (grid, grid), (side, side), mask_channels, vb)?;
        let decoder = Decoder::new(&config.decoder, builder(&params.at("mask_decoder"), none_is_absent))?;
        Ok(Self { encoder, prompts, decoder, config: config.clone() })
    }

    /// The logits of the mask of what is in the box, one mask, as the authors have it for a prompt that is not ambiguous.
    ///
    /// # Shapes
    /// - `pixels`: `[1, 3, side, side]`, normalised; what the picture leaves free on the right and below is 0
    /// - `corners`: left, top, right, bottom, in pixels
    /// - output: `[1, 1, 4 · grid, 4 · grid]`
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn forward(&self, pixels: &Tensor, corners: [f32; 4]) -> Result<Tensor> {
        let seen = match &self.encoder {
            Encoder::Vit(vit) => vit.forward(pixels)?,
            Encoder::Tiny(tiny) => tiny.forward(pixels)?,
        };
        let corners = Tensor::new(&[corners], pixels.device())?;
        let (sparse, dense) = self.prompts.forward(None, Some(&corners), None)?;
        // candle-transformers puts the two corners behind each other in one token; they are one each.
        let sparse = sparse.reshape((1, 2, self.config.decoder.width))?;
        self.decoder.forward(&seen, &self.prompts.get_dense_pe()?, &sparse, &dense)
    }
}
