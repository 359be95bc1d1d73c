//! What a stranger's file may ask for.

/// Largest things that are read. The defaults are far above any real dataset; a file beyond them is
/// refused before anything is allocated for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a photograph's file; default 256 MiB.
    pub photo_bytes: u64,
    /// Pixels of a photograph; default 2²⁷ (134 megapixels, 384 MiB decoded).
    pub photo_pixels: u64,
    /// Pixels of a photograph's longer side; default 65,535, JPEG's own limit.
    pub photo_side: u32,
    /// Memory, in bytes, that photographs which are decoded and prepared at the same time may take together;
    /// default 1 GiB. One that takes more alone is worked on alone.
    pub memory_bytes: u64,
    /// Bytes of one annotation (XML, a mask's `.npy` header); default 1 MiB.
    pub annotation_bytes: u64,
    /// Bytes of one table (CSV, COCO JSON, lists); default 2 GiB.
    pub table_bytes: u64,
    /// Bytes of a shard's index; default 1 GiB.
    pub index_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            photo_bytes: 256 << 20,
            photo_pixels: 1 << 27,
            photo_side: 65_535,
            memory_bytes: 1 << 30,
            annotation_bytes: 1 << 20,
            table_bytes: 2 << 30,
            index_bytes: 1 << 30,
        }
    }
}
