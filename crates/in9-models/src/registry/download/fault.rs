//! Why published weights could not be had.

use std::path::PathBuf;

/// Why a download did not end with the published file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadFault {
    /// The publisher offers the file inside something larger only.
    #[error("not downloadable by itself: {0}")]
    NotOffered(&'static str),
    /// The server was not reached, or broke the protocol. An https address that leads to an http one
    /// is such a fault.
    #[error("{url}: {source}")]
    Http {
        /// The address.
        url: String,
        /// The reason.
        source: Box<ureq::Error>,
    },
    /// The server refused.
    #[error("{url}: HTTP status {status}")]
    Status {
        /// The address.
        url: String,
        /// The status, such as 404.
        status: u16,
    },
    /// The server offers more bytes than the network's weights can have.
    #[error("{url}: more than the {most} bytes that these weights can have")]
    TooLarge {
        /// The address.
        url: String,
        /// The largest size that is taken.
        most: u64,
    },
    /// The connection ended early. What came is kept.
    #[error("{url}: broken off after {have} bytes ({why}); run again to go on")]
    BrokenOff {
        /// The address.
        url: String,
        /// Bytes that are there.
        have: u64,
        /// What ended it.
        why: String,
    },
    /// Nothing or nearly nothing came for too long. What came is kept.
    #[error(
        "{url}: stalled after {have} bytes: less than {least} bytes in {seconds} seconds; run again to go on"
    )]
    Stalled {
        /// The address.
        url: String,
        /// Bytes that are there.
        have: u64,
        /// Bytes that would have been enough.
        least: u64,
        /// Seconds that were waited.
        seconds: u64,
    },
    /// The download took longer than its size allows. What came is kept.
    #[error("{url}: not done after {seconds} seconds ({have} bytes are there); run again to go on")]
    TooSlow {
        /// The address.
        url: String,
        /// Bytes that are there.
        have: u64,
        /// Seconds that it was given.
        seconds: u64,
    },
    /// Something other than our own unfinished file is where it would be.
    #[error("{}: is {found}, which a download never leaves; move it away", .path.display())]
    NotOurPart {
        /// The unfinished file.
        path: PathBuf,
        /// What is there.
        found: &'static str,
    },
    /// Another process downloads the same file and makes no headway.
    #[error("{}: another process has been downloading this and got nothing for {seconds} seconds; end it or wait", .path.display())]
    Busy {
        /// The unfinished file.
        path: PathBuf,
        /// Seconds that were waited.
        seconds: u64,
    },
}
