//! Pieces of an adversarial search: shares of its foregrounds, each searched by a process of its own.

use crate::Error;
use crate::probes::adversarial::{Pair, SearchSettings};
use anyhow::{Result, bail};
use std::collections::BTreeSet;
use std::path::Path;

/// Pairs as CSV of indices; an empty answer is outside the taxonomy.
pub(crate) fn encode(pairs: &[Pair]) -> Result<Vec<u8>> {
    let rows = pairs.iter().map(|p| {
        let answer = p.predicted.map(|c| c.to_string()).unwrap_or_default();
        vec![p.foreground.to_string(), p.background.to_string(), answer]
    });
    Ok(crate::output::csv_files::encode(&["foreground", "background", "predicted"], rows)?)
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode(path: &Path) -> Result<Vec<Pair>> {
    let bad = |e: csv::Error| Error::input(path, e.to_string());
    let mut pairs = Vec::new();
    for row in csv::Reader::from_reader(in9_base::files::open(path)?).deserialize() {
        let (foreground, background, predicted) = row.map_err(bad)?;
        pairs.push(Pair { foreground, background, predicted });
    }
    Ok(pairs)
}

/// Refuses merged pairs with gaps, duplicates or strangers.
pub(crate) fn check(pairs: &[Pair], settings: &SearchSettings, classes: usize) -> Result<()> {
    let wanted: BTreeSet<u32> = settings.foregrounds.iter().copied().collect();
    let backgrounds: BTreeSet<u32> = settings.backgrounds.iter().copied().collect();
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
        if !backgrounds.contains(&pair.background) {
            bail!(
                "background {} is none that the search tries; the pieces' pairs.csv are damaged",
                pair.background
            );
        }
        if pair.predicted.is_some_and(|class| usize::from(class) >= classes) {
            bail!("an answer is none of the {classes} classes; the pieces' pairs.csv are damaged");
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
    if settings.exhaustive && pairs.len() != wanted.len() * backgrounds.len() {
        let whole = wanted.len() * backgrounds.len();
        bail!("an exhaustive search has {whole} pairs, the pieces {}; they are damaged", pairs.len());
    }
    Ok(())
}
