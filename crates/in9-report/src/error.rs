//! What can go wrong, sorted by who is at fault.

use std::path::{Path, PathBuf};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a report could not be made, worded so that it can be shown as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The list of inputs, or a run's facts, are not the TOML that they should be.
    #[error("{path}: {what}")]
    Toml {
        /// The file at fault.
        path: PathBuf,
        /// What is wrong and where, on one line.
        what: String,
    },
    /// The list names no prediction table.
    #[error("{path}: lists no [[predictions]] (expected at least one path)")]
    NoPredictions {
        /// The list.
        path: PathBuf,
    },
    /// A table beside the predictions, such as a training's log, is no CSV of the expected columns.
    #[error("{path}: {source}")]
    Csv {
        /// The file at fault.
        path: PathBuf,
        /// What the reader met, with its line.
        source: csv::Error,
    },
    /// A probe's summary is not the JSON that it should be.
    #[error("{path}: {source}")]
    Json {
        /// The file at fault.
        path: PathBuf,
        /// What the reader met, with its place.
        source: serde_json::Error,
    },
    /// A table could not be used, or the folder not be written.
    #[error(transparent)]
    Analysis(#[from] in9_analysis::Error),
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
    /// A template could not be filled.
    #[error("page: {0}")]
    Page(#[from] askama::Error),
    /// A result could not be written as JSON.
    #[error("results: {0}")]
    Encode(#[from] serde_json::Error),
    /// A picture could not be encoded.
    #[error("picture: {0}")]
    Picture(#[from] image::ImageError),
}

impl Error {
    /// Attaches `path` to a system error; shaped for `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// Attaches `path` to an error of the CSV reader; shaped for `map_err`.
    pub(crate) fn csv(path: &Path) -> impl Fn(csv::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Csv { path: path.clone(), source }
    }

    /// A file that is not the TOML that it should be; the parser's several lines become one.
    pub(crate) fn toml(path: &Path, what: &str) -> Self {
        let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
        Self::Toml { path: path.to_owned(), what }
    }
}
