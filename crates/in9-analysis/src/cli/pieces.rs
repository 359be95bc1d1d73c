//! Pieces of an adversarial search.

use anyhow::{Result, bail};
use in9_analysis::Error;
use in9_analysis::probes::adversarial::{Pair, SearchSettings};
use std::collections::BTreeSet;
use std::path::Path;

/// Piece `index` of `count`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    index: u32,
    count: u32,
}

impl Piece {
    /// Whether the piece searches this foreground.
    pub(crate) fn holds(self, foreground: u32) -> bool {
        foreground % self.count == self.index
    }
}

impl std::fmt::Display for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// Reads `i/n`.
pub(crate) fn parse(text: &str) -> Result<Piece, String> {
    let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    match parts {
        Some((index, count)) if index < count => Ok(Piece { index, count }),
        _ => Err(format!("expected i/n with i from 0 to n - 1, such as 0/4, found {text}")),
    }
}

/// Pairs as CSV of indices; an empty answer is outside the taxonomy.
pub(crate) fn encode(pairs: &[Pair]) -> Result<Vec<u8>> {
    let rows = pairs.iter().map(|p| {
        let answer = p.predicted.map(|c| c.to_string()).unwrap_or_default();
        vec![p.foreground.to_string(), p.background.to_string(), answer]
    });
    Ok(in9_analysis::output::csv_files::encode(&["foreground", "background", "predicted"], rows)?)
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode(path: &Path) -> Result<Vec<Pair>> {
    let bad = |e: csv::Error| Error::input(path, e.to_string());
    let mut pairs = Vec::new();
    for row in csv::Reader::from_path(path).map_err(bad)?.deserialize() {
        let (foreground, background, predicted) = row.map_err(bad)?;
        pairs.push(Pair { foreground, background, predicted });
    }
    Ok(pairs)
}

/// Refuses merged pairs with gaps, duplicates or strangers.
pub(crate) fn check(pairs: &[Pair], settings: &SearchSettings) -> Result<()> {
    let wanted: BTreeSet<u32> = settings.foregrounds.iter().copied().collect();
    let mut seen = BTreeSet::new();
    let mut found = BTreeSet::new();
    for pair in pairs {
        if !seen.insert((pair.foreground, pair.background)) {
            bail!(
                "foreground {} meets background {} in two pieces; name each piece once",
                pair.foreground,
                pair.background
            );
        }
        found.insert(pair.foreground);
    }
    if found != wanted {
        let missing = wanted.difference(&found).count();
        let strange = found.difference(&wanted).count();
        bail!(
            "the pieces do not make a whole search (expected {} foregrounds, found {}: {missing} missing, {strange} unknown); name every piece",
            wanted.len(),
            found.len()
        );
    }
    Ok(())
}
