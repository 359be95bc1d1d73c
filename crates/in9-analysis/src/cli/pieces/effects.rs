//! Pieces of a counterfactual attribution.

use super::{Pieces, cell, check_photographs};
use crate::output::csv_files::encode;
use crate::probes::counterfactual::Effects;
use anyhow::Result;
use in9_base::files::Owner;

/// Whose a piece's folder is.
pub(crate) const OWNER: Owner =
    Owner { made_by: "in9-analysis counterfactual (piece)", names: &[ROWS, "settings.toml"] };

/// The table of a piece: effects on each of its photographs, by their places in the split.
pub(crate) const ROWS: &str = "rows.csv";

const HEADER: [&str; 5] = ["image", "class", "background", "foreground", "interaction"];

/// Effects as CSV from which [`merged`] reads the same numbers.
pub(crate) fn table(found: &[Effects]) -> Result<Vec<u8>> {
    let rows = found.iter().map(|e| {
        let numbers = [e.background, e.foreground, e.interaction].map(|number| number.to_string());
        [e.image.to_string(), e.class.to_string()].into_iter().chain(numbers).collect()
    });
    Ok(encode(&HEADER, rows)?)
}

/// The effects of all pieces, as one process would have found them on `images`.
pub(crate) fn merged(pieces: &Pieces, images: &[u32]) -> Result<Vec<Effects>> {
    pieces.check_whole()?;
    let mut found = pieces.rows(ROWS, |row| {
        Some(Effects {
            image: cell(row, 0)?,
            class: cell(row, 1)?,
            background: cell(row, 2)?,
            foreground: cell(row, 3)?,
            interaction: cell(row, 4)?,
        })
    })?;
    found.sort_by_key(|effects| effects.image);
    check_photographs(found.iter().map(|effects| effects.image).collect(), images)?;
    Ok(found)
}
