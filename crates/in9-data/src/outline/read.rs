//! An outline, file by file, trusting nothing in it.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::read::GzDecoder;
use in9_base::files;
use tar::{Archive, Entries};

use super::{PAIRINGS, SHARDS};
use crate::dataset::{MANIFEST, Manifest, tables};
use crate::error::{Error, Result};

/// Bytes of a manifest, as its reader limits them.
const MANIFEST_BYTES: u64 = 32 << 20;
/// Bytes of a table or pairing.
const TABLE_BYTES: u64 = 4 << 30;
/// Bytes of a shard's outline: it is held in memory.
const SHARD_BYTES: u64 = 256 << 20;

/// An outline whose manifest was read; what else is in it comes in the order of the manifest.
pub(super) struct Outline<'a> {
    path: &'a Path,
    pub(super) manifest: Manifest,
    /// The manifest as it is written.
    pub(super) manifest_text: String,
}

/// The archive at `path`.
pub(super) fn open(path: &Path) -> Result<Archive<GzDecoder<BufReader<File>>>> {
    let file = BufReader::with_capacity(1 << 20, files::open(path)?);
    Ok(Archive::new(GzDecoder::new(file)))
}

impl<'a> Outline<'a> {
    /// Reads the manifest, which is the archive's first file.
    pub(super) fn begin<R: Read>(path: &'a Path, entries: &mut Entries<'_, R>) -> Result<Self> {
        let mut text = Vec::new();
        next(path, entries, MANIFEST, MANIFEST_BYTES, |entry| entry.read_to_end(&mut text).map(|_| ()))?;
        let manifest_text = String::from_utf8(text).map_err(|_| not_one(path, MANIFEST, "no text".into()))?;
        let manifest = Manifest::parse(&manifest_text, &path.join(MANIFEST))?;
        Ok(Self { path, manifest, manifest_text })
    }

    /// Tables and pairings: the path of each in the dataset, with the hash that it must have.
    pub(super) fn tables(&self) -> impl Iterator<Item = (String, &str)> {
        let listed = |name: &str| self.manifest.tables.get(name).map_or("", String::as_str);
        let tables = tables::NAMES.into_iter().map(move |name| (name.to_owned(), listed(name)));
        let pairings = self.manifest.pairings.iter();
        tables.chain(pairings.map(|(name, hash)| (format!("{PAIRINGS}/{name}"), hash.as_str())))
    }

    /// Hands the next file, which must be `name`, to `work`.
    pub(super) fn table<R: Read>(
        &self,
        entries: &mut Entries<'_, R>,
        name: &str,
        work: impl FnOnce(&mut dyn Read) -> std::io::Result<()>,
    ) -> Result<()> {
        next(self.path, entries, name, TABLE_BYTES, work)
    }

    /// The bytes of the next file, which must be the outline of shard `name`.
    pub(super) fn shard<R: Read>(&self, entries: &mut Entries<'_, R>, name: &str) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        next(self.path, entries, &format!("{SHARDS}/{name}"), SHARD_BYTES, |entry| {
            entry.read_to_end(&mut bytes).map(|_| ())
        })?;
        Ok(bytes)
    }
    /// Refuses an archive that goes on, or was cut behind its last file.
    pub(super) fn end<R: Read>(&self, mut entries: Entries<'_, R>) -> Result<()> {
        match entries.next() {
            None => Ok(()),
            Some(Ok(entry)) => {
                Err(not_one(self.path, "the end", String::from_utf8_lossy(&entry.path_bytes()).into_owned()))
            }
            Some(Err(error)) => Err(not_one(self.path, "the end", error.to_string())),
        }
    }
}

/// Reads an outline to its end without the photographs.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn walk(bytes: &[u8], path: &Path, limits: &crate::Limits) -> Result<()> {
    let mut archive = Archive::new(GzDecoder::new(bytes));
    let mut entries = archive.entries().map_err(|e| Error::read(path, e))?;
    let outline = Outline::begin(path, &mut entries)?;
    for (name, _) in outline.tables() {
        outline.table(&mut entries, &name, |entry| std::io::copy(entry, &mut std::io::sink()).map(drop))?;
    }
    for info in outline.manifest.splits.iter().flat_map(|split| &split.shards) {
        let bytes = outline.shard(&mut entries, &info.file)?;
        let shard = crate::shard::ShardOutline::parse(&bytes, path, &info.file, limits)?;
        assert!(
            (0..shard.samples().len()).all(|at| shard.crc(at, 0).is_some()),
            "a sample without a checksum"
        );
    }
    outline.end(entries)
}

/// Hands the next file of the archive to `work`, if it is `name` and not too long.
fn next<R: Read>(
    path: &Path,
    entries: &mut Entries<'_, R>,
    name: &str,
    limit: u64,
    work: impl FnOnce(&mut dyn Read) -> std::io::Result<()>,
) -> Result<()> {
    let bad = |error: std::io::Error| match error.kind() {
        // What the decoder makes of damaged bytes, and what an end in the middle is.
        std::io::ErrorKind::InvalidInput
        | std::io::ErrorKind::InvalidData
        | std::io::ErrorKind::UnexpectedEof
        | std::io::ErrorKind::Other => not_one(path, name, error.to_string()),
        _ => Error::read(path, error),
    };
    let Some(entry) = entries.next() else { return Err(not_one(path, name, "the end".into())) };
    let entry = entry.map_err(bad)?;
    let found = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    if found != name || !entry.header().entry_type().is_file() {
        return Err(not_one(path, name, found));
    }
    let length = entry.size();
    if length > limit {
        return Err(Error::Limit { path: path.join(name), what: "bytes", limit, found: length });
    }
    let mut counted = entry.take(limit);
    let read = work(&mut counted).map_err(bad);
    let left = length - (limit - counted.limit());
    read?;
    match left {
        0 => Ok(()),
        _ => Err(not_one(path, name, format!("{left} bytes less than promised"))),
    }
}

/// The file is no outline; what it holds instead may be anything, and is told in one line.
fn not_one(path: &Path, name: &str, found: String) -> Error {
    let found = found.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    Error::NotOfFormat {
        path: path.into(),
        format: "an outline",
        expected: name.into(),
        found,
        advice: "copy it again, or write it again",
    }
}
