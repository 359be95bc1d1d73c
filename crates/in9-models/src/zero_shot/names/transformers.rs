//! Names of Hugging Face transformers, for CLIP and SigLIP.

use super::{Place, numbered};

/// Where a tensor goes; `None` for a name of no layer.
pub(super) fn place(name: &str) -> Option<Place> {
    let whole = |name: &str| Some(Place::Whole(name.to_owned()));
    match name {
        "logit_scale" | "logit_bias" => return whole(name),
        "visual_projection.weight" => return whole("visual.proj.weight"),
        "text_projection.weight" => return whole("text.proj.weight"),
        // Numbers from 0 up, which earlier versions stored.
        "text_model.embeddings.position_ids" | "vision_model.embeddings.position_ids" => {
            return Some(Place::Dropped);
        }
        _ => {}
    }
    if let Some(rest) = name.strip_prefix("text_model.") {
        return match rest {
            "embeddings.token_embedding.weight" => whole("text.tokens.weight"),
            "embeddings.position_embedding.weight" => whole("text.positions"),
            "final_layer_norm.weight" => whole("text.norm.weight"),
            "final_layer_norm.bias" => whole("text.norm.bias"),
            "head.weight" => whole("text.proj.weight"),
            "head.bias" => whole("text.proj.bias"),
            _ => block("text", rest),
        };
    }
    let rest = name.strip_prefix("vision_model.")?;
    match rest {
        "embeddings.class_embedding" => whole("visual.class"),
        "embeddings.patch_embedding.weight" => whole("visual.patch.weight"),
        "embeddings.patch_embedding.bias" => whole("visual.patch.bias"),
        "embeddings.position_embedding.weight" => whole("visual.positions"),
        // Their spelling.
        "pre_layrnorm.weight" => whole("visual.norm_pre.weight"),
        "pre_layrnorm.bias" => whole("visual.norm_pre.bias"),
        "post_layernorm.weight" => whole("visual.norm.weight"),
        "post_layernorm.bias" => whole("visual.norm.bias"),
        "head.probe" => whole("visual.pool.query"),
        "head.attention.in_proj_weight" => whole("visual.pool.attn.qkv.weight"),
        "head.attention.in_proj_bias" => whole("visual.pool.attn.qkv.bias"),
        "head.attention.out_proj.weight" => whole("visual.pool.attn.proj.weight"),
        "head.attention.out_proj.bias" => whole("visual.pool.attn.proj.bias"),
        "head.layernorm.weight" => whole("visual.pool.norm.weight"),
        "head.layernorm.bias" => whole("visual.pool.norm.bias"),
        _ => match rest.strip_prefix("head.mlp.").and_then(|rest| rest.split_once('.')) {
            Some((layer @ ("fc1" | "fc2"), leaf)) => whole(&format!("visual.pool.mlp.{layer}.{leaf}")),
            Some(_) => None,
            None => block("visual", rest),
        },
    }
}

/// `encoder.layers.3.self_attn.k_proj.weight` is the second part of `blocks.3.attn.qkv.weight`.
fn block(tower: &str, name: &str) -> Option<Place> {
    let (index, rest) = numbered(name.strip_prefix("encoder.layers.")?)?;
    let (layer, leaf) = rest.rsplit_once('.')?;
    let part = |order| Some(Place::Part(format!("{tower}.blocks.{index}.attn.qkv.{leaf}"), order));
    let layer = match layer {
        "self_attn.q_proj" => return part(0),
        "self_attn.k_proj" => return part(1),
        "self_attn.v_proj" => return part(2),
        "self_attn.out_proj" => "attn.proj",
        "layer_norm1" => "norm1",
        "layer_norm2" => "norm2",
        "mlp.fc1" | "mlp.fc2" => layer,
        _ => return None,
    };
    Some(Place::Whole(format!("{tower}.blocks.{index}.{layer}.{leaf}")))
}
