//! Reading a shard through a memory map, trusting nothing in it.

mod checks;
mod outline;

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};

use memmap2::Mmap;

use crate::compose::Layers;
use crate::error::{Damage, Error, Result};
use crate::limits::Limits;
use crate::mask::MaskBits;
use crate::view::View;

use super::codec::{Sample, decode_index};
use super::header::{FOOTER, HEADER, Header, Layout};

pub(crate) use outline::ShardOutline;

/// The layers of a sample, in the order of their planes.
const LAYERS: [&str; 3] = ["photo", "tiled", "mask"];
const PHOTO: usize = 0;
const TILED: usize = 1;
const MASK: usize = 2;

/// An open shard. Cheap to read from any thread.
///
/// A layer's checksum is compared when the layer is read for the first time, and never again: what is
/// damaged is an error, not a picture, and reading stays as fast as memory.
#[derive(Debug)]
pub struct Shard {
    path: PathBuf,
    /// Kept to see whether the file was cut since it was mapped.
    file: File,
    map: Mmap,
    header: Header,
    layout: Layout,
    samples: Vec<Sample>,
    /// For each sample, bit by bit, which layers were found sound.
    sound: Vec<AtomicU8>,
}

impl Shard {
    /// Opens a shard and checks its header, its length, its index and its footer; each layer is checked
    /// when it is first read, everything at once by [`Shard::verify`].
    ///
    /// The file must not be changed while it is open: to read from a mapped file that was cut ends a process
    /// by SIGBUS. Its length is looked at again before a layer is checked, so that only a cut at that very
    /// moment or later can do that. Our own writers never touch a file in place.
    ///
    /// # Errors
    /// If the file cannot be read or is not a valid shard.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self> {
        let file = in9_base::files::open(path)?;
        // SAFETY: nobody changes a shard in place (FORMAT.md, rule 6); its length is checked below before
        // anything is sliced, and no byte is used as anything but a byte.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| Error::read(path, e))?;
        let damaged = |damage, expected: String, found: String| Error::damaged(path, damage, expected, found);
        let Some(head) = map.first_chunk::<{ HEADER as usize }>() else {
            return Err(damaged(
                Damage::CutShort,
                format!("{} bytes at least", HEADER + FOOTER),
                format!("{} bytes", map.len()),
            ));
        };
        let (header, layout) = Header::parse(head).map_err(|fault| fault.of(path))?;
        if map.len() as u64 != layout.length {
            return Err(damaged(
                Damage::Length,
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
            return Err(damaged(
                Damage::Index,
                format!("CRC-32 {:08x}", header.index_crc),
                format!("{crc:08x}"),
            ));
        }
        let samples = decode_index(index, header.samples)
            .map_err(|e| damaged(Damage::Index, format!("{} entries", header.samples), e))?;
        let sound = samples.iter().map(|_| AtomicU8::new(0)).collect();
        let shard = Self { path: path.into(), file, map, header, layout, samples, sound };
        shard.check_footer()?;
        shard.check_samples()?;
        Ok(shard)
    }

    /// Bytes of layer `plane` (0 photo, 1 tiled, 2 mask) of a sample.
    fn layer(&self, plane: usize, at: usize) -> Range<usize> {
        let start = [self.layout.photo, self.layout.tiled, self.layout.mask][plane];
        let length = if plane == 2 { self.header.mask() } else { self.header.rgb() };
        let start = (start + at as u64 * length) as usize;
        start..start + length as usize
    }

    /// Layers of sample `at`, each checked against its checksum when it is first read.
    ///
    /// # Errors
    /// [`Error::DamagedLayer`] if one is not what was written.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn layers(&self, at: usize) -> Result<Layers<'_>> {
        self.some_layers(at, [true; 3])
    }

    /// The layers of a foreground that a view is drawn from; the others are empty, so that their pages are
    /// neither checked nor read.
    pub(crate) fn layers_for(&self, view: View, at: usize) -> Result<Layers<'_>> {
        self.some_layers(at, view.layers())
    }

    /// The tiled background of sample `at`: size·size·3 bytes, none in a shard of photographs only.
    pub(crate) fn tiled(&self, at: usize) -> Result<&[u8]> {
        Ok(self.some_layers(at, [false, true, false])?.tiled)
    }

    /// Layers of a sample of which all were checked before.
    pub(crate) fn checked_layers(&self, at: usize) -> Layers<'_> {
        debug_assert!(
            self.stored([true; 3]).all(|layer| self.sound[at].load(Ordering::Relaxed) >> layer & 1 == 1)
        );
        self.slices(at, [true; 3])
    }

    fn some_layers(&self, at: usize, wanted: [bool; 3]) -> Result<Layers<'_>> {
        assert!(at < self.samples.len(), "sample {at} of {}", self.samples.len());
        self.stored(wanted).try_for_each(|layer| self.check(layer, at))?;
        Ok(self.slices(at, wanted))
    }

    /// Those of the wanted layers that this shard stores.
    fn stored(&self, wanted: [bool; 3]) -> impl Iterator<Item = usize> {
        let stored = [true, self.header.planes.layers, self.header.planes.layers];
        [PHOTO, TILED, MASK].into_iter().filter(move |&layer| wanted[layer] && stored[layer])
    }

    fn slices(&self, at: usize, wanted: [bool; 3]) -> Layers<'_> {
        let mut bytes: [&[u8]; 3] = [&[]; 3];
        self.stored(wanted).for_each(|layer| bytes[layer] = &self.map[self.layer(layer, at)]);
        let size = self.header.size as usize;
        let mask = match bytes[MASK].is_empty() {
            true => MaskBits::none(size),
            false => MaskBits::new(bytes[MASK], size),
        };
        Layers { photo: bytes[PHOTO], tiled: bytes[TILED], mask }
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

    /// Bytes of the file.
    pub(crate) fn file_length(&self) -> u64 {
        self.layout.length
    }

    /// Digest of the settings of the dataset this shard belongs to.
    pub fn settings(&self) -> [u8; 32] {
        self.header.settings
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::codec::example;
    use super::super::{Planes, Record, write};
    use super::*;

    const SIZE: u32 = 5;

    fn layer(i: usize, plane: u8, length: usize) -> Vec<u8> {
        (0..length).map(|at| (at * 7 + i * 31) as u8 ^ plane).collect()
    }

    pub(super) fn shard(path: &Path, layers: bool) {
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
                assert_eq!(open.layers(i).unwrap().photo, layer(i, 0, 75));
                assert_eq!(open.layers(i).unwrap().tiled, if layers { layer(i, 1, 75) } else { vec![] });
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
        assert!(matches!(outcome(&longer), Err(Error::Damaged { damage: Damage::Length, .. })));
    }

    #[test]
    fn an_index_beyond_the_limit_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.in9");
        shard(&path, true);
        let limits = Limits { index_bytes: 10, ..Limits::default() };
        assert!(Shard::open(&path, &limits).unwrap_err().to_string().contains("beyond the limit"));
    }

    #[test]
    fn damaged_layers_are_refused_by_every_read_and_sound_ones_are_given() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.in9");
        shard(&path, true);
        let whole = std::fs::read(&path).unwrap();
        let layout = Shard::open(&path, &Limits::default()).unwrap().layout;
        // Which layers of the first sample are damaged, and how.
        type Damage<'d> = &'d dyn Fn(&mut [u8]);
        let damages: [([bool; 3], Damage<'_>); 4] = [
            // A photograph of zeros, two planes that changed places, a flipped bit of a background and a mask.
            ([true, false, false], &|bytes| bytes[layout.photo as usize..][..75].fill(0)),
            ([true, true, false], &|bytes| {
                let (front, back) = bytes.split_at_mut(layout.tiled as usize);
                front[layout.photo as usize..][..225].swap_with_slice(&mut back[..225]);
            }),
            ([false, true, false], &|bytes| bytes[layout.tiled as usize + 9] ^= 1),
            ([false, false, true], &|bytes| bytes[layout.mask as usize] ^= 1),
        ];
        for (damaged, damage) in damages {
            let mut bytes = whole.clone();
            damage(&mut bytes);
            std::fs::write(&path, bytes).unwrap();
            let open = Shard::open(&path, &Limits::default()).unwrap();
            for _ in 0..2 {
                match open.layers(0) {
                    Err(Error::DamagedLayer { index: 0, layer, .. }) => {
                        assert_eq!(Some(layer), (0..3).find(|&l| damaged[l]).map(|l| LAYERS[l]));
                    }
                    other => panic!("{other:?}"),
                }
            }
            for view in View::ALL {
                let needed = (0..3).any(|layer| damaged[layer] && view.layers()[layer]);
                assert_eq!(open.layers_for(view, 0).is_err(), needed, "{view} {damaged:?}");
            }
        }
    }

    #[test]
    fn a_shard_that_was_cut_while_it_is_open_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.in9");
        shard(&path, true);
        let open = Shard::open(&path, &Limits::default()).unwrap();
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(5000).unwrap();
        let error = open.layers(2).unwrap_err();
        assert!(matches!(error, Error::Damaged { damage: Damage::ChangedWhileOpen, .. }), "{error}");
    }
}
