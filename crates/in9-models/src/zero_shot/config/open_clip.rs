//! `open_clip_config.json`, as open_clip's models on the Hub have it; its files in open_clip's source tree are its
//! `model_cfg` alone.

use serde_json::Value;

use super::{Config, Given, Tower, kind, normalization};
use crate::arch::transformer::Nonlinearity;
use crate::error::Result;
use crate::zero_shot::Family;
use crate::zero_shot::tokenizer::Cleaning;

/// What the configuration says.
pub(super) fn config(given: &Given<'_>, json: &Value) -> Result<Config> {
    let model = given.object(json, "model_cfg")?.unwrap_or(json);
    let (image, text) = (given.object(model, "vision_cfg")?, given.object(model, "text_cfg")?);
    let (Some(image), Some(text)) = (image, text) else {
        return Err(given.refused("no model of open_clip", "vision_cfg and text_cfg", "one or none of them"));
    };
    let pictures = given.object(json, "preprocess_cfg")?;
    let said = pictures.map(|json| normalization(given, json, ["mean", "std"])).transpose()?.flatten();
    let quick = model.get("quick_gelu").and_then(Value::as_bool).unwrap_or(false);
    let name = given.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Config {
        image: match image.get("timm_model_name").and_then(Value::as_str) {
            Some(timm) => timm_tower(given, timm)?,
            None => own_tower(given, image, given.widths[0], quick)?,
        },
        text: own_tower(given, text, given.widths[1], quick)?,
        size: given.number(Some(image), "image_size")?,
        patch: given.number(Some(image), "patch_size")?,
        normalization: said.map(|normalization| (normalization, name)),
        cleaning: cleaning(given, text)?,
        pad: given.number(Some(text), "pad_id")?.and_then(|id| u32::try_from(id).ok()),
        digest: String::new(),
    })
}

/// A tower of open_clip's own. What it calls `head_width` is 64 channels unless it says otherwise; `heads` goes before.
fn own_tower(given: &Given<'_>, json: &Value, width: usize, quick: bool) -> Result<Tower> {
    let json = Some(json);
    let head_width = given.number(json, "head_width")?.unwrap_or(64).max(1);
    let norm = match json {
        Some(json) => given.object(json, "norm_kwargs")?,
        None => None,
    };
    let act = match json {
        Some(json) => given.object(json, "act_kwargs")?,
        None => None,
    };
    let tanh = act.and_then(|act| act.get("approximate")).and_then(Value::as_str) == Some("tanh");
    Ok(Tower {
        width: given.number(json, "width")?,
        layers: given.number(json, "layers")?,
        heads: given.number(json, "heads")?.unwrap_or(width / head_width),
        nonlinearity: match (quick, tanh) {
            (true, _) => Nonlinearity::QuickGelu,
            (false, true) => Nonlinearity::GeluTanh,
            (false, false) => Nonlinearity::Gelu,
        },
        epsilon: given.real(norm, "eps")?.unwrap_or(1e-5),
    })
}

/// Of timm's names, those whose networks approximate their nonlinearity; all others have the exact one.
const APPROXIMATE: [&str; 4] = ["base_patch32", "large_patch16_siglip_512", "so400m_patch16", "giantopt"];

/// SigLIP's image tower in timm, whose name says the size.
fn timm_tower(given: &Given<'_>, name: &str) -> Result<Tower> {
    let heads = match name.split('_').nth(1) {
        Some("base") => 12,
        Some("large" | "so400m" | "giantopt") => 16,
        _ => 0,
    };
    // Without their pooling attention they are other networks.
    if heads == 0 || !name.contains("_siglip_") || name.contains("_gap_") {
        let expected = "vit_SIZE_patchN_siglip_PIXELS, SIZE base, large, so400m or giantopt";
        return Err(given.refused("`timm_model_name`", expected, name));
    }
    let nonlinearity = match APPROXIMATE.iter().any(|part| name.contains(part)) {
        true => Nonlinearity::GeluTanh,
        false => Nonlinearity::Gelu,
    };
    Ok(Tower { width: None, layers: None, heads, nonlinearity, epsilon: 1e-6 })
}

/// How texts are cleaned: what `tokenizer_kwargs` say; CLIP's tokenizer lowers letters by itself.
fn cleaning(given: &Given<'_>, text: &Value) -> Result<Option<Cleaning>> {
    let Some(kwargs) = given.object(text, "tokenizer_kwargs")? else {
        return Ok((given.family == Family::Clip).then_some(Cleaning::None));
    };
    match kwargs.get("clean") {
        None => Ok((given.family == Family::Clip).then_some(Cleaning::None)),
        Some(Value::String(clean)) if clean == "canonicalize" => Ok(Some(Cleaning::Canonical)),
        Some(Value::String(clean)) if clean == "lower" => Ok(Some(Cleaning::Lower)),
        Some(Value::String(clean)) if clean == "whitespace" => Ok(Some(Cleaning::None)),
        Some(other) => {
            Err(given.refused("`clean` of the tokenizer", "canonicalize, lower or whitespace", kind(other)))
        }
    }
}
