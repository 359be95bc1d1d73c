//! Reading a shard through a memory map, trusting nothing in it.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;

use crate::compose::Layers;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::mask::MaskBits;

use super::codec::{Sample, decode_index};
use super::header::{FOOTER, FOOTER_MAGIC, HEADER, Header, Layout, footer};

/// An open shard. Cheap to read from any thread.
#[derive(Debug)]
pub struct Shard {
    path: PathBuf,
    map: Mmap,
    header: Header,
    layout: Layout,
    samples: Vec<Sample>,
}

impl Shard {
    /// Opens a shard and checks its header, its length, its index and its footer; the pixels are
    /// checked by [`Shard::verify`].
    ///
    /// The file must not be changed while it is open: whoever cuts a mapped file short makes the
    /// reader die of SIGBUS. Our own writers never touch a file in place.
    ///
    /// # Errors
    /// If the file cannot be read or is not a valid shard.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self> {
        // Before opening: to open a pipe that nobody writes to would wait for ever.
        let about = std::fs::metadata(path).map_err(|e| Error::read(path, e))?;
        if !about.is_file() {
            let found = "a folder, pipe or device".to_owned();
            let advice = "copy or build the shard again";
            return Err(Error::malformed(path, "not a shard", "a regular file", found, advice));
        }
        let file = File::open(path).map_err(|e| Error::read(path, e))?;
        // SAFETY: the map is read only, and no program of ours writes to a finished shard; a change
        // by others can only change the bytes that are read, none of which is trusted as an offset
        // after the checks below without a slice bound.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| Error::read(path, e))?;
        let bad = |what: &str, expected: String, found: String| {
            Error::malformed(path, what, expected, found, "copy or build the shard again")
        };
        let Some(head) = map.first_chunk::<{ HEADER as usize }>() else {
            return Err(bad(
                "shard cut short",
                format!("{} bytes at least", HEADER + FOOTER),
                format!("{} bytes", map.len()),
            ));
        };
        let (header, layout) =
            Header::parse(head).map_err(|(what, expected, found)| bad(&what, expected, found))?;
        if map.len() as u64 != layout.length {
            return Err(bad(
                "shard of wrong length",
                format!("{} bytes", layout.length),
                format!("{} bytes", map.len()),
            ));
        }
        if header.index_length > limits.index_bytes {
            return Err(Error::Limit {
                path: path.into(),
                what: "bytes of the index",
                limit: limits.index_bytes,
                found: header.index_length,
            });
        }
        let index = &map[HEADER as usize..(HEADER + header.index_length) as usize];
        let crc = crc32fast::hash(index);
        if crc != header.index_crc {
            return Err(bad(
                "index damaged",
                format!("CRC-32 {:08x}", header.index_crc),
                format!("{crc:08x}"),
            ));
        }
        let samples = decode_index(index, header.samples)
            .map_err(|e| bad("index damaged", format!("{} entries", header.samples), e))?;
        let shard = Self { path: path.into(), map, header, layout, samples };
        shard.check_footer()?;
        shard.check_samples()?;
        Ok(shard)
    }

    fn bad(&self, what: String, expected: impl ToString, found: impl ToString) -> Error {
        Error::malformed(
            &self.path,
            what,
            expected.to_string(),
            found.to_string(),
            "copy or build the shard again",
        )
    }

    fn check_footer(&self) -> Result<()> {
        let bytes = &self.map[self.layout.footer as usize..];
        let expected =
            footer(&self.hash(), &self.layout, [self.map[124], self.map[125], self.map[126], self.map[127]]);
        if bytes[..8] != FOOTER_MAGIC || bytes != expected {
            return Err(self.bad(
                "footer damaged".into(),
                "a footer that repeats the header",
                "something else",
            ));
        }
        Ok(())
    }

    fn check_samples(&self) -> Result<()> {
        let size = self.header.size;
        for (at, sample) in self.samples.iter().enumerate() {
            let [x0, y0, x1, y1] = sample.crop_box.map(u32::from);
            if x0 > x1 || y0 > y1 || x1 >= size || y1 >= size {
                let expected = format!("a box inside {size}x{size}");
                return Err(self.bad(
                    format!("box of sample {at}"),
                    expected,
                    format!("{:?}", sample.crop_box),
                ));
            }
            if u32::from(sample.class) >= self.header.classes {
                return Err(self.bad(
                    format!("class of sample {at}"),
                    format!("below {}", self.header.classes),
                    sample.class,
                ));
            }
            if sample.id.is_empty() || sample.id.contains(['/', '\\', '\0', '\n', ',']) {
                return Err(self.bad(
                    format!("id of sample {at}"),
                    "a plain file name",
                    format!("{:?}", sample.id),
                ));
            }
        }
        Ok(())
    }

    /// Checks every byte: the checksum of every layer, the padding, and the hash of the file.
    ///
    /// # Errors
    /// The first damage found, naming sample and layer.
    pub fn verify(&self) -> Result<()> {
        let stride = self.header.crcs_per_sample() as usize;
        for at in 0..self.len() {
            for (plane, name) in ["photo", "tiled", "mask"].into_iter().take(stride).enumerate() {
                let start = self.layout.crcs as usize + (at * stride + plane) * 4;
                let stored = &self.map[start..start + 4];
                let crc = crc32fast::hash(&self.map[self.layer(plane, at)]).to_le_bytes();
                if crc != stored {
                    let what = format!("{name} of sample {at} ({}) damaged", self.samples[at].id);
                    return Err(self.bad(what, format!("CRC-32 {stored:02x?}"), format!("{crc:02x?}")));
                }
            }
            if self.header.planes.layers {
                let tail = self.header.size as usize * self.header.size as usize % 8;
                let last = self.map[self.layer(2, at)].last().copied().unwrap_or(0);
                if tail != 0 && last >> tail != 0 {
                    return Err(self.bad(
                        format!("mask of sample {at}"),
                        "unused bits 0",
                        format!("{last:08b}"),
                    ));
                }
            }
        }
        let found = blake3::hash(&self.map[..self.layout.footer as usize]);
        if found != self.hash() {
            return Err(self.bad("file damaged outside its layers".into(), self.hash(), found));
        }
        Ok(())
    }

    /// Bytes of layer `plane` (0 photo, 1 tiled, 2 mask) of a sample.
    fn layer(&self, plane: usize, at: usize) -> Range<usize> {
        let start = [self.layout.photo, self.layout.tiled, self.layout.mask][plane];
        let length = if plane == 2 { self.header.mask() } else { self.header.rgb() };
        let start = (start + at as u64 * length) as usize;
        start..start + length as usize
    }

    /// Layers of sample `at`.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn layers(&self, at: usize) -> Layers<'_> {
        assert!(at < self.samples.len(), "sample {at} of {}", self.samples.len());
        let size = self.header.size as usize;
        let photo = &self.map[self.layer(0, at)];
        if !self.header.planes.layers {
            return Layers { photo, tiled: &[], mask: MaskBits::none(size) };
        }
        Layers {
            photo,
            tiled: &self.map[self.layer(1, at)],
            mask: MaskBits::new(&self.map[self.layer(2, at)], size),
        }
    }

    /// The samples in order.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether the shard holds no sample.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Pixels of a side of every stored picture.
    pub fn size(&self) -> usize {
        self.header.size as usize
    }

    /// Number of classes of the taxonomy.
    pub fn classes(&self) -> usize {
        self.header.classes as usize
    }

    /// Whether tiled backgrounds and masks are stored, not only photographs.
    pub fn has_layers(&self) -> bool {
        self.header.planes.layers
    }

    /// The BLAKE3 hash that the footer gives for the bytes before it.
    pub fn hash(&self) -> blake3::Hash {
        let start = self.layout.footer as usize + 8;
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&self.map[start..start + 32]);
        blake3::Hash::from_bytes(bytes)
    }

    /// Digest of the settings of the dataset this shard belongs to.
    pub fn settings(&self) -> [u8; 32] {
        self.header.settings
    }
}

#[cfg(test)]
mod tests {
    use super::super::codec::example;
    use super::super::{Planes, Record, write};
    use super::*;

    const SIZE: u32 = 5;

    fn layer(i: usize, plane: u8, length: usize) -> Vec<u8> {
        (0..length).map(|at| (at * 7 + i * 31) as u8 ^ plane).collect()
    }

    fn shard(path: &Path, layers: bool) {
        let samples: Vec<Sample> = (0..3).map(|i| example(&format!("s{i}"), i as u16)).collect();
        let pixels: Vec<_> = (0..3)
            .map(|i| {
                let mut mask = layer(i, 2, 4);
                mask[3] &= 1;
                if layers {
                    (layer(i, 0, 75), layer(i, 1, 75), mask)
                } else {
                    (layer(i, 0, 75), vec![], vec![])
                }
            })
            .collect();
        let record = |i: usize| Ok(Record { photo: &pixels[i].0, tiled: &pixels[i].1, mask: &pixels[i].2 });
        write(path, SIZE, 9, Planes { layers }, [4; 32], &samples, record).unwrap();
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.in9");
        for layers in [true, false] {
            shard(&path, layers);
            let open = Shard::open(&path, &Limits::default()).unwrap();
            open.verify().unwrap();
            assert_eq!((open.len(), open.size(), open.classes(), open.has_layers()), (3, 5, 9, layers));
            for i in 0..3 {
                assert_eq!(open.samples()[i], example(&format!("s{i}"), i as u16));
                assert_eq!(open.layers(i).photo, layer(i, 0, 75));
                assert_eq!(open.layers(i).tiled, if layers { layer(i, 1, 75) } else { vec![] });
            }
        }
    }

    #[test]
    fn every_truncation_and_every_flipped_byte_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.in9");
        shard(&path, true);
        let whole = std::fs::read(&path).unwrap();
        let outcome = |bytes: &[u8]| {
            let path = dir.path().join("b.in9");
            std::fs::write(&path, bytes).unwrap();
            Shard::open(&path, &Limits::default()).and_then(|shard| shard.verify())
        };
        outcome(&whole).unwrap();
        for end in (0..whole.len()).step_by(whole.len() / 64) {
            let error = outcome(&whole[..end]).unwrap_err().to_string();
            assert!(error.contains("b.in9") && error.lines().count() == 1, "{error}");
        }
        for at in (0..whole.len()).step_by(11) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            assert!(outcome(&damaged).is_err(), "byte {at}");
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert!(outcome(&longer).unwrap_err().to_string().contains("wrong length"));
    }

    #[test]
    fn an_index_beyond_the_limit_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.in9");
        shard(&path, true);
        let limits = Limits { index_bytes: 10, ..Limits::default() };
        assert!(Shard::open(&path, &limits).unwrap_err().to_string().contains("beyond the limit"));
    }
}
