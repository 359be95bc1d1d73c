//! Other names of DINOv2 and DINOv3: those of the authors' files, and those of Hugging Face transformers.

use std::collections::BTreeMap;

use super::super::fault::Checked;
use super::super::state_dict::{RawTensor, StateDict};

/// What is done with a tensor of a file.
enum Place {
    /// It is ours of this name.
    Whole(String),
    /// It is a part of ours: the rows after those of the parts before it.
    Part(String, u8),
    /// Nothing here needs it.
    Dropped,
}

/// From a file's name of a tensor to its place; `None` if it is called so here too.
type Places = Box<dyn Fn(&str) -> Option<Place>>;

/// The other names as timm's; a dictionary of any other network comes back unchanged.
///
/// Networks with learnt positions and registers store the class token's own position apart from the token; timm adds the
/// two, and so does this.
pub(super) fn dino(dict: StateDict, notes: &mut Vec<String>) -> Checked<StateDict> {
    let has = |name: &str| dict.get(name).is_some();
    let is_learnt = has("embeddings.position_embeddings") || has("pos_embed");
    let is_gated = dict.names().any(|name| name.ends_with(".mlp.gate_proj.weight"));
    let is_scaled = dict.names().any(|name| name.ends_with("layer.0.layer_scale1.lambda1"));
    let (place, whose): (Places, _) = if is_scaled && has("embeddings.cls_token") {
        (Box::new(move |name| transformers(name, is_learnt, is_gated)), "transformers' names of DINO")
    } else if has("blocks.0.ls1.gamma") && (has("mask_token") || has("register_tokens")) {
        (Box::new(authors_v2), "the names of DINOv2's authors")
    } else {
        return Ok(dict);
    };
    notes.push(format!("renamed from {whose} to timm's"));
    let mut whole: Vec<(String, Vec<(u8, RawTensor)>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (name, tensor) in dict.iter() {
        let (ours, order) = match place(name) {
            Some(Place::Whole(ours)) => (ours, 0),
            Some(Place::Part(ours, order)) => (ours, order),
            Some(Place::Dropped) => continue,
            None => (name.to_owned(), 0),
        };
        let at = *places.entry(ours.clone()).or_insert(whole.len());
        if at == whole.len() {
            whole.push((ours, Vec::new()));
        }
        whole[at].1.push((order, tensor.clone()));
    }
    let mut out = StateDict::default();
    for (name, mut parts) in whole {
        parts.sort_by_key(|(order, _)| *order);
        let mut parts: Vec<RawTensor> = parts.into_iter().map(|(_, tensor)| tensor).collect();
        let tensor = if parts.len() == 1 { parts.remove(0) } else { RawTensor::joined(&name, parts)? };
        // Names are unique: equal ones were joined.
        let _ = out.insert(&name, tensor);
    }
    if is_learnt && out.get("reg_token").is_some() { placed_class(out) } else { Ok(out) }
}

/// DINOv2's hub files, and checkpoints of its code.
fn authors_v2(name: &str) -> Option<Place> {
    match name {
        // Stands for patches that are hidden in training.
        "mask_token" => Some(Place::Dropped),
        "register_tokens" => Some(Place::Whole("reg_token".to_owned())),
        _ => None,
    }
}

/// `encoder.layer.3.attention.attention.key.weight` is the second part of `blocks.3.attn.qkv.weight`.
fn transformers(name: &str, is_learnt: bool, is_gated: bool) -> Option<Place> {
    let whole = |name: String| Some(Place::Whole(name));
    if let Some(rest) = name.strip_prefix("embeddings.") {
        let ours = match rest {
            "mask_token" => return Some(Place::Dropped),
            "cls_token" => "cls_token",
            "register_tokens" => "reg_token",
            "position_embeddings" => "pos_embed",
            "patch_embeddings.weight" | "patch_embeddings.projection.weight" => "patch_embed.proj.weight",
            "patch_embeddings.bias" | "patch_embeddings.projection.bias" => "patch_embed.proj.bias",
            _ => return None,
        };
        return whole(ours.to_owned());
    }
    if let Some(leaf) = name.strip_prefix("layernorm.") {
        return whole(format!("norm.{leaf}"));
    }
    let rest = ["encoder.layer.", "model.layer.", "layer."].iter().find_map(|start| name.strip_prefix(start));
    let (block, rest) = rest?.split_once('.')?;
    let (layer, leaf) = rest.rsplit_once('.')?;
    let layer = match layer {
        "attention.attention.query" | "attention.q_proj" => return qkv(block, leaf, 0, is_learnt),
        "attention.attention.key" | "attention.k_proj" => return qkv(block, leaf, 1, is_learnt),
        "attention.attention.value" | "attention.v_proj" => return qkv(block, leaf, 2, is_learnt),
        "attention.output.dense" | "attention.o_proj" => "attn.proj",
        "layer_scale1" | "layer_scale2" => {
            let number = &layer["layer_scale".len()..];
            let scale = if is_learnt { format!("ls{number}.gamma") } else { format!("gamma_{number}") };
            return whole(format!("blocks.{block}.{scale}"));
        }
        "mlp.gate_proj" => "mlp.fc1_g",
        "mlp.up_proj" if is_gated => "mlp.fc1_x",
        "mlp.up_proj" => "mlp.fc1",
        "mlp.down_proj" => "mlp.fc2",
        "norm1" | "norm2" | "mlp.fc1" | "mlp.fc2" => layer,
        _ => return None,
    };
    whole(format!("blocks.{block}.{layer}.{leaf}"))
}

/// Queries, keys and values are one tensor, but for the biases of DINOv3, whose keys have none.
fn qkv(block: &str, leaf: &str, part: u8, is_learnt: bool) -> Option<Place> {
    if leaf == "bias" && !is_learnt {
        let name = ["q_bias", "k_bias", "v_bias"].get(usize::from(part))?;
        return Some(Place::Whole(format!("blocks.{block}.attn.{name}")));
    }
    Some(Place::Part(format!("blocks.{block}.attn.qkv.{leaf}"), part))
}

/// No positions are more values than this.
const MOST_POSITIONS: u64 = 1 << 24;

/// The class token with its own position, the first of all, added to it.
fn placed_class(dict: StateDict) -> Checked<StateDict> {
    let (Some(class), Some(positions)) = (dict.get("cls_token"), dict.get("pos_embed")) else {
        return Ok(dict);
    };
    let (&[1, 1, width], &[1, count, other]) = (class.shape(), positions.shape()) else { return Ok(dict) };
    if width != other || count == 0 || positions.byte_len() > 8 * MOST_POSITIONS {
        // Other shapes than the network's, which are refused with the rest.
        return Ok(dict);
    }
    let (class, positions) = (class.to_f32()?, positions.to_f32()?);
    let (own, others) = positions.split_at(width);
    let sum: Vec<f32> = class.iter().zip(own).map(|(class, own)| class + own).collect();
    let mut out = StateDict::default();
    for (name, tensor) in dict.iter() {
        let tensor = match name {
            "cls_token" => RawTensor::from_f32(&[1, 1, width], &sum),
            "pos_embed" => RawTensor::from_f32(&[1, count - 1, width], others),
            _ => tensor.clone(),
        };
        let _ = out.insert(name, tensor);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renamed(tensors: &[(&str, &[usize], &[f32])]) -> StateDict {
        let mut dict = StateDict::default();
        for (name, shape, values) in tensors {
            dict.insert(name, RawTensor::from_f32(shape, values)).unwrap();
        }
        dino(dict, &mut Vec::new()).unwrap()
    }

    #[test]
    fn the_class_tokens_position_is_added_to_it() {
        let dict = renamed(&[
            ("blocks.0.ls1.gamma", &[2], &[1.0, 1.0]),
            ("mask_token", &[1, 2], &[9.0, 9.0]),
            ("cls_token", &[1, 1, 2], &[1.0, 2.0]),
            ("register_tokens", &[1, 1, 2], &[5.0, 6.0]),
            ("pos_embed", &[1, 2, 2], &[0.5, 0.25, 3.0, 4.0]),
        ]);
        let values = |name: &str| dict.get(name).unwrap().to_f32().unwrap();
        assert_eq!(values("cls_token"), [1.5, 2.25]);
        assert_eq!(
            (dict.get("pos_embed").unwrap().shape(), values("pos_embed")),
            (&[1, 1, 2][..], vec![3.0, 4.0])
        );
        assert_eq!(values("reg_token"), [5.0, 6.0]);
        assert_eq!(dict.len(), 4);
    }

    #[test]
    fn parts_are_joined_in_their_order_whatever_the_files() {
        let layer = |part: &str| format!("encoder.layer.0.attention.attention.{part}.weight");
        let [key, query, value] = [layer("key"), layer("query"), layer("value")];
        let dict = renamed(&[
            ("embeddings.cls_token", &[1, 1, 1], &[0.0]),
            ("encoder.layer.0.layer_scale1.lambda1", &[1], &[1.0]),
            ("embeddings.position_embeddings", &[1, 2, 1], &[0.0, 0.0]),
            ("embeddings.patch_embeddings.projection.weight", &[1], &[0.0]),
            (&key, &[1, 2], &[3.0, 4.0]),
            (&query, &[1, 2], &[1.0, 2.0]),
            (&value, &[1, 2], &[5.0, 6.0]),
        ]);
        let qkv = dict.get("blocks.0.attn.qkv.weight").unwrap();
        assert_eq!((qkv.shape(), qkv.byte_len()), (&[3, 2][..], 24));
        assert_eq!(qkv.to_f32().unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(qkv.bytes().unwrap().len(), 24);
    }

    #[test]
    fn parts_that_do_not_fit_each_other_are_refused() {
        let part = |rows: usize| RawTensor::from_f32(&[1, rows], &vec![0.0; rows]);
        let error = RawTensor::joined("a", vec![part(2), part(3)]).unwrap_err().to_string();
        assert!(error.contains("parts of `a`") && error.contains("[1, 3]"), "{error}");
        assert!(RawTensor::joined("a", Vec::new()).is_err());
    }
}
