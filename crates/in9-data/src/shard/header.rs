//! The fixed header and footer of a shard, and where its planes lie.

use std::path::Path;

use crate::error::{Damage, Error};
use crate::mask::mask_bytes;

/// First bytes of every shard: like PNG's, they expose transfers that change line ends or drop the
/// eighth bit.
pub(crate) const MAGIC: [u8; 8] = *b"\x89IN9\r\n\x1a\n";
/// First bytes of the footer.
pub(crate) const FOOTER_MAGIC: [u8; 8] = *b"IN9 end\n";
/// The only version there is.
pub(crate) const VERSION: u32 = 1;
/// Bytes of the header.
pub(crate) const HEADER: u64 = 128;
/// Bytes of the footer.
pub(crate) const FOOTER: u64 = 64;
/// Planes begin at multiples of this.
pub(crate) const PAGE: u64 = 4096;
/// Largest side of a stored picture: box coordinates are 16 bits, and a layer stays below 2³² bytes.
pub(crate) const MAX_SIZE: u32 = 16_384;

/// Whether a shard holds photographs only, or all three layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Planes {
    /// Tiled backgrounds and masks are there.
    pub(crate) layers: bool,
}

/// The numbers of a header; everything else follows by arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) samples: u64,
    pub(crate) size: u32,
    pub(crate) classes: u32,
    pub(crate) planes: Planes,
    pub(crate) index_length: u64,
    pub(crate) index_crc: u32,
    /// Digest of the settings the dataset was built with.
    pub(crate) settings: [u8; 32],
}

/// Offsets of everything in a shard, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) photo: u64,
    pub(crate) tiled: u64,
    pub(crate) mask: u64,
    pub(crate) crcs: u64,
    pub(crate) footer: u64,
    pub(crate) length: u64,
}

impl Header {
    /// Bytes of one photo or tiled background.
    pub(crate) fn rgb(&self) -> u64 {
        u64::from(self.size) * u64::from(self.size) * 3
    }

    /// Bytes of one mask.
    pub(crate) fn mask(&self) -> u64 {
        mask_bytes(self.size as usize) as u64
    }

    /// Checksums of one sample.
    pub(crate) fn crcs_per_sample(&self) -> u64 {
        if self.planes.layers { 3 } else { 1 }
    }

    /// Where everything lies; `None` if the numbers overflow.
    pub(crate) fn layout(&self) -> Option<Layout> {
        let aligned = |offset: u64| offset.checked_next_multiple_of(PAGE);
        let plane = |start: u64, record: u64| aligned(start.checked_add(self.samples.checked_mul(record)?)?);
        let (rgb, mask) = if self.planes.layers { (self.rgb(), self.mask()) } else { (0, 0) };
        let photo = aligned(HEADER.checked_add(self.index_length)?)?;
        let tiled = plane(photo, self.rgb())?;
        let masks = plane(tiled, rgb)?;
        let crcs = plane(masks, mask)?;
        let footer = crcs.checked_add(self.samples.checked_mul(4 * self.crcs_per_sample())?)?;
        let length = footer.checked_add(FOOTER)?;
        Some(Layout { photo, tiled, mask: masks, crcs, footer, length })
    }

    pub(crate) fn to_bytes(self, layout: &Layout) -> [u8; HEADER as usize] {
        let mut bytes = [0; HEADER as usize];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &MAGIC);
        put(8, &VERSION.to_le_bytes());
        put(12, &(HEADER as u32).to_le_bytes());
        put(16, &self.samples.to_le_bytes());
        put(24, &self.size.to_le_bytes());
        put(28, &self.classes.to_le_bytes());
        put(32, &self.index_length.to_le_bytes());
        put(40, &layout.photo.to_le_bytes());
        put(48, &layout.tiled.to_le_bytes());
        put(56, &layout.mask.to_le_bytes());
        put(64, &layout.crcs.to_le_bytes());
        put(72, &layout.footer.to_le_bytes());
        put(80, &self.settings);
        put(112, &u32::from(self.planes.layers).to_le_bytes());
        put(116, &self.index_crc.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..124]);
        bytes[124..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a header.
    pub(crate) fn parse(bytes: &[u8; HEADER as usize]) -> Result<(Self, Layout), HeaderFault> {
        let u32_at = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let u64_at = |at: usize| u64::from(u32_at(at)) | u64::from(u32_at(at + 4)) << 32;
        let bad = |what, expected: String, found: String| Err(HeaderFault::Value { what, expected, found });
        if bytes[..8] != MAGIC {
            return Err(HeaderFault::Magic(u64_at(0).to_le_bytes()));
        }
        if u32_at(8) != VERSION {
            return Err(HeaderFault::Version(u32_at(8)));
        }
        let crc = crc32fast::hash(&bytes[..124]);
        if crc != u32_at(124) {
            return Err(HeaderFault::Checksum { stored: u32_at(124), found: crc });
        }
        let mut settings = [0; 32];
        settings.copy_from_slice(&bytes[80..112]);
        let header = Self {
            samples: u64_at(16),
            size: u32_at(24),
            classes: u32_at(28),
            planes: Planes { layers: u32_at(112) == 1 },
            index_length: u64_at(32),
            index_crc: u32_at(116),
            settings,
        };
        if u32_at(112) > 1 {
            return bad("unknown planes", "0 or 1".into(), u32_at(112).to_string());
        }
        if header.size == 0 || header.size > MAX_SIZE {
            return bad("size of a side", format!("1 to {MAX_SIZE}"), header.size.to_string());
        }
        if header.classes == 0 || header.classes > u32::from(u16::MAX) {
            return bad("number of classes", "1 to 65535".into(), header.classes.to_string());
        }
        let Some(layout) = header.layout() else {
            return bad(
                "impossible number of samples",
                "a file below 2^64 bytes".into(),
                header.samples.to_string(),
            );
        };
        if header.to_bytes(&layout) != *bytes {
            let found = format!("{:?}", [40, 48, 56, 64, 72].map(u64_at));
            return bad("offsets of the planes", format!("{layout:?}"), found);
        }
        Ok((header, layout))
    }
}

/// What is wrong with a header.
#[derive(Debug)]
pub(crate) enum HeaderFault {
    /// It begins as no shard does.
    Magic([u8; 8]),
    /// It is of another version.
    Version(u32),
    /// Its checksum is not that of its bytes.
    Checksum { stored: u32, found: u32 },
    /// A number that no shard can have, under a right checksum.
    Value { what: &'static str, expected: String, found: String },
}

impl HeaderFault {
    /// The error of a file with this header.
    pub(crate) fn of(self, path: &Path) -> Error {
        match self {
            Self::Magic(found) => Error::NotOfFormat {
                path: path.into(),
                format: "a shard",
                expected: format!("magic {MAGIC:02x?}"),
                found: format!("{found:02x?}"),
                advice: "copy or build the shard again",
            },
            Self::Version(found) => {
                Error::OtherVersion { path: path.into(), format: "shard", expected: VERSION, found }
            }
            Self::Checksum { stored, found } => {
                let [expected, found] = [stored, found].map(|crc| format!("CRC-32 {crc:08x}"));
                Error::damaged(path, Damage::Header, expected, found)
            }
            Self::Value { what, expected, found } => {
                Error::malformed(path, what, expected, found, "copy or build the shard again")
            }
        }
    }
}

/// The footer's bytes for a file whose bytes before it hash to `blake3`.
pub(crate) fn footer(blake3: &blake3::Hash, layout: &Layout, header_crc: [u8; 4]) -> [u8; FOOTER as usize] {
    let mut bytes = [0; FOOTER as usize];
    bytes[..8].copy_from_slice(&FOOTER_MAGIC);
    bytes[8..40].copy_from_slice(blake3.as_bytes());
    bytes[40..48].copy_from_slice(&layout.length.to_le_bytes());
    bytes[48..52].copy_from_slice(&header_crc);
    let crc = crc32fast::hash(&bytes[..60]);
    bytes[60..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            samples: 3,
            size: 5,
            classes: 9,
            planes: Planes { layers: true },
            index_length: 300,
            index_crc: 7,
            settings: [1; 32],
        }
    }

    #[test]
    fn planes_lie_on_pages_in_order() {
        let layout = header().layout().unwrap();
        assert_eq!(
            layout,
            Layout { photo: 4096, tiled: 8192, mask: 12288, crcs: 16384, footer: 16420, length: 16484 }
        );
        let photos_only = Header { planes: Planes { layers: false }, ..header() }.layout().unwrap();
        assert_eq!((photos_only.tiled, photos_only.crcs, photos_only.footer), (8192, 8192, 8204));
    }

    #[test]
    fn any_flipped_bit_of_a_header_is_noticed() {
        let layout = header().layout().unwrap();
        let bytes = header().to_bytes(&layout);
        assert_eq!(Header::parse(&bytes).unwrap(), (header(), layout));
        for bit in 0..HEADER as usize * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::parse(&damaged).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn lying_numbers_with_a_right_checksum_are_noticed() {
        for lie in [
            Header { samples: u64::MAX, ..header() },
            Header { size: 0, ..header() },
            Header { size: u32::MAX, ..header() },
            Header { classes: 0, ..header() },
        ] {
            let bytes = lie.to_bytes(&header().layout().unwrap());
            assert!(Header::parse(&bytes).is_err());
        }
    }
}
