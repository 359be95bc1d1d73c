//! What can go wrong, sorted by who is at fault.

use std::path::{Path, PathBuf};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of the analysis, worded so that it can be shown as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller asked for something that the inputs cannot give.
    #[error("{0}")]
    Usage(String),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] in9_base::Error),
    /// A file says something that it may not say.
    #[error("{path}: {what}")]
    Input {
        /// The file at fault.
        path: PathBuf,
        /// What is wrong, what was expected and what to do.
        what: String,
    },
    /// Tables that should fit together do not.
    #[error("{what} (expected {expected}, found {found})")]
    Mismatch {
        /// What does not fit.
        what: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
    /// An arithmetic identity of the protocol does not hold: a fault of this crate.
    #[error("identity violated: {0}; please report this")]
    Identity(String),
    /// Table 5 of the paper has no network trained on this.
    #[error("no network of the paper's Table 5 was trained on {trained_on} (expected one of its eight views)")]
    NotInPaper {
        /// What was asked for.
        trained_on: String,
    },
    /// The classifier under a probe failed.
    #[error("classifier: {0}")]
    Classifier(String),
    /// The network under a probe failed.
    #[cfg(feature = "probes")]
    #[error("classifier: {0}")]
    Network(#[source] Box<in9_models::Error>),
    /// The data library refused something.
    #[error(transparent)]
    Data(#[from] in9_data::Error),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

#[cfg(feature = "probes")]
impl From<in9_models::Error> for Error {
    fn from(error: in9_models::Error) -> Self {
        Self::Network(Box::new(error))
    }
}

impl Error {
    /// An input error at `path`.
    pub fn input(path: &Path, what: impl Into<String>) -> Self {
        Self::Input { path: path.to_owned(), what: what.into() }
    }

    /// Attaches `path` to a system error; shaped for `map_err`.
    pub fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}
