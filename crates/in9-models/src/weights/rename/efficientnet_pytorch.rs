//! Names of the `efficientnet-pytorch` project.

use super::super::fault::Checked;
use super::super::state_dict::StateDict;

/// Blocks in each of EfficientNet's seven stages, by the total number of blocks.
/// 16: B0, B1 scaled at depth 1.0; 23: depth 1.1 or 1.2 (both round up to the same numbers).
fn stages(blocks: usize, lite: bool) -> Option<&'static [usize]> {
    match (blocks, lite) {
        (16, _) => Some(&[1, 2, 2, 3, 3, 4, 1]),
        // The lite family leaves its first and last stage at one block.
        (21, true) => Some(&[1, 3, 3, 4, 4, 5, 1]),
        (23, false) => Some(&[2, 3, 3, 4, 4, 5, 2]),
        _ => None,
    }
}

/// The names of the `efficientnet-pytorch` project (`_blocks.3._bn1`) as timm's
/// (`blocks.2.0.bn2`); any other dictionary comes back unchanged.
pub(super) fn efficientnet_pytorch(dict: StateDict, notes: &mut Vec<String>) -> Checked<StateDict> {
    if dict.get("_conv_stem.weight").is_none() {
        return Ok(dict);
    }
    let index = |name: &str| name.strip_prefix("_blocks.")?.split('.').next()?.parse().ok();
    let blocks = dict.names().filter_map(index).max().map_or(0, |last: usize| last.saturating_add(1));
    let lite = !dict.names().any(|n| n.contains("._se_reduce."));
    let Some(stages) = stages(blocks, lite) else { return Ok(dict) };
    notes.push("renamed from efficientnet-pytorch's names to timm's".into());
    // The first stage does not expand; its norms are numbered one lower.
    let expands: Vec<bool> =
        (0..blocks).map(|b| dict.get(&format!("_blocks.{b}._expand_conv.weight")).is_some()).collect();
    dict.renamed(|name| Some(timm_name(name, stages, &expands).unwrap_or_else(|| name.to_owned())))
}

fn timm_name(name: &str, stages: &[usize], expands: &[bool]) -> Option<String> {
    if let Some(rest) = name.strip_prefix("_blocks.") {
        let (index, rest) = rest.split_once('.')?;
        let (layer, leaf) = rest.split_once('.')?;
        let mut block: usize = index.parse().ok()?;
        let expands = *expands.get(block)?;
        let mut stage = 0;
        while block >= *stages.get(stage)? {
            block -= stages[stage];
            stage += 1;
        }
        let layer = match (layer, expands) {
            ("_expand_conv", true) => "conv_pw",
            ("_bn0", true) => "bn1",
            ("_depthwise_conv", _) => "conv_dw",
            ("_bn1", true) => "bn2",
            ("_bn1", false) => "bn1",
            ("_se_reduce", _) => "se.conv_reduce",
            ("_se_expand", _) => "se.conv_expand",
            ("_project_conv", true) => "conv_pwl",
            ("_project_conv", false) => "conv_pw",
            ("_bn2", true) => "bn3",
            ("_bn2", false) => "bn2",
            _ => return None,
        };
        return Some(format!("blocks.{stage}.{block}.{layer}.{leaf}"));
    }
    let (layer, leaf) = name.split_once('.')?;
    let layer = match layer {
        "_conv_stem" => "conv_stem",
        "_bn0" => "bn1",
        "_conv_head" => "conv_head",
        "_bn1" => "bn2",
        "_fc" => "classifier",
        _ => return None,
    };
    Some(format!("{layer}.{leaf}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_counted_through_the_stages() {
        let stages = stages(16, true).unwrap();
        let mut expands = [true; 16];
        expands[0] = false;
        let name = |n| timm_name(n, stages, &expands);
        assert_eq!(name("_blocks.0._bn1.bias").unwrap(), "blocks.0.0.bn1.bias");
        assert_eq!(name("_blocks.1._bn1.bias").unwrap(), "blocks.1.0.bn2.bias");
        assert_eq!(name("_blocks.2._project_conv.weight").unwrap(), "blocks.1.1.conv_pwl.weight");
        assert_eq!(name("_blocks.15._bn2.weight").unwrap(), "blocks.6.0.bn3.weight");
        assert_eq!(name("_bn0.running_mean").unwrap(), "bn1.running_mean");
        assert_eq!(name("_fc.weight").unwrap(), "classifier.weight");
        assert_eq!(name("_blocks.16._bn2.weight"), None);
    }
}
