//! A shard without the pixels of its photographs: what is left of it when two planes are taken out.
//!
//! The bytes of the shard in their order, without padding: header, index, masks, checksums, footer. The checksums say
//! what the photographs and backgrounds were, so that layers which are made again can be told from others.

use std::path::Path;

use super::super::codec::{Sample, decode_index};
use super::super::header::{FOOTER, HEADER, Header};
use super::checks::check_samples;
use super::{MASK, Shard};
use crate::error::{Damage, Error, Result};
use crate::limits::Limits;

/// What a shard holds beside the pixels of its photographs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShardOutline {
    header: Header,
    samples: Vec<Sample>,
    masks: Vec<u8>,
    /// One or three of each sample.
    crcs: Vec<u32>,
}

impl Shard {
    /// The outline; every mask is checked before.
    ///
    /// # Errors
    /// If a mask is damaged.
    pub(crate) fn outline(&self) -> Result<Vec<u8>> {
        let mut bytes = self.map[..(HEADER + self.header.index_length) as usize].to_vec();
        if self.header.planes.layers {
            for at in 0..self.len() {
                self.check(MASK, at)?;
                bytes.extend_from_slice(&self.map[self.layer(MASK, at)]);
            }
        }
        bytes.extend_from_slice(&self.map[self.layout.crcs as usize..]);
        debug_assert_eq!(outline_length(&self.header), Some(bytes.len() as u64));
        Ok(bytes)
    }
}

/// Bytes of the outline of a shard with this header; `None` if the numbers overflow.
fn outline_length(header: &Header) -> Option<u64> {
    let mask = if header.planes.layers { header.mask() } else { 0 };
    let each = mask.checked_add(4 * header.crcs_per_sample())?;
    (HEADER + FOOTER).checked_add(header.index_length)?.checked_add(header.samples.checked_mul(each)?)
}

impl ShardOutline {
    /// Reads an outline; `path` and `name`, the shard's, only name it in errors.
    ///
    /// # Errors
    /// If it is not an outline, or is damaged.
    pub(crate) fn parse(bytes: &[u8], path: &Path, name: &str, limits: &Limits) -> Result<Self> {
        let damaged = |expected: String, found: String| {
            Err(Error::Damaged { path: path.join(name), damage: Damage::Outline, expected, found })
        };
        let Some(head) = bytes.first_chunk::<{ HEADER as usize }>() else {
            return damaged(format!("{HEADER} bytes at least"), format!("{} bytes", bytes.len()));
        };
        let (header, _) = Header::parse(head).map_err(|fault| fault.of(&path.join(name)))?;
        let expected = outline_length(&header);
        if expected != Some(bytes.len() as u64) {
            let expected = expected.map_or("a file below 2^64 bytes".into(), |n| format!("{n} bytes"));
            return damaged(expected, format!("{} bytes", bytes.len()));
        }
        if header.index_length > limits.index_bytes {
            return Err(Error::Limit {
                path: path.join(name),
                what: "bytes of the index",
                limit: limits.index_bytes,
                found: header.index_length,
            });
        }
        let (index, rest) = bytes[HEADER as usize..].split_at(header.index_length as usize);
        let crc = crc32fast::hash(index);
        if crc != header.index_crc {
            return damaged(format!("CRC-32 {:08x} of the index", header.index_crc), format!("{crc:08x}"));
        }
        let samples = match decode_index(index, header.samples) {
            Ok(samples) => samples,
            Err(what) => return damaged(format!("{} entries", header.samples), what),
        };
        check_samples(&samples, &header, &path.join(name))?;
        let numbers = header.samples as usize * header.crcs_per_sample() as usize * size_of::<u32>();
        let (masks, rest) = rest.split_at(rest.len() - FOOTER as usize - numbers);
        let crcs = rest[..numbers].as_chunks().0.iter().map(|&number| u32::from_le_bytes(number)).collect();
        let outline = Self { header, samples, masks: masks.to_vec(), crcs };
        for at in 0..outline.samples.len() {
            let (Some(expected), found) = (outline.crc(at, MASK), crc32fast::hash(outline.mask(at))) else {
                continue;
            };
            if expected != found {
                let id = &outline.samples[at].id;
                return damaged(format!("CRC-32 {expected:08x} of the mask of {id}"), format!("{found:08x}"));
            }
        }
        Ok(outline)
    }

    /// The samples in order.
    pub(crate) fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// The packed mask of a sample; empty with photographs only.
    pub(crate) fn mask(&self, at: usize) -> &[u8] {
        let length = if self.header.planes.layers { self.header.mask() as usize } else { 0 };
        &self.masks[at * length..(at + 1) * length]
    }

    /// The checksum of layer 0 (photo), 1 (tiled) or 2 (mask) of a sample, if the layer is stored.
    pub(crate) fn crc(&self, at: usize, layer: usize) -> Option<u32> {
        let each = self.header.crcs_per_sample() as usize;
        (layer < each).then(|| self.crcs[at * each + layer])
    }

    /// The header, which a shard that is made again must have.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::shard;
    use super::*;

    fn outline(dir: &Path, layers: bool) -> (Shard, Vec<u8>) {
        let path = dir.join("a.in9");
        shard(&path, layers);
        let open = Shard::open(&path, &Limits::default()).unwrap();
        let bytes = open.outline().unwrap();
        (open, bytes)
    }

    #[test]
    fn an_outline_holds_samples_masks_and_checksums_but_no_photograph() {
        let dir = tempfile::tempdir().unwrap();
        for layers in [true, false] {
            let (open, bytes) = outline(dir.path(), layers);
            let read = ShardOutline::parse(&bytes, Path::new("o"), "a.in9", &Limits::default()).unwrap();
            assert_eq!(read.samples(), open.samples());
            for at in 0..open.len() {
                let given = open.layers(at).unwrap();
                assert_eq!(read.mask(at), given.mask.bytes());
                assert_eq!(read.crc(at, 0), Some(crc32fast::hash(given.photo)));
                assert_eq!(read.crc(at, 1), layers.then(|| crc32fast::hash(given.tiled)));
                assert!(!bytes.windows(given.photo.len()).any(|part| part == given.photo));
            }
        }
    }

    #[test]
    fn every_cut_and_every_flipped_byte_but_the_footers_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let (open, bytes) = outline(dir.path(), true);
        let parse = |bytes: &[u8]| ShardOutline::parse(bytes, Path::new("o"), "a.in9", &Limits::default());
        for end in 0..bytes.len() {
            assert!(parse(&bytes[..end]).is_err(), "cut at {end}");
        }
        // Checksums of photographs are noticed when the photographs are there, the footer by the shard's own hash.
        let checksums = bytes.len() - FOOTER as usize - open.len() * 12;
        for at in 0..checksums {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x20;
            assert!(parse(&damaged).is_err(), "byte {at}");
        }
    }
}
