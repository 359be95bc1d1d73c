//! The report's page.

use std::path::PathBuf;

use pyo3::prelude::*;

use crate::error::Raise;
use crate::work;

/// Makes the report of a list of inputs into a folder; the number of sections, and what was skipped.
#[pyfunction]
#[expect(clippy::result_large_err, reason = "once a report")]
pub(crate) fn make_report(py: Python<'_>, spec: PathBuf, out: PathBuf) -> PyResult<(usize, Vec<String>)> {
    let made = work::run(py, None, |_| in9_report::make(&spec, &out))?.raise(py)?;
    Ok((made.sections, made.skipped))
}
