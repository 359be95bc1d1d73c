//! The bytes of a weight file, read where they are wanted and no further.
//!
//! Reading by position rather than through a memory map: a file that somebody cuts meanwhile is an
//! error instead of a signal, and what is not asked for takes no memory.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::fault::{Checked, Fault};
use crate::error::{Error, Result};

/// Bytes that are held at once while a longer stretch is streamed.
pub(crate) const PIECE: usize = 1 << 20;

/// A regular file or bytes in memory, shared by everything that was found in it.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    kind: Arc<Kind>,
    len: u64,
}

#[derive(Debug)]
enum Kind {
    File(File),
    Memory(Vec<u8>),
}

impl Source {
    /// The regular file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be opened or is a folder, a device or a pipe.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = in9_base::files::open(path)?;
        let len = file.metadata().map_err(Error::io(path))?.len();
        Ok(Self { kind: Arc::new(Kind::File(file)), len })
    }

    /// Bytes that are in memory.
    pub(crate) fn memory(bytes: Vec<u8>) -> Self {
        let len = bytes.len() as u64;
        Self { kind: Arc::new(Kind::Memory(bytes)), len }
    }

    /// Bytes in all.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Fills `buffer` with what begins at byte `at`; `what` is named when the file ends before that.
    pub(crate) fn read(&self, at: u64, buffer: &mut [u8], what: &str) -> Checked<()> {
        let needed = buffer.len() as u64;
        let cut = |left| Fault::CutOff { what: what.to_owned(), needed, left };
        let left = self.len.saturating_sub(at);
        if needed > left {
            return Err(cut(left));
        }
        match &*self.kind {
            Kind::File(file) => read_exact_at(file, buffer, at).map_err(|error| match error.kind() {
                // It was longer when it was opened.
                std::io::ErrorKind::UnexpectedEof => cut(0),
                _ => Fault::Read(error),
            }),
            Kind::Memory(bytes) => {
                buffer.copy_from_slice(&bytes[at as usize..at as usize + buffer.len()]);
                Ok(())
            }
        }
    }

    /// The `N` bytes from `at`.
    pub(crate) fn array<const N: usize>(&self, at: u64, what: &str) -> Checked<[u8; N]> {
        let mut out = [0; N];
        self.read(at, &mut out, what)?;
        Ok(out)
    }

    /// The bytes of `range`. The caller has compared its length with a limit.
    pub(crate) fn bytes(&self, range: Range<u64>, what: &str) -> Checked<Vec<u8>> {
        let needed = range.end.saturating_sub(range.start);
        let left = self.len.saturating_sub(range.start);
        // Before anything is allocated.
        if needed > left {
            return Err(Fault::CutOff { what: what.to_owned(), needed, left });
        }
        let mut out = vec![0; needed as usize];
        self.read(range.start, &mut out, what)?;
        Ok(out)
    }

    /// Hands the bytes of `range` to `take` in pieces of [`PIECE`], the last one shorter.
    pub(crate) fn stream(
        &self,
        range: Range<u64>,
        what: &str,
        mut take: impl FnMut(&[u8]) -> Checked<()>,
    ) -> Checked<()> {
        let mut buffer = vec![0; PIECE.min(range.end.saturating_sub(range.start) as usize)];
        let mut at = range.start;
        while at < range.end {
            let piece = (PIECE as u64).min(range.end - at) as usize;
            self.read(at, &mut buffer[..piece], what)?;
            take(&buffer[..piece])?;
            at += piece as u64;
        }
        Ok(())
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], at: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, at)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut at: u64) -> std::io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, at)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => {
                buffer = &mut buffer[n..];
                at += n as u64;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_up_the_range_and_the_end_is_known() {
        let bytes: Vec<u8> = (0..PIECE * 2 + 5).map(|i| i as u8).collect();
        let source = Source::memory(bytes.clone());
        let mut seen = Vec::new();
        source
            .stream(3..bytes.len() as u64, "x", |piece| {
                seen.extend_from_slice(piece);
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, bytes[3..]);
        assert!(matches!(source.bytes(0..u64::MAX, "x"), Err(Fault::CutOff { .. })));
        assert!(matches!(source.array::<4>(bytes.len() as u64 - 3, "x"), Err(Fault::CutOff { left: 3, .. })));
    }
}
