//! Torch files from before version 1.6: pickles in a row, then the storages.
//!
//! Layout: magic number, protocol version and system description (a pickle each), the object, the
//! list of storage keys, and for each key a count of elements (`u64`, little-endian) with the
//! elements behind it. Source: `_legacy_save` in PyTorch's `torch/serialization.py`.

use std::collections::HashMap;

use super::Storages;
use super::storage::{StorageRef, element_bytes};
use crate::weights::fault::{Checked, Fault, fault, shown};
use crate::weights::limits::Limits;
use crate::weights::pickle::{self, Object, Pickle, Value};
use crate::weights::source::Source;
use crate::weights::state_dict::StateDict;

/// The first pickle of every such file: the number 0x1950a86a20f9469cfc6c.
const MAGIC: &[u8] =
    &[0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, b'.'];

/// Whether a file that begins with `start` has this layout.
pub(in crate::weights) fn is_legacy(start: &[u8]) -> bool {
    start.starts_with(MAGIC)
}

/// The tensors of the file.
pub(in crate::weights) fn read(
    source: &Source,
    limits: &Limits,
    notes: &mut Vec<String>,
) -> Checked<StateDict> {
    // A stream of pickles has no length of its own, so the limit cuts the input.
    let head = source.bytes(0..limits.header_bytes.min(source.len()), "the file")?;
    let version = pickle::read(&head, MAGIC.len())?;
    if !matches!(version.root, Value::Int(1001)) {
        return Err(fault("protocol version of the file", "1001", "another"));
    }
    let system = pickle::read(&head, version.end)?;
    if let Some(Object::Dict(items)) = system.object(&system.root)
        && items
            .iter()
            .any(|(k, v)| matches!(v, Value::Bool(false)) && system.text(k) == Some("little_endian"))
    {
        return Err(fault("byte order of the file", "little-endian", "big-endian"));
    }
    let object = pickle::read(&head, system.end)?;
    let keys = pickle::read(&head, object.end)?;
    let storages = storages(source, &object, &keys)?;
    super::tensors(&object, &storages, source, limits, notes)
}

fn storages(source: &Source, object: &Pickle<'_>, keys: &Pickle<'_>) -> Checked<Storages> {
    let mut declared: HashMap<&str, StorageRef<'_>> = HashMap::new();
    for storage in object.storages() {
        let first = declared.entry(storage.key).or_insert(storage);
        if first.dtype != storage.dtype {
            return Err(fault(
                format!("storage `{}`", shown(storage.key)),
                format!("one element type, {:?}", first.dtype),
                format!("{:?} too", storage.dtype),
            ));
        }
    }
    let Some(Object::List(list)) = keys.object(&keys.root) else {
        return Err(fault("list of storages", "a list of keys", "something else"));
    };
    let mut places = HashMap::new();
    let mut at = keys.end as u64;
    for key in list {
        let Some(key) = keys.text(key) else {
            return Err(fault("list of storages", "keys that are strings", "another type"));
        };
        let Some(storage) = declared.get(key) else {
            let found = format!("`{}`", shown(key));
            return Err(fault("list of storages", "keys of the object's storages", found));
        };
        let what = format!("storage `{}` at byte {at}", shown(key));
        let count = u64::from_le_bytes(source.array(at, &what)?);
        let needed = count.saturating_mul(element_bytes(storage.dtype) as u64);
        let start = at + 8;
        let left = source.len() - start;
        if needed > left {
            return Err(Fault::CutOff { what, needed, left });
        }
        at = start + needed;
        if places.insert(key.to_owned(), start..at).is_some() {
            return Err(Fault::Duplicate { what: "list of storages", name: shown(key) });
        }
    }
    if at != source.len() {
        return Err(fault(
            "end of the file",
            format!("{at} bytes"),
            format!("{} bytes, some belong to nothing", source.len()),
        ));
    }
    Ok(places)
}
