//! `config.json` of Hugging Face transformers, whose missing entries have that library's defaults.

use serde_json::Value;

use super::{Config, Given, Tower, json_if_there, kind, normalization};
use crate::arch::transformer::Nonlinearity;
use crate::error::Result;
use crate::zero_shot::Family;
use crate::zero_shot::tokenizer::Cleaning;

/// What the configuration says.
pub(super) fn config(given: &Given<'_>, json: &Value) -> Result<Config> {
    let expected = match given.family {
        Family::Clip => "clip",
        Family::Siglip => "siglip",
    };
    let said = json.get("model_type").and_then(Value::as_str).unwrap_or("none");
    // The second SigLIP at one resolution is the first's network.
    if said != expected {
        return Err(given.refused("`model_type`, which the tensors contradict", expected, said));
    }
    let (image, text) = (given.object(json, "vision_config")?, given.object(json, "text_config")?);
    let folder = given.path.parent().unwrap_or(given.path);
    let mut found = None;
    for name in ["preprocessor_config.json", "processor_config.json"] {
        let Some(json) = json_if_there(&folder.join(name))? else { continue };
        let json = json.get("image_processor").unwrap_or(&json);
        if let Some(normalization) = normalization(given, json, ["image_mean", "image_std"])? {
            found = Some((normalization, name.to_owned()));
            break;
        }
    }
    Ok(Config {
        image: tower(given, image, [12, 768, 12])?,
        text: tower(given, text, if given.family == Family::Clip { [8, 512, 12] } else { [12, 768, 12] })?,
        size: given.number(image, "image_size")?,
        patch: given.number(image, "patch_size")?,
        normalization: found,
        cleaning: match given.family {
            Family::Clip => Some(Cleaning::None),
            Family::Siglip => cleaning(given, folder)?,
        },
        // Texts of CLIP are not filled up.
        pad: match (given.family, given.number(text, "pad_token_id")?) {
            (Family::Clip, _) => None,
            (Family::Siglip, said) => u32::try_from(said.unwrap_or(1)).ok(),
        },
        digest: String::new(),
    })
}

/// One tower; defaults are its heads, its width and its blocks.
fn tower(given: &Given<'_>, json: Option<&Value>, defaults: [usize; 3]) -> Result<Tower> {
    let or_default = |key, default| Ok::<_, crate::Error>(given.number(json, key)?.unwrap_or(default));
    let (act, epsilon) = match given.family {
        Family::Clip => ("quick_gelu", 1e-5),
        Family::Siglip => ("gelu_pytorch_tanh", 1e-6),
    };
    let said = json.and_then(|json| json.get("hidden_act"));
    let nonlinearity = match said.map_or(Some(act), Value::as_str) {
        Some("quick_gelu") => Nonlinearity::QuickGelu,
        Some("gelu") => Nonlinearity::Gelu,
        Some("gelu_pytorch_tanh" | "gelu_new") => Nonlinearity::GeluTanh,
        other => {
            let found = other.map_or_else(|| said.map_or_else(String::new, kind), crate::weights::shown);
            return Err(given.refused("`hidden_act`", "quick_gelu, gelu or gelu_pytorch_tanh", found));
        }
    };
    Ok(Tower {
        heads: or_default("num_attention_heads", defaults[0])?,
        width: Some(or_default("hidden_size", defaults[1])?),
        layers: Some(or_default("num_hidden_layers", defaults[2])?),
        nonlinearity,
        epsilon: given.real(json, "layer_norm_eps")?.unwrap_or(epsilon),
    })
}

/// How SigLIP's texts are cleaned: the first's tokenizer takes punctuation out, the second's only lowers letters.
fn cleaning(given: &Given<'_>, folder: &std::path::Path) -> Result<Option<Cleaning>> {
    let Some(json) = json_if_there(&folder.join("tokenizer_config.json"))? else { return Ok(None) };
    let class = json.get("tokenizer_class").and_then(Value::as_str).unwrap_or("none");
    match class.trim_end_matches("Fast") {
        "SiglipTokenizer" => Ok(Some(Cleaning::Canonical)),
        "GemmaTokenizer" | "Siglip2Tokenizer" => Ok(Some(Cleaning::Lower)),
        _ => Err(given.refused("`tokenizer_class` beside it", "SiglipTokenizer or GemmaTokenizer", class)),
    }
}
