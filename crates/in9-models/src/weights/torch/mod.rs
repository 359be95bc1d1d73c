//! Files that `torch.save` writes: a pickle that says which tensors there are, and their storages.
//!
//! Two layouts: a [zip archive](zip) since torch 1.6, a [row of pickles](legacy) before. Sources:
//! PyTorch's `torch/serialization.py` and `torch/_utils.py`.

mod archive;
pub(super) mod legacy;
pub(super) mod storage;
pub(super) mod zip;

use std::collections::HashMap;
use std::ops::Range;

use super::checkpoint;
use super::fault::{Checked, Fault, fault, shown};
use super::limits::Limits;
use super::pickle::Pickle;
use super::source::Source;
use super::state_dict::StateDict;
use storage::element_bytes;

/// Where in the file each storage's bytes are, by key.
type Storages = HashMap<String, Range<u64>>;

/// The tensors that a pickle declares, each with its place in the file.
fn tensors(
    pickle: &Pickle<'_>,
    storages: &Storages,
    source: &Source,
    limits: &Limits,
    notes: &mut Vec<String>,
) -> Checked<StateDict> {
    let (tensors, note) = checkpoint::tensors(pickle, limits.tensors)?;
    notes.extend(note);
    let most = source.len().saturating_mul(limits.unfold);
    let mut total = 0u64;
    let mut dict = StateDict::default();
    for (key, tensor) in tensors {
        let (name, storage) = (shown(&key), shown(tensor.storage.key));
        let place = storages.get(tensor.storage.key).ok_or_else(|| {
            fault(format!("storage `{storage}` of tensor `{name}`"), "its bytes in the file", "none")
        })?;
        let len = tensor.checked_len(&name)? as u64;
        total = total.saturating_add(len.saturating_mul(element_bytes(tensor.storage.dtype) as u64));
        if total > most {
            let what =
                format!("size of the tensors up to `{name}`, at most {} times the file", limits.unfold);
            return Err(Fault::AboveLimit { what, most, unit: "bytes", found: total });
        }
        let raw = tensor.place(&name, place.clone(), source, limits)?;
        if dict.insert(&key, raw).is_err() {
            return Err(Fault::Duplicate { what: "names of the tensors", name });
        }
    }
    Ok(dict)
}
