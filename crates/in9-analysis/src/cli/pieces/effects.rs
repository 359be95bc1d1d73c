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

/// Effects on one photograph, as a journal keeps them.
pub(crate) fn record(effects: &Effects) -> Vec<u8> {
    let numbers = [effects.background, effects.foreground, effects.interaction];
    let mut record = [effects.image.to_le_bytes(), u32::from(effects.class).to_le_bytes()].concat();
    record.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    record
}

/// What [`record`] wrote; `None` for anything else.
pub(crate) fn read(record: &[u8]) -> Option<Effects> {
    let ([image, class, numbers @ ..], []) = record.as_chunks::<4>() else { return None };
    let ([background, foreground, interaction], []) = numbers.as_flattened().as_chunks::<8>() else {
        return None;
    };
    Some(Effects {
        image: u32::from_le_bytes(*image),
        class: u32::from_le_bytes(*class).try_into().ok()?,
        background: f64::from_le_bytes(*background),
        foreground: f64::from_le_bytes(*foreground),
        interaction: f64::from_le_bytes(*interaction),
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_come_back_bit_for_bit() {
        let effects =
            Effects { image: 70_000, class: 8, background: 0.1 + 0.2, foreground: -0.0, interaction: 5e-324 };
        let written = record(&effects);
        // Minus nought equals nought.
        assert_eq!(format!("{:?}", read(&written).unwrap()), format!("{effects:?}"));
        assert!((0..written.len()).all(|end| read(&written[..end]).is_none()));
    }
}
