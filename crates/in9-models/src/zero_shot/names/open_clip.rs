//! open_clip's names, for its own towers (CLIP) and for image towers of timm (SigLIP).

use super::{Place, numbered, timm};

/// Where a tensor goes; `None` for a name of no layer.
pub(super) fn place(name: &str) -> Option<Place> {
    let whole = |name: &str| Some(Place::Whole(name.to_owned()));
    match name {
        "logit_scale" | "logit_bias" => return whole(name),
        // OpenAI's files keep their sizes among the tensors.
        "input_resolution" | "context_length" | "vocab_size" => return Some(Place::Dropped),
        _ => {}
    }
    if let Some(rest) = name.strip_prefix("visual.trunk.") {
        return timm::place(rest);
    }
    if let Some(rest) = name.strip_prefix("visual.") {
        return match rest {
            "class_embedding" => whole("visual.class"),
            "positional_embedding" => whole("visual.positions"),
            "conv1.weight" => whole("visual.patch.weight"),
            "proj" => Some(Place::Transposed("visual.proj.weight".to_owned())),
            _ => layer(rest, &[("ln_pre", "norm_pre"), ("ln_post", "norm")])
                .map(|ours| Place::Whole(format!("visual.{ours}"))),
        };
    }
    // A text tower that is a module of its own has its name in front.
    let rest = name.strip_prefix("text.").unwrap_or(name);
    match rest {
        "positional_embedding" => whole("text.positions"),
        "token_embedding.weight" => whole("text.tokens.weight"),
        "text_projection" => Some(Place::Transposed("text.proj.weight".to_owned())),
        "text_projection.weight" => whole("text.proj.weight"),
        "text_projection.bias" => whole("text.proj.bias"),
        _ => layer(rest, &[("ln_final", "norm")]).map(|ours| Place::Whole(format!("text.{ours}"))),
    }
}

/// `transformer.resblocks.3.ln_1.weight` becomes `blocks.3.norm1.weight`; `norms` are the names of those outside.
fn layer(name: &str, norms: &[(&str, &str)]) -> Option<String> {
    if let Some(rest) = name.strip_prefix("transformer.resblocks.") {
        let (index, rest) = numbered(rest)?;
        let ours = match rest {
            "attn.in_proj_weight" => "attn.qkv.weight".to_owned(),
            "attn.in_proj_bias" => "attn.qkv.bias".to_owned(),
            _ => {
                let (layer, leaf) = rest.rsplit_once('.')?;
                let layer = match layer {
                    "ln_1" => "norm1",
                    "ln_2" => "norm2",
                    "attn.out_proj" => "attn.proj",
                    "mlp.c_fc" => "mlp.fc1",
                    "mlp.c_proj" => "mlp.fc2",
                    _ => return None,
                };
                format!("{layer}.{leaf}")
            }
        };
        return Some(format!("blocks.{index}.{ours}"));
    }
    let (layer, leaf) = name.rsplit_once('.')?;
    norms.iter().find(|(theirs, _)| *theirs == layer).map(|(_, ours)| format!("{ours}.{leaf}"))
}
