//! What can go wrong, sorted by who is at fault.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of the explorer; each prints as one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // ---- what the caller named ----
    /// A path holds nothing that the explorer knows.
    #[error(
        "{}: nothing to explore (expected an output of `reproduce`, a dataset, a prediction table or a probe's output)",
        path.display()
    )]
    Unknown {
        /// The path.
        path: PathBuf,
    },
    /// Nothing of what was given could be shown; the reasons are those that were met on the way.
    #[error("nothing to show: {}", if reasons.is_empty() { "no dataset and no prediction table".to_owned() } else { reasons.join("; ") })]
    Empty {
        /// Why each input was left out.
        reasons: Vec<String>,
    },
    /// There is no picture of this photograph, or not in this view.
    #[error("no such picture: {what}")]
    NoPicture {
        /// What was asked for.
        what: String,
    },
    /// There is no such test set, photograph or model.
    #[error("no such {what} (expected below {limit}, found {found})")]
    OutOfRange {
        /// What was asked for.
        what: &'static str,
        /// How many there are.
        limit: usize,
        /// Its number.
        found: usize,
    },
    /// An address cannot be listened on.
    #[error("{address}: cannot be listened on: {source}; choose another port")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// An address that other machines reach needs a secret.
    #[error(
        "{address}: other machines can reach this address (expected a secret token of 16 characters at least)"
    )]
    Unprotected {
        /// The address.
        address: SocketAddr,
    },

    // ---- what a file says ----
    /// A list of inputs or a summary says something that it may not say.
    #[error("{}: {what}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A file could not be read or written, or a table has mistakes.
    #[error(transparent)]
    File(#[from] in9_base::Error),
    /// A dataset cannot be read.
    #[error(transparent)]
    Data(#[from] in9_data::Error),
    /// Statistics cannot be computed.
    #[error(transparent)]
    Analysis(#[from] in9_analysis::Error),

    // ---- others ----
    /// A picture could not be encoded.
    #[error("picture cannot be encoded: {0}")]
    Encode(#[from] image::ImageError),
    /// A network could not answer.
    #[error("network: {0}")]
    Answerer(String),
    /// The system failed while serving.
    #[error("serving: {0}")]
    Serve(#[source] std::io::Error),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes: {0}")]
    Random(String),
}
