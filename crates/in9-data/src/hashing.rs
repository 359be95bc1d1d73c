//! Writing and hashing in one pass.

use std::io::Write;

/// Passes everything on to a file and hashes it.
pub(crate) struct Hashing<'a> {
    file: &'a mut dyn Write,
    hasher: blake3::Hasher,
}

impl<'a> Hashing<'a> {
    pub(crate) fn new(file: &'a mut dyn Write) -> Self {
        Self { file, hasher: blake3::Hasher::new() }
    }

    /// BLAKE3 of what was written so far.
    pub(crate) fn hash(&self) -> blake3::Hash {
        self.hasher.finalize()
    }
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}
