//! Where a file's bytes are: in a file of their own, or inside a tar archive.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file, or a stretch of an archive.
#[derive(Debug, Clone)]
pub(crate) enum Locator {
    /// A file of its own.
    File(PathBuf),
    /// Bytes `offset .. offset + length` of an uncompressed archive.
    Span { archive: Arc<PathBuf>, offset: u64, length: u64 },
    /// Bytes already in memory (small annotations out of compressed archives), and their file's name.
    Bytes(Arc<[u8]>, Arc<str>),
}

impl Locator {
    /// Whether there is such a file.
    pub(crate) fn exists(&self) -> bool {
        match self {
            Self::File(path) => path.exists(),
            _ => true,
        }
    }

    /// The file's name without its folders, for messages: paths would differ from machine to machine.
    pub(crate) fn name(&self) -> String {
        let last = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match self {
            Self::File(path) => last(path),
            Self::Span { archive, offset, .. } => format!("{} at byte {offset}", last(archive)),
            Self::Bytes(_, name) => name.to_string(),
        }
    }

    /// Reads all bytes; the error says in a few words what is wrong.
    pub(crate) fn read(&self, limit: u64) -> Result<Vec<u8>, String> {
        let cannot = |e: std::io::Error| format!("cannot read: {e}");
        let too_large = |length: u64| format!("expected at most {limit} bytes, found {length}");
        let read = |file: File, length: u64| {
            if length > limit {
                return Err(too_large(length));
            }
            // One byte more than promised, to notice a file that grows or lies.
            let mut bytes = Vec::with_capacity(length as usize + 1);
            file.take(length + 1).read_to_end(&mut bytes).map_err(cannot)?;
            Ok(bytes)
        };
        match self {
            Self::File(path) => {
                // Before opening: to open a pipe that nobody writes to would wait for ever.
                let about = std::fs::metadata(path).map_err(cannot)?;
                if !about.is_file() {
                    return Err("expected a regular file, found a folder, pipe or device".into());
                }
                read(File::open(path).map_err(cannot)?, about.len())
            }
            Self::Span { archive, offset, length } => {
                let mut file = File::open(archive.as_ref()).map_err(cannot)?;
                file.seek(SeekFrom::Start(*offset)).map_err(cannot)?;
                let mut bytes = read(file, *length)?;
                if (bytes.len() as u64) < *length {
                    return Err(format!("archive cut short: expected {length} bytes, found {}", bytes.len()));
                }
                bytes.truncate(*length as usize);
                Ok(bytes)
            }
            Self::Bytes(bytes, _) if bytes.len() as u64 > limit => Err(too_large(bytes.len() as u64)),
            Self::Bytes(bytes, _) => Ok(bytes.to_vec()),
        }
    }
}
