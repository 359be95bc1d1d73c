//! A recipe with every kind of stage on real schedulers, a one-node Slurm and a HyperQueue that the tests start: the same bytes as on this
//! machine alone, whatever ends in the middle. Where an engine is not installed, one line says so.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

mod hyperqueue;
mod slurm;
mod support;
