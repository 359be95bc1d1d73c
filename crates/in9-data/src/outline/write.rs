//! A dataset to its outline.

use std::io::{Read, Write};
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
    let mut archive = Archive::begin(out)?;
    archive.copy(&dataset.path().join(MANIFEST), MANIFEST, None)?;
    for name in tables::NAMES {
        archive.copy(&dataset.path().join(name), name, manifest.tables.get(name))?;
    }
    for (name, hash) in &manifest.pairings {
        let path = dataset.path().join("pairings").join(name);
        archive.copy(&path, &format!("{PAIRINGS}/{name}"), Some(hash))?;
    }
    let shards =
        splits.iter().zip(&manifest.splits).flat_map(|(split, info)| split.shards().iter().zip(&info.shards));
    let total = manifest.splits.iter().map(|split| split.shards.len() as u64).sum();
    let (mut samples, mut dataset_bytes) = (0, 0);
    for (at, (shard, info)) in shards.enumerate() {
        archive.head(&format!("{SHARDS}/{}", info.file), shard.outline_length())?;
        shard.write_outline(archive.0.get_mut(), out)?;
        archive.pad(shard.outline_length())?;
        samples += shard.len() as u64;
        dataset_bytes += shard.file_length();
        progress(at as u64 + 1, total);
    }
    let bytes = archive.finish(out)?;
    Ok(Outlined { samples, bytes, dataset_bytes, digest: dataset.digest() })
}

/// A tar inside gzip whose bytes depend on its files only: no times, no owners.
struct Archive<'o>(Builder<GzEncoder<NewFile>>, &'o Path);

impl<'o> Archive<'o> {
    fn begin(out: &'o Path) -> Result<Self> {
        Ok(Self(Builder::new(GzEncoder::new(NewFile::begin(out)?, Compression::best())), out))
    }

    fn failed(&self) -> impl Fn(std::io::Error) -> Error + use<'o> {
        let out = self.1;
        move |error| Error::write(out, error)
    }

    /// Begins a file of `length` bytes.
    fn head(&mut self, name: &str, length: u64) -> Result<()> {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_size(length);
        // A header holds a hundred bytes of a name; no name of ours is as long, but a split's may be.
        header.set_path(name).map_err(self.failed())?;
        header.set_cksum();
        let failed = self.failed();
        self.0.get_mut().write_all(header.as_bytes()).map_err(failed)
    }

    /// Ends a file of `length` bytes.
    fn pad(&mut self, length: u64) -> Result<()> {
        let failed = self.failed();
        self.0
            .get_mut()
            .write_all(&[0; BLOCK][..(length.next_multiple_of(BLOCK as u64) - length) as usize])
            .map_err(failed)
    }

    /// Adds a file of the dataset, which must have the hash that the manifest says.
    fn copy(&mut self, from: &Path, name: &str, expected: Option<&String>) -> Result<()> {
        let mut file = files::open(from)?;
        let length = file.metadata().map_err(|e| Error::read(from, e))?.len();
        self.head(name, length)?;
        let (mut hasher, mut buffer) = (blake3::Hasher::new(), vec![0; 1 << 16]);
        let mut left = length;
        while left > 0 {
            let wanted = buffer.len().min(left as usize);
            let got = file.read(&mut buffer[..wanted]).map_err(|e| Error::read(from, e))?;
            if got == 0 {
                let found = format!("{} bytes", length - left);
                return Err(Error::damaged(from, Damage::ChangedWhileOpen, format!("{length} bytes"), found));
            }
            hasher.update(&buffer[..got]);
            let failed = self.failed();
            self.0.get_mut().write_all(&buffer[..got]).map_err(failed)?;
            left -= got as u64;
        }
        let found = hasher.finalize().to_hex();
        if let Some(expected) = expected.filter(|expected| expected.as_str() != found.as_str()) {
            return Err(Error::damaged(from, Damage::Table, expected, found));
        }
        self.pad(length)
    }

    /// Ends the archive and puts the file into its place; returns its bytes.
    fn finish(self, out: &Path) -> Result<u64> {
        let failed = self.failed();
        let file = self.0.into_inner().and_then(GzEncoder::finish).map_err(failed)?;
        file.place()?;
        Ok(std::fs::metadata(out).map_err(|e| Error::read(out, e))?.len())
    }
}

/// Bytes of a block of a tar.
const BLOCK: usize = 512;
