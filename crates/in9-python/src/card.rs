//! The card beside a prediction table: what was measured with what.

use std::path::PathBuf;

use in9_data::predictions::Card;
use pyo3::prelude::*;

use crate::error::{Raise, argument};

/// Whose a card is.
const MADE_BY: &str = "in9.evaluate";

/// Writes the card of the table at `table`, from JSON with its fields `device`, `network` and `test`.
#[pyfunction]
pub(crate) fn write_card(py: Python<'_>, table: PathBuf, told: &str) -> PyResult<()> {
    let told: serde_json::Value =
        serde_json::from_str(told).map_err(|error| argument(py, format!("card ({error})")))?;
    let mut whole =
        serde_json::json!({ "card": Card::KIND, "made_by": format!("in9 {}", env!("CARGO_PKG_VERSION")) });
    for part in ["device", "network", "test"] {
        whole[part] = told[part].clone();
    }
    let mut card: Card =
        serde_json::from_value(whole).map_err(|error| argument(py, format!("card ({error})")))?;
    py.detach(|| {
        card.table = Card::digest_of(&table)?;
        card.write(&table, MADE_BY)
    })
    .raise(py)
}

/// Refuses the place of a table whose card would stand where something else does.
#[pyfunction]
pub(crate) fn check_card_place(py: Python<'_>, table: PathBuf) -> PyResult<()> {
    Card::check_place(&table, MADE_BY).raise(py)
}

/// BLAKE3 of the bytes of some parts, one after the other.
#[pyfunction]
pub(crate) fn digest(parts: &Bound<'_, PyAny>) -> PyResult<String> {
    let mut hasher = blake3::Hasher::new();
    for part in parts.try_iter()? {
        hasher.update(part?.extract::<&[u8]>()?);
    }
    Ok(hasher.finalize().to_hex().to_string())
}
