//! Outputs of probes: whose they are, and the effects of foreground and background.

use std::path::Path;

use in9_base::files;
use in9_base::table::{Limits, Table};
use serde::Deserialize;

use super::Photographs;
use crate::error::{Error, Result};

/// A summary longer than this is none.
const LONGEST_SUMMARY: u64 = 64 << 20;

/// How much of a probe's table is read: a search of 10,000 foregrounds over 10,000 backgrounds would be more.
pub(super) const LIMITS: Limits =
    Limits { bytes: 4 << 30, rows: 40_000_000, columns: 64, row_bytes: 1 << 20 };

/// What every probe's summary says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct Source {
    pub(super) model: String,
    pub(super) dataset: String,
    pub(super) split: String,
    /// Whether a search tried every background on every foreground.
    #[serde(default)]
    pub(super) exhaustive: bool,
}

impl Source {
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("summary.json");
        let text = files::read_text(&path, LONGEST_SUMMARY)?;
        serde_json::from_str(&text)
            .map_err(|e| Error::Input { path, what: format!("not a probe's summary: {e}") })
    }
}

/// The rows of a probe's table, as texts of the columns asked for. Returns how many rows name a photograph (in the
/// first of the columns) that the test set does not have; they are passed over.
pub(super) fn rows<const N: usize>(
    path: &Path,
    columns: [&str; N],
    photographs: &Photographs,
    mut each: impl FnMut(u32, [&str; N]),
) -> Result<u64> {
    let mut table = Table::open(path, LIMITS)?;
    let places = columns.map(|name| table.column(name));
    let mut unknown = 0;
    while let Some((_, row)) = table.next_row()? {
        let texts = places.map(|at| at.and_then(|at| row.get(at)).unwrap_or(""));
        match photographs.find(texts[0]) {
            Some(photograph) => each(photograph, texts),
            None => unknown += 1,
        }
    }
    table.finish()?;
    Ok(unknown)
}

/// What a swap of backgrounds or foregrounds changes, for each photograph; NaN where it was not probed.
#[derive(Debug)]
pub(crate) struct Effects {
    /// Change of the true class's probability that the background makes, in `-1..=1`.
    pub(crate) background: Vec<f32>,
    /// The same of the foreground.
    pub(crate) foreground: Vec<f32>,
    /// The background's share of both effects; NaN where they nearly cancel.
    pub(crate) reliance: Vec<f32>,
}

impl Effects {
    /// Reads `effects.csv`.
    pub(super) fn read(folder: &Path, photographs: &Photographs) -> Result<(Self, u64)> {
        let none = || vec![f32::NAN; photographs.len()];
        let mut effects = Self { background: none(), foreground: none(), reliance: none() };
        let columns = ["image", "background_effect", "foreground_effect", "reliance"];
        let unknown = rows(&folder.join("effects.csv"), columns, photographs, |at, texts| {
            let number = |text: &str| text.parse::<f32>().ok().filter(|v| v.is_finite()).unwrap_or(f32::NAN);
            effects.background[at as usize] = number(texts[1]);
            effects.foreground[at as usize] = number(texts[2]);
            effects.reliance[at as usize] = number(texts[3]);
        })?;
        Ok((effects, unknown))
    }
}
