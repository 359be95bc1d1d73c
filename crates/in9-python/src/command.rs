//! The command `in9`: the Rust program, started by Python.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use pyo3::prelude::*;

/// Runs the program on `words`, of which the first is its name, and returns its exit code. `program` is what starts it
/// again. Help and mistakes end the process; so does Ctrl-C, as in the program.
#[pyfunction]
#[pyo3(signature = (words, program=None))]
pub(crate) fn run_command(py: Python<'_>, words: Vec<OsString>, program: Option<PathBuf>) -> u8 {
    let code = py.detach(|| in9::run(words, program));
    (0..=u8::MAX).find(|&number| ExitCode::from(number) == code).unwrap_or(1)
}
