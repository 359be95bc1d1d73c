//! One self-contained page on how much classifiers lean on the background: figures, tables, pictures, and the paper's
//! claims judged.
//!
//! [`make`] reads a list of inputs ([`Spec`]) and writes a folder. The same inputs always give the same bytes: no
//! times, no absolute paths, nothing fetched. Everything that the page says on one subject lies in one folder of
//! `src/topics`.
#![deny(missing_docs)]

mod claims;
#[cfg(feature = "cli")]
pub mod cli;
mod context;
mod error;
mod leaderboard;
mod make;
mod page;
mod plot;
pub mod spec;
mod topics;

pub use claims::Tally;
pub use error::{Error, Result};
pub use leaderboard::{Made as MadeLeaderboard, make as make_leaderboard};
pub use make::{Summary, make};
pub use spec::Spec;

/// What this build of the crate was made from: it changes with everything that its results may depend on.
pub const IDENTITY: &str = env!("IN9_IDENTITY");

// Compiles the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
