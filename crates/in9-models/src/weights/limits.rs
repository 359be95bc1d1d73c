//! How much a weight file from a stranger may make us hold.

/// Caps that are checked before anything is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, in bytes.
    pub file_bytes: u64,
    /// Largest pickle stream or safetensors header, in bytes.
    pub header_bytes: u64,
    /// Most tensors in one file.
    pub tensors: usize,
    /// Most bytes of all tensors together, as a multiple of the file's length: tensors may share
    /// a storage, so a small file could otherwise unfold into an arbitrarily large one.
    pub unfold: u64,
}

impl Default for Limits {
    /// 8 GiB files, 64 MiB of structure, 65,536 tensors, twice the file's length in memory.
    fn default() -> Self {
        Self { file_bytes: 8 << 30, header_bytes: 64 << 20, tensors: 1 << 16, unfold: 2 }
    }
}
