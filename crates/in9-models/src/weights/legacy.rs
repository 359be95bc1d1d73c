//! Torch files from before version 1.6: pickles in a row, then the storages.
//!
//! Layout: magic number, protocol version and system description (a pickle each), the object, the
//! list of storage keys, and for each key a count of elements (`u64`, little-endian) with the
//! elements behind it.

use std::collections::HashMap;
use std::ops::Range;

use super::fault::{Checked, fault};
use super::pickle::{Object, Pickle, Value, read};
use super::storage::{StorageRef, element_bytes};

/// The first pickle of every such file: the number 0x1950a86a20f9469cfc6c.
const MAGIC: &[u8] =
    &[0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, b'.'];

pub(super) fn is_legacy(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The object's pickle and the place of each storage's bytes in the file.
pub(super) fn parse(file: &[u8], header_bytes: u64) -> Checked<(Pickle, HashMap<String, Range<usize>>)> {
    // A stream of pickles has no length of its own, so the cap cuts the input.
    let cap = usize::try_from(header_bytes).unwrap_or(usize::MAX).min(file.len());
    let head = &file[..cap];
    let version = read(head, MAGIC.len())?;
    if !matches!(version.root, Value::Int(1001)) {
        return Err(fault("protocol version of the file", "1001", "another"));
    }
    let system = read(head, version.end)?;
    if let Some(Object::Dict(items)) = system.object(&system.root)
        && items
            .iter()
            .any(|(k, v)| matches!((k, v), (Value::Str(k), Value::Bool(false)) if &**k == "little_endian"))
    {
        return Err(fault("byte order of the file", "little-endian", "big-endian"));
    }
    let object = read(head, system.end)?;
    let keys = read(head, object.end)?;
    let places = storages(file, &object, &keys)?;
    Ok((object, places))
}

fn storages(file: &[u8], object: &Pickle, keys: &Pickle) -> Checked<HashMap<String, Range<usize>>> {
    let mut declared: HashMap<&str, &StorageRef> = HashMap::new();
    for item in &object.heap {
        if let Object::Storage(storage) = item {
            let first = declared.entry(&storage.key).or_insert(storage);
            if first.dtype != storage.dtype {
                return Err(fault(
                    format!("storage `{}`", storage.key),
                    format!("one element type, {:?}", first.dtype),
                    format!("{:?} too", storage.dtype),
                ));
            }
        }
    }
    let Some(Object::List(list)) = keys.object(&keys.root) else {
        return Err(fault("list of storages", "a list of keys", "something else"));
    };
    let mut places = HashMap::new();
    let mut at = keys.end;
    for key in list {
        let Value::Str(key) = key else {
            return Err(fault("list of storages", "keys that are strings", "another type"));
        };
        let Some(storage) = declared.get(&**key) else {
            return Err(fault("list of storages", "keys of the object's storages", format!("`{key}`")));
        };
        let cut = |expected: u64| {
            fault(
                format!("storage `{key}` at byte {at}"),
                format!("{expected} bytes"),
                format!("{}, the file is cut off", file.len().saturating_sub(at)),
            )
        };
        let Some((count, _)) = file.get(at..).and_then(|rest| rest.split_first_chunk::<8>()) else {
            return Err(cut(8));
        };
        let count = u64::from_le_bytes(*count);
        let width = element_bytes(storage.dtype) as u64;
        let bytes = count.checked_mul(width).ok_or_else(|| cut(u64::MAX))?;
        let start = at + 8;
        let end = usize::try_from(bytes).ok().and_then(|n| start.checked_add(n));
        let end = end.filter(|&end| end <= file.len()).ok_or_else(|| cut(bytes))?;
        if places.insert(key.to_string(), start..end).is_some() {
            return Err(fault("list of storages", "each key once", format!("`{key}` twice")));
        }
        at = end;
    }
    if at != file.len() {
        return Err(fault(
            "end of the file",
            format!("{at} bytes"),
            format!("{} bytes, some belong to nothing", file.len()),
        ));
    }
    Ok(places)
}
