//! What a stranger's file may ask for.

/// Largest things that are read. The defaults are above any real dataset, and such that reading one file takes
/// less than a gigabyte of memory, whatever stands in it; a file beyond them is refused before anything is
/// allocated for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a photograph's file; default 256 MiB.
    pub photo_bytes: u64,
    /// Pixels of a photograph; default 2²⁷ (134 megapixels, 384 MiB decoded).
    pub photo_pixels: u64,
    /// Pixels of a photograph's longer side; default 65,535, JPEG's own limit.
    pub photo_side: u32,
    /// Memory, in bytes, that photographs which are decoded and prepared at the same time may take together;
    /// default 1 GiB. One that takes more alone is refused: beyond some 130 megapixels, or 89 if it comes with a
    /// mask of its own.
    pub memory_bytes: u64,
    /// Memory, in bytes, that a network may take which draws masks; default 6 GiB, in which the
    /// largest SAM fits (5.3 GB). One that takes more than all photographs may together runs on one at a time.
    pub network_bytes: u64,
    /// Bytes of one annotation (XML, a mask's `.npy` header); default 1 MiB.
    pub annotation_bytes: u64,
    /// Bytes of all annotations that stand in one file: of a COCO file, of what is unpacked of an archive of XML
    /// files; default 512 MiB (COCO's largest has 448).
    pub annotations_bytes: u64,
    /// Bytes of one table of labels or boxes, and of any other list; default 128 MiB.
    pub table_bytes: u64,
    /// Bytes of a shard's index; default 256 MiB.
    pub index_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            photo_bytes: 256 << 20,
            photo_pixels: 1 << 27,
            photo_side: 65_535,
            memory_bytes: 1 << 30,
            network_bytes: 6 << 30,
            annotation_bytes: 1 << 20,
            annotations_bytes: 512 << 20,
            table_bytes: 128 << 20,
            index_bytes: 256 << 20,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An index is mapped, and each of its entries, of at least 98 bytes, becomes a sample; its texts are as long in
    /// memory as in the file, but for what an allocator adds to three short ones.
    #[test]
    fn the_index_of_a_shard_takes_less_than_a_gigabyte() {
        let (bytes, shortest) = (Limits::default().index_bytes, 98);
        let sample = size_of::<crate::shard::Sample>() as u64;
        assert!(bytes + bytes / shortest * sample < 1 << 30);
        assert!(bytes + bytes / (shortest + 3) * (sample + 3 * 32) < 1 << 30);
    }
}
