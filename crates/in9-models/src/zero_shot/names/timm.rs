//! timm's names of SigLIP's image tower.

use super::{Place, numbered};

/// Where a tensor of the image tower goes; `None` for a name of no layer.
pub(super) fn place(name: &str) -> Option<Place> {
    let whole = |name: &str| Some(Place::Whole(format!("visual.{name}")));
    match name {
        "pos_embed" => return whole("positions"),
        "patch_embed.proj.weight" => return whole("patch.weight"),
        "patch_embed.proj.bias" => return whole("patch.bias"),
        "norm.weight" | "norm.bias" => return whole(name),
        "attn_pool.latent" => return whole("pool.query"),
        _ => {}
    }
    if let Some(rest) = name.strip_prefix("blocks.") {
        let (_, layer) = numbered(rest)?;
        let (layer, _) = layer.rsplit_once('.')?;
        let known = ["norm1", "norm2", "attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2"];
        return if known.contains(&layer) { whole(name) } else { None };
    }
    let (layer, leaf) = name.strip_prefix("attn_pool.")?.rsplit_once('.')?;
    // Queries are one tensor, keys and values another.
    let part = |order| Some(Place::Part(format!("visual.pool.attn.qkv.{leaf}"), order));
    match layer {
        "q" => part(0),
        "kv" => part(1),
        "proj" => whole(&format!("pool.attn.proj.{leaf}")),
        "norm" | "mlp.fc1" | "mlp.fc2" => whole(&format!("pool.{layer}.{leaf}")),
        _ => None,
    }
}
