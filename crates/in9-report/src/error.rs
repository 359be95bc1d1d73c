//! What can go wrong, sorted by who is at fault.

use std::path::{Path, PathBuf};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a report could not be made, worded so that it can be shown as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The list of inputs, or a run's facts, are not the TOML that they should be.
    #[error("{}: {what}", path.display())]
    Toml {
        /// The file at fault.
        path: PathBuf,
        /// What is wrong and where, on one line.
        what: String,
    },
    /// The list names no prediction table.
    #[error("{}: lists no [[predictions]] (expected at least one path)", path.display())]
    NoPredictions {
        /// The list.
        path: PathBuf,
    },
    /// A number in the list or in a run's facts lies outside its range.
    #[error("{}: {what} out of range (expected {expected}, found {found})", path.display())]
    OutOfRange {
        /// The file at fault.
        path: PathBuf,
        /// The number's name.
        what: &'static str,
        /// Its range.
        expected: &'static str,
        /// The number.
        found: f64,
    },
    /// A probe's summary is not the JSON that it should be.
    #[error("{}: {source}", path.display())]
    Json {
        /// The file at fault.
        path: PathBuf,
        /// What the reader met, with its place.
        source: serde_json::Error,
    },
    /// A file could not be read or written, a table has mistakes, or the folder is not ours to replace.
    #[error(transparent)]
    File(#[from] in9_base::Error),
    /// A prediction table could not be used.
    #[error(transparent)]
    Analysis(#[from] in9_analysis::Error),
    /// The data library refused something.
    #[error(transparent)]
    Data(#[from] in9_data::Error),
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
    /// A file that is not the TOML that it should be; the parser's several lines become one.
    pub(crate) fn toml(path: &Path, what: &str) -> Self {
        let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
        Self::Toml { path: path.to_owned(), what }
    }
}
