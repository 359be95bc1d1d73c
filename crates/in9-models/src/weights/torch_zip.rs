//! Torch files since version 1.6: a zip archive with one pickle and a member for each storage.

use std::collections::HashMap;

use super::fault::{Checked, fault};
use super::limits::Limits;
use super::pickle::{Pickle, read};
use super::stored_zip::Archive;

/// The pickle, and the bytes of each storage by key.
pub(super) fn parse<'a>(file: &'a [u8], limits: &Limits) -> Checked<(Pickle, HashMap<String, &'a [u8]>)> {
    let archive = Archive::parse(file, limits.tensors.saturating_add(64))?;
    let mut roots = archive.members.keys().filter_map(|n| n.strip_suffix("data.pkl"));
    let root = match (roots.next(), roots.next()) {
        (Some(root), None) => root.to_owned(),
        (None, _) => {
            return Err(fault("contents of the archive", "a member `data.pkl`", "none: not a torch file"));
        }
        _ => return Err(fault("contents of the archive", "one member `data.pkl`", "several")),
    };
    if archive.members.contains_key(&format!("{root}constants.pkl")) {
        return Err(fault("contents of the archive", "a state dict", "a TorchScript program"));
    }
    if let Some(order) = archive.bytes(&format!("{root}byteorder"))?
        && order != b"little"
    {
        return Err(fault("byte order of the file", "little", String::from_utf8_lossy(order)));
    }
    let pickle = archive.bytes(&format!("{root}data.pkl"))?.unwrap_or_default();
    if pickle.len() as u64 > limits.header_bytes {
        return Err(fault(
            "length of the pickle",
            format!("at most {} bytes", limits.header_bytes),
            pickle.len().to_string(),
        ));
    }
    let pickle = read(pickle, 0)?;
    let prefix = format!("{root}data/");
    let mut storages = HashMap::new();
    for name in archive.members.keys() {
        if let Some(key) = name.strip_prefix(&prefix)
            && let Some(bytes) = archive.bytes(name)?
        {
            storages.insert(key.to_owned(), bytes);
        }
    }
    Ok((pickle, storages))
}
