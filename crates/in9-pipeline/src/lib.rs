//! A recipe becomes a graph of program calls, and what is done is kept.
//!
//! - [`Recipe`]: datasets, trainings, published models and probes, as TOML whose names are checked;
//! - [`plan`]: the recipe as a [`Graph`] of stages, each one call of a program with one output;
//! - [`Cache`]: stamps of what is done, with keys over the sources of a stage's crates, its settings and the
//!   contents of its inputs;
//! - [`run()`]: runs what is missing, side by side where that helps;
//! - [`submit`]: leaves what is missing to a scheduler ([`Executor`]), whose jobs run a stage, or a piece of one, each
//!   ([`run_alone`], [`run_merge`]).
//!
//! The stages' programs are spawned, never linked, so that each stage can be repeated by hand and this crate
//! compiles in seconds. A killed run leaves no process behind and goes on where it stopped; nothing that the
//! pipeline has not written is ever removed.
#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod cache;
#[cfg(feature = "cli")]
pub mod cli;
mod divide;
mod error;
mod executor;
mod graph;
mod plan;
mod programs;
pub mod recipe;
mod run;
pub mod submit;

pub use cache::{Cache, Found, Listing, Stamp, State, digest_of_photographs};
pub use error::{Error, Result};
pub use executor::{Executor, requeue};
pub use graph::{Arg, Graph, Kind, Stage};
pub use plan::{Cost, DatasetCost, Work, plan};
pub use programs::Programs;
pub use recipe::Recipe;
pub use run::{
    Ending, Manner, Observer, Outcome, OutputPlace, Ran, Silent, Stop, arguments, command, expanded, run,
    run_alone, run_merge, shown,
};
