//! What can go wrong, sorted by who is at fault.

use std::path::{Path, PathBuf};

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of this crate. Each prints as one line that names the file, what was expected, what was
/// found, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused: missing file, no permission, full disk.
    #[error("{}: {action}: {source}; {advice}", path.display())]
    Io {
        /// File or folder concerned.
        path: PathBuf,
        /// What was being done, as in "cannot read".
        action: &'static str,
        /// What the user can do about it.
        advice: &'static str,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// A file does not hold what its format promises: damaged, truncated, or of another kind.
    #[error("{}: {what} (expected {expected}, found {found}); {advice}", path.display())]
    Malformed {
        /// File concerned.
        path: PathBuf,
        /// What is wrong, in a few words.
        what: String,
        /// What the format asks for.
        expected: String,
        /// What is there.
        found: String,
        /// What the user can do about it.
        advice: String,
    },
    /// A file asks for more than the limits allow.
    #[error("{}: {what} beyond the limit (expected at most {limit}, found {found}); raise the limit if you trust this file", path.display())]
    Limit {
        /// File concerned.
        path: PathBuf,
        /// The quantity that is limited, with its unit.
        what: &'static str,
        /// Its limit.
        limit: u64,
        /// What the file asks for.
        found: u64,
    },
    /// The caller asked for something that does not exist or makes no sense.
    #[error("{what} (expected {expected}, found {found}); {advice}")]
    Argument {
        /// What is wrong, in a few words.
        what: String,
        /// What is possible.
        expected: String,
        /// What was asked for.
        found: String,
        /// What the user can do about it.
        advice: String,
    },
}

impl Error {
    /// An operating-system error while reading `path`.
    pub fn read(path: &Path, source: std::io::Error) -> Self {
        let advice = match source.kind() {
            std::io::ErrorKind::NotFound => "check the path",
            std::io::ErrorKind::PermissionDenied => "check the permissions",
            _ => "check the file and its disk",
        };
        Self::Io { path: path.into(), action: "cannot read", advice, source }
    }

    /// An operating-system error while writing `path`.
    pub fn write(path: &Path, source: std::io::Error) -> Self {
        let advice = match source.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                "choose a folder you may write to"
            }
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                "free some space and run the same command again: it continues where it stopped"
            }
            _ => "check the folder and its disk",
        };
        Self::Io { path: path.into(), action: "cannot write", advice, source }
    }

    /// A file whose contents break its format.
    pub fn malformed(
        path: &Path,
        what: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::Malformed {
            path: path.into(),
            what: what.into(),
            expected: expected.into(),
            found: found.into(),
            advice: advice.into(),
        }
    }

    /// A request of the caller that cannot be met.
    pub fn argument(
        what: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::Argument {
            what: what.into(),
            expected: expected.into(),
            found: found.into(),
            advice: advice.into(),
        }
    }
}
