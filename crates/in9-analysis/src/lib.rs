//! How much a classifier leans on the background: metrics with intervals and probes, from prediction tables.
#![deny(missing_docs)]

#[cfg(feature = "cli")]
pub mod cli;
pub mod error;
pub mod frame;
pub mod metrics;
pub mod output;
pub mod paper;
pub mod paper_world;
pub mod probes;
pub mod stats;

pub use error::{Error, Result};
pub use frame::{Frame, ModelFrame};

// Compiles the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
