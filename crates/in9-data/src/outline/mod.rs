//! A dataset's outline: everything about it but the pixels of its photographs.
//!
//! Whoever may not share photographs can share their outline: masks, boxes, pairings, tables and manifest, in one file.
//! Whoever has the same photographs makes the same dataset of it, byte by byte, by [`rebuild`]. FORMAT.md says what
//! stands in the file.

mod read;
mod rebuild;
mod write;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use read::walk;
pub use rebuild::{Differing, Rebuild, Rebuilt, rebuild};
pub use write::{Outlined, write_outline};

/// The archive's folders.
const SHARDS: &str = "outlines";
const PAIRINGS: &str = "pairings";
