//! How much a weight file from a stranger may make us hold.

/// Caps that are checked before anything is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, in bytes.
    pub file_bytes: u64,
    /// Largest pickle, zip directory or safetensors header, in bytes.
    pub header_bytes: u64,
    /// Most tensors in one file.
    pub tensors: usize,
    /// Most bytes of all tensors together, as a multiple of the file's length: tensors may share
    /// a storage, so a small file could otherwise unfold into an arbitrarily large one.
    pub unfold: u64,
    /// Longest stretch of a storage that one tensor with gaps or another order of axes may span, in
    /// bytes: such a tensor is rearranged in memory, any other is streamed.
    pub rearranged_bytes: u64,
}

impl Default for Limits {
    /// 8 GiB files, 16 MiB of structure, 65,536 tensors, twice the file's length of tensors, 512 MiB
    /// for one that must be rearranged.
    ///
    /// Networks stay far below: the structure of a file with 65,536 tensors has about 8 MiB.
    fn default() -> Self {
        Self {
            file_bytes: 8 << 30,
            header_bytes: 16 << 20,
            tensors: 1 << 16,
            unfold: 2,
            rearranged_bytes: 512 << 20,
        }
    }
}
