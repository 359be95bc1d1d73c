//! torchvision's names of networks that we name as timm does: EfficientNet, ConvNeXt, Swin and vision transformers.

use super::super::fault::Checked;
use super::super::state_dict::StateDict;

/// The names of torchvision's file as timm's; a dictionary of any other network comes back unchanged.
pub(super) fn torchvision(dict: StateDict, notes: &mut Vec<String>) -> Checked<StateDict> {
    let has = |name: &str| dict.get(name).is_some();
    let timm_name: fn(&str) -> Option<String> = if has("features.1.0.block.1.fc1.weight") {
        efficientnet
    } else if has("features.1.0.layer_scale") {
        convnext
    } else if has("features.1.0.attn.relative_position_bias_table") {
        super::swin::torchvision
    } else if has("conv_proj.weight") && has("class_token") {
        vit
    } else {
        return Ok(dict);
    };
    notes.push("renamed from torchvision's names to timm's".into());
    let dict = dict.renamed(|name| match name.ends_with(".attn.relative_position_index") {
        // Numbers that follow from the window's size.
        true => None,
        false => Some(timm_name(name).unwrap_or_else(|| name.to_owned())),
    });
    let mut dict = dict?;
    // One number a channel, which torchvision keeps as [channels, 1, 1].
    dict.flatten(|name| name.ends_with(".gamma"));
    Ok(dict)
}

/// `features.3.1.block.0.0.weight` becomes `blocks.2.1.conv_pw.weight`.
fn efficientnet(name: &str) -> Option<String> {
    if let Some(leaf) = name.strip_prefix("classifier.1.") {
        return Some(format!("classifier.{leaf}"));
    }
    let mut parts = name.strip_prefix("features.")?.splitn(3, '.');
    let (stage, second, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let stage: usize = stage.parse().ok()?;
    let layer = match (stage, second) {
        (0, "0") => return Some(format!("conv_stem.{rest}")),
        (0, "1") => return Some(format!("bn1.{rest}")),
        (8, "0") => return Some(format!("conv_head.{rest}")),
        (8, "1") => return Some(format!("bn2.{rest}")),
        (1..=7, _) => rest.strip_prefix("block.")?,
        _ => return None,
    };
    let (layer, leaf) = layer.rsplit_once('.')?;
    // The first stage does not expand, so that its layers are counted one lower.
    let layer = match (layer, stage == 1) {
        ("0.0", false) => "conv_pw",
        ("0.1", false) => "bn1",
        ("1.0", false) | ("0.0", true) => "conv_dw",
        ("1.1", false) => "bn2",
        ("0.1", true) => "bn1",
        ("2.fc1", false) | ("1.fc1", true) => "se.conv_reduce",
        ("2.fc2", false) | ("1.fc2", true) => "se.conv_expand",
        ("3.0", false) => "conv_pwl",
        ("3.1", false) => "bn3",
        ("2.0", true) => "conv_pw",
        ("2.1", true) => "bn2",
        _ => return None,
    };
    Some(format!("blocks.{}.{second}.{layer}.{leaf}", stage - 1))
}

/// `features.3.1.block.5.weight` becomes `stages.1.blocks.1.mlp.fc2.weight`.
fn convnext(name: &str) -> Option<String> {
    for (theirs, ours) in [("classifier.0.", "head.norm."), ("classifier.2.", "head.fc.")] {
        if let Some(leaf) = name.strip_prefix(theirs) {
            return Some(format!("{ours}{leaf}"));
        }
    }
    let mut parts = name.strip_prefix("features.")?.splitn(3, '.');
    let (place, second, rest) = (parts.next()?.parse::<usize>().ok()?, parts.next()?, parts.next()?);
    // The stem and the steps between stages stand at even places, the stages at odd ones.
    Some(match (place, place % 2) {
        (0, _) => format!("stem.{second}.{rest}"),
        (_, 0) => format!("stages.{}.downsample.{second}.{rest}", place / 2),
        _ => {
            let stage = place / 2;
            if rest == "layer_scale" {
                return Some(format!("stages.{stage}.blocks.{second}.gamma"));
            }
            let (layer, leaf) = rest.strip_prefix("block.")?.split_once('.')?;
            let layer = match layer {
                "0" => "conv_dw",
                "2" => "norm",
                "3" => "mlp.fc1",
                "5" => "mlp.fc2",
                _ => return None,
            };
            format!("stages.{stage}.blocks.{second}.{layer}.{leaf}")
        }
    })
}

/// `encoder.layers.encoder_layer_3.self_attention.in_proj_weight` becomes `blocks.3.attn.qkv.weight`.
fn vit(name: &str) -> Option<String> {
    let whole = match name {
        "class_token" => Some("cls_token"),
        "conv_proj.weight" => Some("patch_embed.proj.weight"),
        "conv_proj.bias" => Some("patch_embed.proj.bias"),
        "encoder.pos_embedding" => Some("pos_embed"),
        "encoder.ln.weight" => Some("norm.weight"),
        "encoder.ln.bias" => Some("norm.bias"),
        "heads.head.weight" => Some("head.weight"),
        "heads.head.bias" => Some("head.bias"),
        _ => None,
    };
    if let Some(whole) = whole {
        return Some(whole.to_owned());
    }
    let (block, layer) = name.strip_prefix("encoder.layers.encoder_layer_")?.split_once('.')?;
    if let Some(leaf) = layer.strip_prefix("self_attention.in_proj_") {
        return Some(format!("blocks.{block}.attn.qkv.{leaf}"));
    }
    let (layer, leaf) = layer.rsplit_once('.')?;
    let layer = match layer {
        "ln_1" => "norm1",
        "ln_2" => "norm2",
        "self_attention.out_proj" => "attn.proj",
        // The published file's names, and those of later versions.
        "mlp.linear_1" | "mlp.0" => "mlp.fc1",
        "mlp.linear_2" | "mlp.3" => "mlp.fc2",
        _ => return None,
    };
    Some(format!("blocks.{block}.{layer}.{leaf}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_layer_of_torchvisions_efficientnet_has_its_name() {
        let name = |n: &str| efficientnet(n).unwrap();
        assert_eq!(name("features.0.0.weight"), "conv_stem.weight");
        assert_eq!(name("features.1.0.block.0.0.weight"), "blocks.0.0.conv_dw.weight");
        assert_eq!(name("features.1.0.block.1.fc2.bias"), "blocks.0.0.se.conv_expand.bias");
        assert_eq!(name("features.1.0.block.2.1.running_var"), "blocks.0.0.bn2.running_var");
        assert_eq!(name("features.7.0.block.3.0.weight"), "blocks.6.0.conv_pwl.weight");
        assert_eq!(name("features.4.2.block.1.1.bias"), "blocks.3.2.bn2.bias");
        assert_eq!(name("features.8.1.weight"), "bn2.weight");
        assert_eq!(name("classifier.1.bias"), "classifier.bias");
        assert_eq!(efficientnet("features.9.0.weight"), None);
    }

    /// Made by tests/oracles/zoo_names.py, which shows that the two networks give the same logits.
    #[test]
    fn every_name_of_torchvision_becomes_timms() {
        let table = include_str!("../../../tests/weights/torchvision_names.csv");
        let mut count = 0;
        for row in table.lines().skip(1) {
            let [arch, theirs, ours] = row.split(',').collect::<Vec<_>>()[..] else { panic!("{row}") };
            let rename = match arch {
                "efficientnet_b0" => efficientnet,
                "convnext_tiny" => convnext,
                "swin_tiny_patch4_window7_224" => super::super::swin::torchvision,
                _ => vit,
            };
            assert_eq!(rename(theirs).as_deref(), Some(ours), "{theirs}");
            count += 1;
        }
        assert!(count > 750, "{count}");
    }

    #[test]
    fn convnext_and_vision_transformers_too() {
        let name = |n: &str| convnext(n).unwrap();
        assert_eq!(name("features.0.1.weight"), "stem.1.weight");
        assert_eq!(name("features.2.1.bias"), "stages.1.downsample.1.bias");
        assert_eq!(name("features.7.2.block.3.weight"), "stages.3.blocks.2.mlp.fc1.weight");
        assert_eq!(name("features.1.0.layer_scale"), "stages.0.blocks.0.gamma");
        assert_eq!(name("classifier.0.weight"), "head.norm.weight");
        let layer = "encoder.layers.encoder_layer_11.";
        assert_eq!(vit(&format!("{layer}self_attention.in_proj_bias")).unwrap(), "blocks.11.attn.qkv.bias");
        assert_eq!(vit(&format!("{layer}mlp.0.weight")), vit(&format!("{layer}mlp.linear_1.weight")));
        assert_eq!(vit("encoder.pos_embedding").unwrap(), "pos_embed");
    }
}
