//! Predictions in pieces: parts of every split, each answered by a process of its own, and merged.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use in9_base::files::{self, OutputFolder, Owner};
use in9_base::{Piece, check_whole};
use in9_data::predictions::{Row, Table};
use serde::{Deserialize, Serialize};

use super::Source;
use crate::classifier::NetworkRecord;

/// Whose a piece's folder is.
pub(super) const OWNER: Owner = Owner { made_by: "in9-models predict (piece)", names: &[TABLE, SETTINGS] };

/// The table of a piece.
pub(super) const TABLE: &str = "predictions.csv";
const SETTINGS: &str = "settings.toml";

/// No settings are longer than this, in bytes.
const LONGEST: u64 = 1 << 20;

/// What the rows of a piece depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Name of the dataset in the table.
    pub(super) dataset: String,
    /// The dataset's digest.
    pub(super) data: String,
    pub(super) splits: Vec<String>,
    pub(super) views: Vec<String>,
    /// Whether the pictures are the release's own.
    pub(super) published: bool,
    /// Pairings that the mixed views are tested with.
    pub(super) pairings: u32,
    /// Side that pictures are resized to, in pixels.
    pub(super) size: Option<u16>,
    /// Kind of device that the network ran on.
    pub(super) device: String,
    pub(super) shard: Piece,
    // Tables stand behind the values of a TOML file.
    pub(super) network: NetworkRecord,
}

/// Writes what a piece's answers depend on.
pub(super) fn write_settings(folder: &OutputFolder, settings: &Settings) -> anyhow::Result<()> {
    Ok(folder.write(SETTINGS, toml::to_string(settings)?)?)
}

/// Writes to `out` the table that one process would have written, of the pieces in `folders`, in any order. Returns the kind
/// of device that they were made on, which need not be that of whoever merges.
pub(super) fn merge(
    folders: &[PathBuf],
    wanted: &Settings,
    sources: &[Source<'_>],
    out: &Path,
) -> anyhow::Result<String> {
    let mut pieces = Vec::new();
    for folder in folders {
        let path = folder.join(SETTINGS);
        let text = files::read_text(&path, LONGEST)?;
        let found: Settings =
            toml::from_str(&text).with_context(|| format!("{}: is no piece's", path.display()))?;
        check_settings(&path, &found, wanted)?;
        pieces.push((folder.clone(), found));
    }
    let named: Vec<(PathBuf, Piece)> = pieces.iter().map(|(path, s)| (path.clone(), s.shard)).collect();
    check_whole(&named)?;
    if let [(first, a), rest @ ..] = pieces.as_slice()
        && let Some((other, b)) = rest.iter().find(|(_, b)| b.device != a.device)
    {
        bail!(
            "{} was made on {} and {} on {}, which round differently; make all pieces on one kind of device",
            other.display(),
            b.device,
            first.display(),
            a.device
        );
    }
    pieces.sort_by_key(|(_, settings)| settings.shard);
    let mut tables = Vec::new();
    for (folder, _) in &pieces {
        let path = folder.join(TABLE);
        let table = Table::read(&path)?;
        tables.push((path, table.classes, table.rows.into_iter().peekable()));
    }
    joined(tables, sources)?.write_atomic(out)?;
    Ok(pieces.into_iter().next().map_or_else(|| wanted.device.clone(), |(_, first)| first.device))
}

/// The rows of every split and view, piece by piece, which must be exactly those of the split's samples.
fn joined(
    mut tables: Vec<(PathBuf, Vec<String>, std::iter::Peekable<std::vec::IntoIter<Row>>)>,
    sources: &[Source<'_>],
) -> anyhow::Result<Table> {
    let of = u32::try_from(tables.len())?;
    let mut whole = Table {
        classes: tables.first().map(|(_, classes, _)| classes.clone()).unwrap_or_default(),
        rows: Vec::new(),
    };
    for Source { split, views, .. } in sources {
        for view in views {
            for (number, (path, classes, rows)) in (1..).zip(&mut tables) {
                for place in Piece::new(number, of)?.range(split.len()) {
                    let wanted = (split.name(), *view, split.sample(place).id.as_str());
                    let is_one = |row: &Row| (row.split.as_str(), row.view, row.image.as_str()) == wanted;
                    let Some(row) = rows.next_if(is_one).filter(|_| *classes == whole.classes) else {
                        bail!(
                            "{}: {} of {view} is not where it should be; the piece is damaged",
                            path.display(),
                            wanted.2
                        );
                    };
                    whole.rows.push(row);
                    // Before the backgrounds of further pairings.
                    whole.rows.extend(std::iter::from_fn(|| rows.next_if(is_one)));
                }
            }
        }
    }
    match tables.iter_mut().find_map(|(path, _, rows)| rows.next().map(|_| path)) {
        Some(path) => bail!("{}: has more rows than its piece; it is damaged", path.display()),
        None => Ok(whole),
    }
}

/// Refuses a piece of other predictions, with the first thing in which they differ.
fn check_settings(path: &Path, found: &Settings, wanted: &Settings) -> anyhow::Result<()> {
    let (a, b) = (found, wanted);
    let differences = [
        ("network", format!("{:?}", a.network), format!("{:?}", b.network)),
        ("name of the dataset", a.dataset.clone(), b.dataset.clone()),
        ("dataset", a.data.clone(), b.data.clone()),
        ("splits", a.splits.join(", "), b.splits.join(", ")),
        ("views", a.views.join(", "), b.views.join(", ")),
        ("number of pairings", a.pairings.to_string(), b.pairings.to_string()),
        ("pictures", a.published.to_string(), b.published.to_string()),
        ("size", format!("{:?}", a.size), format!("{:?}", b.size)),
    ];
    match differences.into_iter().find(|(_, found, wanted)| found != wanted) {
        None => Ok(()),
        Some((what, found, wanted)) => bail!(
            "{}: made with another {what} (expected {wanted}, found {found}); merge pieces of one table",
            path.display()
        ),
    }
}
