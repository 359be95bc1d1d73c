//! Where a file's bytes are: in a file of their own, or inside a tar archive.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;

/// A file, or a stretch of an archive.
#[derive(Debug, Clone)]
pub(crate) enum Locator {
    /// A file of its own.
    File(PathBuf),
    /// Bytes `offset .. offset + length` of an uncompressed archive.
    Span { archive: Arc<PathBuf>, offset: u64, length: u64 },
    /// Bytes already in memory (small annotations out of compressed archives).
    Bytes(Arc<[u8]>),
}

impl Locator {
    /// Whether there is such a file.
    pub(crate) fn exists(&self) -> bool {
        match self {
            Self::File(path) => path.exists(),
            _ => true,
        }
    }

    /// Reads all bytes; the error says in a few words what is wrong.
    pub(crate) fn read(&self, limit: u64) -> Result<Vec<u8>, String> {
        let too_large = |length: u64| format!("{length} bytes, at most {limit} are allowed");
        let read = |file: File, length: u64| {
            if length > limit {
                return Err(too_large(length));
            }
            // One byte more than promised, to notice a file that grows or lies.
            let mut bytes = Vec::with_capacity(length as usize + 1);
            file.take(length + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
            Ok(bytes)
        };
        match self {
            Self::File(path) => {
                let file = File::open(path).map_err(|e| e.to_string())?;
                let length = file.metadata().map_err(|e| e.to_string())?.len();
                read(file, length)
            }
            Self::Span { archive, offset, length } => {
                let mut file = File::open(archive.as_ref()).map_err(|e| e.to_string())?;
                file.seek(SeekFrom::Start(*offset)).map_err(|e| e.to_string())?;
                let mut bytes = read(file, *length)?;
                if (bytes.len() as u64) < *length {
                    return Err(format!("archive cut short: {} of {length} bytes", bytes.len()));
                }
                bytes.truncate(*length as usize);
                Ok(bytes)
            }
            Self::Bytes(bytes) if bytes.len() as u64 > limit => Err(too_large(bytes.len() as u64)),
            Self::Bytes(bytes) => Ok(bytes.to_vec()),
        }
    }
}
