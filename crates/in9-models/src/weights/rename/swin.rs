//! Other names of Swin: torchvision's, and those of the authors' files.

use super::super::fault::Checked;
use super::super::state_dict::StateDict;

/// torchvision's `features.3.1.mlp.3.weight` becomes `layers.1.blocks.1.mlp.fc2.weight`.
pub(super) fn torchvision(name: &str) -> Option<String> {
    if let Some(leaf) = name.strip_prefix("head.") {
        return Some(format!("head.fc.{leaf}"));
    }
    if name.starts_with("norm.") {
        return Some(name.to_owned());
    }
    let (place, rest) = name.strip_prefix("features.")?.split_once('.')?;
    // The patches and the steps between stages stand at even places, the stages at odd ones.
    let place: usize = place.parse().ok()?;
    Some(match (place, place % 2) {
        (0, _) => match rest.split_once('.')? {
            ("0", leaf) => format!("patch_embed.proj.{leaf}"),
            ("2", leaf) => format!("patch_embed.norm.{leaf}"),
            _ => return None,
        },
        (_, 0) => format!("layers.{}.downsample.{rest}", place / 2),
        _ => {
            let (block, layer) = rest.split_once('.')?;
            let (layer, leaf) = layer.rsplit_once('.')?;
            let layer = match layer {
                "mlp.0" => "mlp.fc1",
                "mlp.3" => "mlp.fc2",
                layer => layer,
            };
            format!("layers.{}.blocks.{block}.{layer}.{leaf}", place / 2)
        }
    })
}

/// The names of the authors' files as timm's: there a stage ends with the step to the next one, and constants are stored.
/// A dictionary of any other network comes back unchanged.
pub(super) fn original(dict: StateDict, notes: &mut Vec<String>) -> Checked<StateDict> {
    if dict.get("layers.0.downsample.reduction.weight").is_none() {
        return Ok(dict);
    }
    notes.push("renamed from the names of Swin's authors to timm's".into());
    dict.renamed(|name| {
        if name.ends_with(".relative_position_index") || name.ends_with(".attn_mask") {
            return None;
        }
        Some(timm_name(name).unwrap_or_else(|| name.to_owned()))
    })
}

fn timm_name(name: &str) -> Option<String> {
    if let Some(leaf) = name.strip_prefix("head.") {
        return Some(format!("head.fc.{leaf}"));
    }
    let (stage, rest) = name.strip_prefix("layers.")?.split_once('.')?;
    let stage: usize = stage.parse().ok()?;
    rest.starts_with("downsample.").then(|| format!("layers.{}.{rest}", stage.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::super::super::state_dict::RawTensor;
    use super::*;

    #[test]
    fn each_layer_has_its_name() {
        let name = |n: &str| torchvision(n).unwrap();
        assert_eq!(name("features.0.2.bias"), "patch_embed.norm.bias");
        assert_eq!(name("features.1.0.attn.qkv.weight"), "layers.0.blocks.0.attn.qkv.weight");
        assert_eq!(name("features.2.reduction.weight"), "layers.1.downsample.reduction.weight");
        assert_eq!(name("features.7.1.mlp.3.weight"), "layers.3.blocks.1.mlp.fc2.weight");
        assert_eq!(name("head.bias"), "head.fc.bias");
        assert_eq!(torchvision("features.0.1.weight"), None);
    }

    #[test]
    fn steps_of_the_authors_files_go_to_the_next_stage() {
        let mut dict = StateDict::default();
        for name in [
            "layers.0.downsample.reduction.weight",
            "layers.0.blocks.1.attn_mask",
            "layers.0.blocks.1.attn.relative_position_index",
            "layers.1.blocks.0.norm1.weight",
            "head.weight",
        ] {
            dict.insert(name, RawTensor::from_f32(&[1], &[0.0])).unwrap();
        }
        let mut notes = Vec::new();
        let dict = original(dict, &mut notes).unwrap();
        let names: Vec<_> = dict.names().collect();
        let expected =
            ["layers.1.downsample.reduction.weight", "layers.1.blocks.0.norm1.weight", "head.fc.weight"];
        assert_eq!(names, expected);
        assert_eq!(notes.len(), 1);
    }
}
