//! How much a classifier leans on the background: metrics with intervals, probes and a report, from prediction tables.
#![deny(missing_docs)]

pub mod error;
pub mod frame;
pub mod metrics;
pub mod output;
pub mod paper;
pub mod plot;
pub mod probes;
pub mod report;
pub mod stats;

pub use error::{Error, Result};
pub use frame::{Frame, ModelFrame};

// Compiles the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
