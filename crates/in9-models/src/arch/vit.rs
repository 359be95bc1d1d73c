//! Vision transformers with 16×16 patches on 224×224 pictures, for evaluation only: ViT-B/16
//! (Dosovitskiy et al. 2020) and DeiT (Touvron et al. 2020), which have the same layers.
//!
//! The layers are candle-transformers'; names are timm's.

use candle_core::Tensor;
use candle_transformers::models::vit::{Config, Model};

use super::candle_backend::{Place, builder};
use crate::error::{Error, Result};
use crate::model::{Context, Mode, Network};
use crate::params::Params;

/// Builds the network with this many channels and attention heads.
///
/// # Errors
/// When `params` holds weights that do not fit.
pub fn build(params: &Params, classes: usize, channels: usize, heads: usize) -> Result<Box<dyn Network>> {
    let config = Config {
        hidden_size: channels,
        num_attention_heads: heads,
        intermediate_size: 4 * channels,
        // timm's, not the one of candle's configuration.
        layer_norm_eps: 1e-6,
        ..Config::vit_base_patch16_224()
    };
    let model = Model::new(&config, classes, builder(params, place))?;
    Ok(Box::new(Vit { model, name: params.name("vit") }))
}

struct Vit {
    model: Model,
    name: String,
}

impl Network for Vit {
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        if context.mode() != Mode::Eval {
            return Err(Error::Frozen(self.name.clone()));
        }
        if x.dims()[2..] != [224, 224] {
            return Err(Error::Shape {
                what: "input of a vision transformer".into(),
                expected: "[n, 3, 224, 224]".into(),
                found: x.dims().to_vec(),
            });
        }
        Ok(self.model.forward(x)?)
    }

    fn own_layers(&self) -> bool {
        false
    }

    fn tap_names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// timm's name for one of Hugging Face's.
fn place(name: &str) -> Place {
    let Some(rest) = name.strip_prefix("vit.") else {
        return match name.strip_prefix("classifier.") {
            Some(leaf) => Place::Whole(format!("head.{leaf}")),
            None => Place::Absent,
        };
    };
    if let Some(rest) = rest.strip_prefix("encoder.layer.") {
        return block(rest).unwrap_or(Place::Absent);
    }
    let name = match rest {
        "embeddings.cls_token" => "cls_token",
        "embeddings.position_embeddings" => "pos_embed",
        "embeddings.patch_embeddings.projection.weight" => "patch_embed.proj.weight",
        "embeddings.patch_embeddings.projection.bias" => "patch_embed.proj.bias",
        "layernorm.weight" => "norm.weight",
        "layernorm.bias" => "norm.bias",
        _ => return Place::Absent,
    };
    Place::Whole(name.into())
}

/// `3.attention.attention.key.weight` → the second third of `blocks.3.attn.qkv.weight`.
fn block(name: &str) -> Option<Place> {
    let (index, rest) = name.split_once('.')?;
    let (layer, leaf) = rest.rsplit_once('.')?;
    let third = |part| Place::Part { name: format!("blocks.{index}.attn.qkv.{leaf}"), part, of: 3 };
    let layer = match layer {
        "attention.attention.query" => return Some(third(0)),
        "attention.attention.key" => return Some(third(1)),
        "attention.attention.value" => return Some(third(2)),
        "attention.output.dense" => "attn.proj",
        "intermediate.dense" => "mlp.fc1",
        "output.dense" => "mlp.fc2",
        "layernorm_before" => "norm1",
        "layernorm_after" => "norm2",
        _ => return None,
    };
    Some(Place::Whole(format!("blocks.{index}.{layer}.{leaf}")))
}
