//! Torch files since version 1.6: a zip archive with one pickle and a member for each storage.

use std::collections::HashMap;

use super::archive::Archive;
pub(in crate::weights) use super::archive::is_archive;
use crate::weights::fault::{Checked, fault};
use crate::weights::limits::Limits;
use crate::weights::pickle;
use crate::weights::source::Source;
use crate::weights::state_dict::StateDict;

/// The tensors of the archive.
pub(in crate::weights) fn read(
    source: &Source,
    limits: &Limits,
    notes: &mut Vec<String>,
) -> Checked<StateDict> {
    let archive = Archive::read(source, limits)?;
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
    if let Some(order) = archive.bytes(&format!("{root}byteorder"), 64)?
        && order != b"little"
    {
        return Err(fault(
            "byte order of the file",
            "little",
            String::from_utf8_lossy(&order).escape_debug().to_string(),
        ));
    }
    let bytes = archive.bytes(&format!("{root}data.pkl"), limits.header_bytes)?.unwrap_or_default();
    let pickle = pickle::read(&bytes, 0)?;
    let prefix = format!("{root}data/");
    let mut storages = HashMap::new();
    for name in archive.members.keys() {
        if let Some(key) = name.strip_prefix(&prefix)
            && let Some(place) = archive.place(name)?
        {
            storages.insert(key.to_owned(), place);
        }
    }
    super::tensors(&pickle, &storages, source, limits, notes)
}
