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
    /// Where each sample's layers begin, and the bytes of its photo, tiled background and mask.
    places: Vec<(usize, [usize; 3])>,
}

impl Chunk {
    /// Opens a chunk and checks every byte of it. `lengths` are the bytes of a photo, a tiled
    /// background and a mask of the photograph with a number in the source's list.
    pub(super) fn open(
        path: &Path,
        digest: &blake3::Hash,
        lengths: &dyn Fn(u64) -> [usize; 3],
    ) -> Result<Self> {
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
        let (mut places, mut end) = (Vec::with_capacity(index.accepted.len()), 0);
        for (item, _) in &index.accepted {
            let lengths = lengths(*item);
            places.push((end, lengths));
            end += lengths.iter().sum::<usize>();
        }
        if pixels != end {
            return Err(bad("layers of every sample", format!("{pixels} bytes")));
        }
        Ok(Self { map, index, places })
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
        let (start, [photo, tiled, mask]) = self.places[at];
        let bytes = &self.map[start..][..photo + tiled + mask];
        Record { photo: &bytes[..photo], tiled: &bytes[photo..photo + tiled], mask: &bytes[photo + tiled..] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::Sample;

    const LENGTHS: [usize; 3] = [12, 12, 1];

    fn sample(id: &str) -> Sample {
        Sample {
            id: id.into(),
            fine: "n1".into(),
            source: format!("{id}.png"),
            class: 0,
            blake3: [0; 32],
            width: 2,
            height: 2,
            photo_box: [0; 4],
            crop_box: [0; 4],
            mask_area: 1,
            box_area: 1,
        }
    }

    /// A chunk of two samples.
    fn chunk(digest: &blake3::Hash) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes);
        for (item, id) in [(0, "a"), (1, "b")] {
            let sample = sample(id);
            let prepared = Prepared {
                photo: vec![item as u8 + 1; 12],
                tiled: vec![item as u8 + 3; 12],
                mask: vec![item as u8],
                photo_box: sample.photo_box,
                crop_box: sample.crop_box,
                mask_area: 1,
                box_area: 1,
            };
            writer.accept(item, sample, &prepared).unwrap();
        }
        writer.seal(digest).unwrap();
        bytes
    }

    /// Makes the checksum of a chunk right.
    fn seal(bytes: &mut [u8]) {
        let body = bytes.len() - SEAL;
        let crc = crc32fast::hash(&bytes[..body]).to_le_bytes();
        bytes[body + 40..body + 44].copy_from_slice(&crc);
    }

    /// Nothing of the map is sliced but what its length was found to hold.
    #[test]
    fn what_is_cut_damaged_or_lies_about_its_lengths_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (path, digest) = (dir.path().join("a.chunk"), blake3::hash(b"build"));
        let open = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            Chunk::open(&path, &digest, &|_| LENGTHS)
        };
        let whole = chunk(&digest);
        let opened = open(&whole).unwrap();
        assert_eq!(opened.index.accepted.len(), 2);
        let last = opened.record(1);
        assert_eq!((last.photo, last.tiled, last.mask), (&[2; 12][..], &[4; 12][..], &[1][..]));
        drop(opened);
        for end in 0..whole.len() {
            assert!(open(&whole[..end]).is_err(), "cut at {end}");
        }
        let body = whole.len() - SEAL;
        for at in (0..body + 44).chain(whole.len() - MAGIC.len()..whole.len()) {
            let mut damaged = whole.clone();
            damaged[at] ^= 4;
            assert!(open(&damaged).is_err(), "byte {at}");
        }
        // With a right checksum: an index longer than the file, of no length, and one sample's layers left out.
        for length in [u64::MAX, body as u64 + 1, 0] {
            let mut lying = whole.clone();
            lying[body..body + 8].copy_from_slice(&length.to_le_bytes());
            seal(&mut lying);
            assert!(open(&lying).is_err(), "{length}");
        }
        let mut lacking = whole[25..].to_vec();
        seal(&mut lacking);
        assert!(open(&lacking).is_err());
    }
}
