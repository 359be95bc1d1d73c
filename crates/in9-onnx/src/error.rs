//! What can be wrong with an ONNX file.

use std::path::{Path, PathBuf};

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate; prints as one line that names the file, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read, or is larger than its limit.
    #[error(transparent)]
    Base(#[from] in9_base::Error),
    /// A file is there but is not what it should be.
    #[error("{}: {what} (expected {expected}, found {found})", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
}

impl Error {
    /// A file whose contents are not usable.
    pub fn file(
        path: impl AsRef<Path>,
        what: impl Into<String>,
        expected: impl ToString,
        found: impl ToString,
    ) -> Self {
        Self::File {
            path: path.as_ref().to_path_buf(),
            what: what.into(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }
}
