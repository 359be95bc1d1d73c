//! The finished part of a piece: the layers of some photographs, and which were rejected.
//!
//! A working file between our own programs, not a published format: layers one sample after the
//! other, then an index in JSON, then 56 bytes that seal both.

use std::io::Write;
use std::path::Path;
use std::str::FromStr as _;

use in9_base::PlainName;
use memmap2::Mmap;
use serde::{Deserialize, Serialize};

use crate::dataset::tables::Rejected;
use crate::error::{Damage, Error, Result};
use crate::prepare::Prepared;
use crate::shard::{Record, Sample};

const MAGIC: [u8; 8] = *b"IN9chunk";
const SEAL: usize = 56;

/// What a chunk says besides pixels.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Index {
    /// Number in the source's list, and sample, in the list's order.
    pub(super) accepted: Vec<(u64, Sample)>,
    pub(super) rejected: Vec<RejectedItem>,
}

/// A rejected photograph.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RejectedItem {
    /// Number in the source's list.
    pub(super) item: u64,
    pub(super) row: Rejected,
    /// Whether the input is at fault.
    pub(super) fault: bool,
}

/// Writes a chunk as its samples come. The file must be moved into place by the caller.
pub(super) struct Writer<W: Write> {
    out: W,
    crc: crc32fast::Hasher,
    index: Index,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, crc: crc32fast::Hasher::new(), index: Index::default() }
    }

    pub(super) fn accept(&mut self, item: u64, sample: Sample, prepared: &Prepared) -> std::io::Result<()> {
        for layer in [&prepared.photo, &prepared.tiled, &prepared.mask] {
            self.crc.update(layer);
            self.out.write_all(layer)?;
        }
        self.index.accepted.push((item, sample));
        Ok(())
    }

    pub(super) fn reject(&mut self, rejected: RejectedItem) {
        self.index.rejected.push(rejected);
    }

    pub(super) fn seal(mut self, digest: &blake3::Hash) -> std::io::Result<()> {
        let index = serde_json::to_vec(&self.index)?;
        self.crc.update(&index);
        self.out.write_all(&index)?;
        self.out.write_all(&(index.len() as u64).to_le_bytes())?;
        self.out.write_all(digest.as_bytes())?;
        self.out.write_all(&self.crc.finalize().to_le_bytes())?;
        self.out.write_all(&[0; 4])?;
        self.out.write_all(&MAGIC)?;
        self.out.flush()
    }
}

/// An open chunk.
pub(super) struct Chunk {
    map: Mmap,
    pub(super) index: Index,
    lengths: [usize; 3],
}

impl Chunk {
    /// Opens a chunk and checks every byte of it. `lengths` are the bytes of a photo, a tiled
    /// background and a mask.
    pub(super) fn open(path: &Path, digest: &blake3::Hash, lengths: [usize; 3]) -> Result<Self> {
        let file = in9_base::files::open(path)?;
        let bad = |expected: &str, found: String| Error::damaged(path, Damage::Chunk, expected, found);
        // SAFETY: chunks are moved into place when complete and never changed afterwards; their
        // lengths are checked below before anything is sliced.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| Error::read(path, e))?;
        let Some(body) = map.len().checked_sub(SEAL) else {
            return Err(bad("a sealed file", format!("{} bytes", map.len())));
        };
        let seal = &map[body..];
        let mut length = [0; 8];
        length.copy_from_slice(&seal[..8]);
        let length = u64::from_le_bytes(length);
        if seal[48..] != MAGIC || length > body as u64 {
            return Err(bad("a sealed file", "another end".into()));
        }
        if seal[8..40] != *digest.as_bytes() {
            return Err(bad("a chunk of the same build", "another build's".into()));
        }
        if crc32fast::hash(&map[..body]).to_le_bytes() != seal[40..44] {
            return Err(bad("its checksum", "another".into()));
        }
        let pixels = body - length as usize;
        let index: Index =
            serde_json::from_slice(&map[pixels..body]).map_err(|e| bad("an index", e.to_string()))?;
        if pixels != index.accepted.len() * lengths.iter().sum::<usize>() {
            return Err(bad("layers of every sample", format!("{pixels} bytes")));
        }
        Ok(Self { map, index, lengths })
    }

    /// Refuses samples that the build cannot have: `items` photographs of `classes` classes.
    pub(super) fn check(&self, path: &Path, items: u64, classes: usize) -> Result<()> {
        let accepted = self.index.accepted.iter().map(|(item, _)| *item);
        let numbers = accepted.chain(self.index.rejected.iter().map(|rejected| rejected.item));
        let strange = numbers.max().is_some_and(|item| item >= items)
            || self.index.accepted.iter().any(|(_, sample)| {
                usize::from(sample.class) >= classes || PlainName::from_str(&sample.id).is_err()
            });
        match strange {
            false => Ok(()),
            true => Err(Error::malformed(
                path,
                "samples that are not of this build",
                format!("{items} photographs of {classes} classes"),
                "another number, class or id",
                "delete it and run the build again",
            )),
        }
    }

    pub(super) fn record(&self, at: usize) -> Record<'_> {
        let [photo, tiled, mask] = self.lengths;
        let bytes = &self.map[at * (photo + tiled + mask)..][..photo + tiled + mask];
        Record { photo: &bytes[..photo], tiled: &bytes[photo..photo + tiled], mask: &bytes[photo + tiled..] }
    }
}
