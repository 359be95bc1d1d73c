//! How much a classifier leans on the background: metrics with intervals and probes, from prediction tables.
#![deny(missing_docs)]

// The command line names this crate as its users do.
#[cfg(feature = "cli")]
extern crate self as in9_analysis;

mod cards;
#[cfg(feature = "cli")]
pub mod cli;
mod error;
mod frame;
pub mod groups;
pub mod leaderboard;
pub mod levels;
pub mod masks;
pub mod metrics;
pub mod output;
pub mod paper;
pub mod paper_world;
pub mod probes;
pub mod stats;

pub use cards::Cards;
pub use error::{Error, Result};
pub use frame::{Foreground, Frame, Key, ModelFrame, NO_BACKGROUND, NO_CLASS, Outcome, training_order};

/// What this build of the crate was made from: it changes with everything that its results may depend on.
pub const IDENTITY: &str = env!("IN9_IDENTITY");

// Compiles the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
