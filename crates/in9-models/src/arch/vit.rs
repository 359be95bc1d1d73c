//! Vision transformers with 16×16 patches on 224×224 pictures, for evaluation only: ViT-B/16
//! (Dosovitskiy et al. 2020) and DeiT (Touvron et al. 2020), which have the same layers. Names are timm's.

use candle_core::Tensor;

use super::transformer::{Encoder, EncoderConfig, LayerNorm, Nonlinearity, Patches, SMALL};
use crate::error::{Error, Result};
use crate::init::Init;
use crate::layers::Linear;
use crate::model::{Context, Mode, Network};
use crate::params::{Kind, Params};

/// Side of a picture, in pixels.
const SIDE: usize = 224;
/// Side of a patch, in pixels.
const PATCH: usize = 16;
/// Patches a side.
const GRID: usize = SIDE / PATCH;

/// Builds the network with this many channels and attention heads, in twelve blocks.
///
/// # Errors
/// When `params` holds weights that do not fit.
pub fn build(params: &Params, classes: usize, channels: usize, heads: usize) -> Result<Box<dyn Network>> {
    let sizes = EncoderConfig {
        width: channels,
        layers: 12,
        heads,
        hidden: 4 * channels,
        nonlinearity: Nonlinearity::Gelu,
        epsilon: 1e-6,
    };
    let token = |name, count| -> Result<Tensor> {
        Ok(params.get(name, &[1, count, channels], Kind::Bias, SMALL)?.value)
    };
    Ok(Box::new(Vit {
        class: token("cls_token", 1)?,
        positions: token("pos_embed", GRID * GRID + 1)?,
        patches: Patches::new(params, "patch_embed.proj", PATCH, channels, true)?,
        encoder: Encoder::new(params, &sizes)?,
        norm: LayerNorm::new(params, "norm", channels, sizes.epsilon)?,
        head: Linear::with_init(params, "head", channels, classes, SMALL, Init::Constant(0.0))?,
        name: params.name("vit"),
    }))
}

struct Vit {
    /// `[1, 1, channels]`
    class: Tensor,
    /// `[1, tokens, channels]`, the class token's first.
    positions: Tensor,
    patches: Patches,
    encoder: Encoder,
    norm: LayerNorm,
    head: Linear,
    name: String,
}

impl Network for Vit {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        if context.mode() != Mode::Eval {
            return Err(Error::Frozen(self.name.clone()));
        }
        if x.dims()[2..] != [SIDE, SIDE] {
            return Err(Error::Shape {
                what: "input of a vision transformer".into(),
                expected: format!("[n, 3, {SIDE}, {SIDE}]"),
                found: x.dims().to_vec(),
            });
        }
        let (patches, grid) = self.patches.forward(x)?;
        let (n, _, channels) = patches.dims3()?;
        let class = self.class.broadcast_as((n, 1, channels))?.contiguous()?;
        let tokens = Tensor::cat(&[&class, &patches], 1)?.broadcast_add(&self.positions)?;
        let tokens = self.encoder.forward(&tokens, None, Some(grid), context)?;
        if let Some(rollout) = &mut context.rollout {
            rollout.read_first(grid)?;
        }
        self.head.forward(&self.norm.forward(&tokens.narrow(1, 0, 1)?.squeeze(1)?)?)
    }

    fn own_layers(&self) -> bool {
        false
    }

    fn tap_names(&self) -> Vec<String> {
        self.encoder.tap_names()
    }

    fn attends(&self) -> bool {
        true
    }
}
