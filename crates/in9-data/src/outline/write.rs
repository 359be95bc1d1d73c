//! A dataset to its outline.

use std::io::Read;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use in9_base::files::{self, NewFile};
use tar::{Builder, EntryType, Header};

use super::{PAIRINGS, SHARDS};
use crate::dataset::{Dataset, MANIFEST, tables};
use crate::error::{Damage, Error, Result};

/// What stands in an outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlined {
    /// Samples, of all splits.
    pub samples: u64,
    /// Bytes of the outline.
    pub bytes: u64,
    /// Bytes of the dataset's shards.
    pub dataset_bytes: u64,
    /// See [`Dataset::digest`].
    pub digest: String,
}

/// Writes the outline of a dataset into one file. The same dataset gives the same bytes.
///
/// # Errors
/// If `out` is there already or cannot be written, or something of the dataset is damaged.
pub fn write_outline(
    dataset: &Dataset,
    out: &Path,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Outlined> {
    if std::fs::symlink_metadata(out).is_ok() {
        let found = format!("{}, which is there", out.display());
        return Err(Error::argument("the outline's place is taken", "a new file", found, "choose another"));
    }
    let manifest = dataset.manifest();
    let splits = dataset.splits().into_iter().map(|name| dataset.split(name)).collect::<Result<Vec<_>>>()?;
    let mut archive = Builder::new(GzEncoder::new(NewFile::begin(out)?, Compression::best()));
    let mut add = |name: &str, length: u64, bytes: &mut dyn Read| {
        archive.append_data(&mut header(length), name, bytes).map_err(|e| Error::write(out, e))
    };
    let mut copy = |name: &str, hash: Option<&String>| {
        let path = dataset.path().join(name);
        if let Some(expected) = hash {
            let found = in9_base::digest::file(&path)?.to_hex();
            if found.as_str() != expected {
                return Err(Error::damaged(&path, Damage::Table, expected, found));
            }
        }
        let mut file = files::open(&path)?;
        let length = file.metadata().map_err(|e| Error::read(&path, e))?.len();
        add(name, length, &mut file)
    };
    copy(MANIFEST, None)?;
    tables::NAMES.into_iter().try_for_each(|name| copy(name, manifest.tables.get(name)))?;
    for (name, hash) in &manifest.pairings {
        copy(&format!("{PAIRINGS}/{name}"), Some(hash))?;
    }
    let infos = manifest.splits.iter().flat_map(|split| &split.shards);
    let shards: Vec<_> = splits.iter().flat_map(|split| split.shards()).zip(infos).collect();
    for (at, (shard, info)) in shards.iter().enumerate() {
        let bytes = shard.outline()?;
        add(&format!("{SHARDS}/{}", info.file), bytes.len() as u64, &mut &bytes[..])?;
        progress(at as u64 + 1, shards.len() as u64);
    }
    let file = archive.into_inner().and_then(GzEncoder::finish).map_err(|e| Error::write(out, e))?;
    file.place()?;
    Ok(Outlined {
        samples: shards.iter().map(|(shard, _)| shard.len() as u64).sum(),
        bytes: std::fs::metadata(out).map_err(|e| Error::read(out, e))?.len(),
        dataset_bytes: shards.iter().map(|(shard, _)| shard.file_length()).sum(),
        digest: dataset.digest(),
    })
}

/// The header of a file of `length` bytes without times and owners, so that bytes depend on files only.
fn header(length: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_size(length);
    header
}
