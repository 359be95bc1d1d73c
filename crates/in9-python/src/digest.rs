//! Digests of what Python holds.

use pyo3::prelude::*;

/// BLAKE3 of the bytes of some parts, one after the other.
#[pyfunction]
pub(crate) fn digest(parts: &Bound<'_, PyAny>) -> PyResult<String> {
    let mut hasher = blake3::Hasher::new();
    for part in parts.try_iter()? {
        hasher.update(part?.extract::<&[u8]>()?);
    }
    Ok(hasher.finalize().to_hex().to_string())
}
