//! Where a file's bytes are: in a file of their own, or inside a tar archive.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use in9_base::memory::may_be_refused;

use crate::prepare::{NotKept, Rejection};

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
    pub(crate) fn exists(&self) -> Result<bool, Unread> {
        match self {
            Self::File(path) => path.try_exists().map_err(|e| Unread::of(path, e)),
            _ => Ok(true),
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

    /// The bytes of an archive that this is, if it is a part of one.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn span(&self) -> Option<std::ops::Range<u64>> {
        match self {
            Self::Span { offset, length, .. } => Some(*offset..offset + length),
            _ => None,
        }
    }

    /// Reads all bytes.
    pub(crate) fn read(&self, limit: u64) -> Result<Vec<u8>, Unread> {
        self.open(limit)?.read_rest()
    }

    /// Opens the file and reads its first bytes, by which can be told what the rest will take.
    pub(crate) fn open(&self, limit: u64) -> Result<Opened<'_>, Unread> {
        let mut opened = match self {
            Self::File(path) => {
                let of = |e| Unread::of(path, e);
                // Before opening: to open a pipe that nobody writes to would wait for ever.
                if !std::fs::metadata(path).map_err(of)?.is_file() {
                    return Err(Unread::Input(
                        "expected a regular file, found a folder, pipe or device".into(),
                    ));
                }
                let file = File::open(path).map_err(of)?;
                let length = file.metadata().map_err(of)?.len();
                Opened { path, rest: Rest::File { file, exact: false }, length, bytes: Vec::new() }
            }
            Self::Span { archive, offset, length } => {
                let path = archive.as_path();
                let of = |e| Unread::of(path, e);
                let mut file = in9_base::files::open(path).map_err(Unread::of_ours)?;
                file.seek(SeekFrom::Start(*offset)).map_err(of)?;
                Opened { path, rest: Rest::File { file, exact: true }, length: *length, bytes: Vec::new() }
            }
            Self::Bytes(bytes, name) => Opened {
                path: Path::new(&**name),
                rest: Rest::Bytes(bytes),
                length: bytes.len() as u64,
                bytes: Vec::new(),
            },
        };
        if opened.length > limit {
            let found = opened.length;
            return Err(Unread::Input(format!("expected at most {limit} bytes, found {found}")));
        }
        opened.read_to(FIRST_BYTES)?;
        Ok(opened)
    }
}

/// Bytes that are read before anything is known of a file: the header of nearly every photograph.
const FIRST_BYTES: u64 = 1 << 20;

/// A file of which the first bytes are read.
pub(crate) struct Opened<'a> {
    path: &'a Path,
    rest: Rest<'a>,
    length: u64,
    bytes: Vec<u8>,
}

enum Rest<'a> {
    /// A file; whether it must have all the bytes that were promised.
    File {
        file: File,
        exact: bool,
    },
    Bytes(&'a [u8]),
}

impl Opened<'_> {
    /// Bytes of the file.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The bytes that were read: all, or the first megabyte.
    pub(crate) fn start(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads what is left; returns all bytes.
    pub(crate) fn read_rest(mut self) -> Result<Vec<u8>, Unread> {
        // One byte more than promised, to notice a file that grows or lies.
        let end = match self.rest {
            Rest::File { exact: false, .. } => self.length + 1,
            _ => self.length,
        };
        self.read_to(end)?;
        let found = self.bytes.len() as u64;
        match self.rest {
            Rest::File { exact: true, .. } if found < self.length => Err(Unread::Input(format!(
                "archive cut short: expected {} bytes, found {found}",
                self.length
            ))),
            _ => Ok(self.bytes),
        }
    }

    /// Reads until so many bytes are there, or the file ends.
    fn read_to(&mut self, end: u64) -> Result<(), Unread> {
        let end = end.min(self.length + 1);
        let wanted = end.saturating_sub(self.bytes.len() as u64);
        let refused = || Unread::Machine(in9_base::Error::read(self.path)(ErrorKind::OutOfMemory.into()));
        let reserved = may_be_refused(|| self.bytes.try_reserve_exact(wanted as usize));
        reserved.map_err(|_| refused())?;
        match &mut self.rest {
            Rest::File { file, exact } => {
                let wanted = if *exact { wanted.min(self.length - self.bytes.len() as u64) } else { wanted };
                file.take(wanted).read_to_end(&mut self.bytes).map_err(|e| Unread::of(self.path, e))?;
            }
            Rest::Bytes(bytes) => {
                let end = (end as usize).min(bytes.len());
                self.bytes.extend_from_slice(&bytes[self.bytes.len()..end]);
            }
        }
        Ok(())
    }
}

/// Why a file was not read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// The machine failed, which says nothing of the file.
    Machine(in9_base::Error),
    /// The file is at fault: in a few words, how.
    Input(String),
}

impl Unread {
    /// Sorts an operating-system error by who is at fault.
    fn of(path: &Path, error: std::io::Error) -> Self {
        let said = format!("cannot read: {error}");
        match in9_base::Error::read(path)(error) {
            error if error.is_of_machine() => Self::Machine(error),
            _ => Self::Input(said),
        }
    }

    fn of_ours(error: in9_base::Error) -> Self {
        match error.is_of_machine() {
            true => Self::Machine(error),
            false => Self::Input(error.to_string()),
        }
    }

    /// What becomes of the photograph whose file it is: the machine's failure, or a rejection by `rule` with
    /// the words behind `context`.
    pub(crate) fn reject(self, rule: &'static str, context: impl FnOnce(String) -> String) -> NotKept {
        match self {
            Self::Machine(error) => NotKept::Failed(Box::new(error.into())),
            Self::Input(what) => NotKept::Rejected(Rejection::fault(rule, context(what))),
        }
    }
}

impl From<String> for Unread {
    fn from(what: String) -> Self {
        Self::Input(what)
    }
}
