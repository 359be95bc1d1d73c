//! From what a training program saved to the network's own state dict.
//!
//! Programs wrap a state dict in a checkpoint (`model`, `state_dict`, …), prefix its names
//! (`module.` from parallel training) and, in the `robustness` library, keep the network beside
//! its attacker and the normaliser of its inputs. Each step undone is reported as a note.

use in9_data::Normalization;

use super::fault::{Checked, Fault, fault, shown};
use super::pickle::{Object, Pickle, Value};
use super::state_dict::StateDict;
use super::torch::storage::TensorRef;

/// Names under which programs keep the network in a checkpoint, most usual first.
const NETWORKS: [&str; 5] = ["state_dict", "model", "model_state_dict", "net", "network"];

/// Names and tensors in a pickle's order.
type Named<'p> = Vec<(String, TensorRef<'p>)>;

/// The named tensors of a pickle, `most` at most, and a note on where they were found.
pub(super) fn tensors<'p>(pickle: &Pickle<'p>, most: usize) -> Checked<(Named<'p>, Option<String>)> {
    let Some(Object::Dict(items)) = pickle.object(&pickle.root) else {
        return Err(fault("the pickle's root", "a dictionary of tensors", "something else"));
    };
    for name in NETWORKS {
        let inner = items.iter().find(|(key, _)| pickle.text(key) == Some(name));
        if let Some((_, value)) = inner
            && let Some(Object::Dict(inner)) = pickle.object(value)
        {
            let others = items.iter().filter_map(|(key, _)| pickle.text(key)).filter(|key| *key != name);
            let others: Vec<_> = others.take(20).map(|key| format!("`{}`", shown(key))).collect();
            let others = if others.is_empty() { "nothing".into() } else { others.join(", ") };
            let note = format!("took `{name}` of the checkpoint; left {others}");
            return Ok((named(pickle, inner, most)?, Some(note)));
        }
    }
    Ok((named(pickle, items, most)?, None))
}

fn named<'p>(pickle: &Pickle<'p>, items: &[(Value, Value)], most: usize) -> Checked<Named<'p>> {
    if items.len() > most {
        let (what, found) = ("tensors in the file".into(), items.len() as u64);
        return Err(Fault::AboveLimit { what, most: most as u64, unit: "tensors", found });
    }
    items
        .iter()
        .map(|(key, value)| {
            let Some(key) = pickle.text(key) else {
                return Err(fault("a key of the state dict", "a string", "another type"));
            };
            match pickle.tensor(value, &shown(key))? {
                Some(tensor) => Ok((key.to_owned(), tensor)),
                None => Err(fault(
                    format!("entry `{}` of the state dict", shown(key)),
                    "a tensor",
                    "another type",
                )),
            }
        })
        .collect()
}

/// The network's own tensors, what was undone to get at them, and what its inputs were normalised
/// with where the checkpoint says it.
pub(super) fn unwrap(
    mut dict: StateDict,
    notes: &mut Vec<String>,
) -> Checked<(StateDict, Option<Normalization>)> {
    dict = strip_common(dict, "module.", notes)?;
    let has = |prefix: &str| dict.names().any(|n| n.starts_with(prefix));
    if !has("model.") || !(has("normalizer.") || has("attacker.")) {
        return Ok((dict, None));
    }
    let normalization = normaliser(&dict)?;
    let said = normalization.map_or_else(String::new, |Normalization { mean, std }| {
        let three = |values: [f32; 3]| values.map(|v| v.to_string()).join(" ");
        format!("; inputs were normalised with mean {}, std {}", three(mean), three(std))
    });
    notes.push(format!("robustness checkpoint: kept `model.`, dropped `attacker.` and `normalizer.`{said}"));
    Ok((dict.renamed(|n| n.strip_prefix("model.").map(str::to_owned))?, normalization))
}

/// What the network's inputs were normalised with, where the checkpoint says it.
fn normaliser(dict: &StateDict) -> Checked<Option<Normalization>> {
    let channels = |name: &str| -> Option<[f32; 3]> {
        // Before anything is read: somebody's normaliser may have any size.
        let raw = dict.get(name).filter(|raw| raw.shape().iter().product::<usize>() == 3)?;
        raw.to_f32().ok()?.try_into().ok()
    };
    let (Some(mean), Some(std)) = (channels("normalizer.new_mean"), channels("normalizer.new_std")) else {
        return Ok(None);
    };
    let normalization = Normalization { mean, std };
    if !normalization.is_usable() {
        let found = format!("mean {mean:?}, deviation {std:?}");
        return Err(fault("the checkpoint's normaliser", "numbers, deviations above 0", found));
    }
    Ok(Some(normalization))
}

fn strip_common(dict: StateDict, prefix: &str, notes: &mut Vec<String>) -> Checked<StateDict> {
    if dict.is_empty() || !dict.names().all(|n| n.starts_with(prefix)) {
        return Ok(dict);
    }
    notes.push(format!("removed the prefix `{prefix}`"));
    dict.renamed(|n| n.strip_prefix(prefix).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::super::state_dict::RawTensor;
    use super::*;

    #[test]
    fn robustness_names_are_unwrapped() {
        let mut dict = StateDict::default();
        for name in [
            "module.normalizer.new_mean",
            "module.model.conv1.weight",
            "module.attacker.normalize.new_mean",
            "module.attacker.model.conv1.weight",
        ] {
            dict.insert(name, RawTensor::from_f32(&[1], &[0.5])).unwrap();
        }
        let mut notes = Vec::new();
        let (dict, normalization) = unwrap(dict, &mut notes).unwrap();
        assert_eq!(dict.names().collect::<Vec<_>>(), ["conv1.weight"]);
        assert_eq!(notes.len(), 2, "{notes:?}");
        // Of one value, so it says nothing about three channels.
        assert_eq!(normalization, None);
    }

    #[test]
    fn a_normaliser_that_divides_by_zero_is_refused() {
        let mut dict = StateDict::default();
        for (name, value) in
            [("normalizer.new_mean", 0.5), ("normalizer.new_std", 0.0), ("model.fc.weight", 1.0)]
        {
            dict.insert(name, RawTensor::from_f32(&[3, 1, 1], &[value; 3])).unwrap();
        }
        let fault = unwrap(dict, &mut Vec::new()).unwrap_err().to_string();
        assert!(fault.contains("normaliser"), "{fault}");
    }

    #[test]
    fn a_network_whose_layers_are_called_model_is_left_alone() {
        let mut dict = StateDict::default();
        dict.insert("model.0.weight", RawTensor::from_f32(&[1], &[0.5])).unwrap();
        dict.insert("head.weight", RawTensor::from_f32(&[1], &[0.5])).unwrap();
        let mut notes = Vec::new();
        let (dict, normalization) = unwrap(dict, &mut notes).unwrap();
        assert_eq!(dict.names().collect::<Vec<_>>(), ["model.0.weight", "head.weight"]);
        assert_eq!(normalization, None);
        assert!(notes.is_empty());
    }
}
