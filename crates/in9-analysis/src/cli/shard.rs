//! Shards of an adversarial search: a share of its foregrounds, searched by one process.

use crate::Error;
use crate::probes::adversarial::{Pair, SearchSettings};
use anyhow::{Result, bail};
use std::collections::BTreeSet;
use std::path::Path;

/// Shard `index` of `count`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// Whether the shard searches this foreground.
    pub(crate) fn holds(self, foreground: u32) -> bool {
        foreground % self.count == self.index - 1
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// Reads `i/n`.
pub(crate) fn parse(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    match parts {
        Some((index, count)) if index >= 1 && index <= count => Ok(Shard { index, count }),
        _ => Err(format!("expected i/n with i from 1 to n, such as 1/4, found {text}")),
    }
}

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
                "foreground {} meets background {} in two shards; name each shard once",
                pair.foreground,
                pair.background
            );
        }
        if !backgrounds.contains(&pair.background) {
            bail!("background {} is none that the search tries; the shards' pairs.csv are damaged", pair.background);
        }
        if pair.predicted.is_some_and(|class| usize::from(class) >= classes) {
            bail!("an answer is none of the {classes} classes; the shards' pairs.csv are damaged");
        }
        found.insert(pair.foreground);
    }
    if found != wanted {
        let missing = wanted.difference(&found).count();
        let strange = found.difference(&wanted).count();
        bail!(
            "the shards do not make a whole search (expected {} foregrounds, found {}: {missing} missing, {strange} unknown); name every shard",
            wanted.len(),
            found.len()
        );
    }
    if settings.exhaustive && pairs.len() != wanted.len() * backgrounds.len() {
        let whole = wanted.len() * backgrounds.len();
        bail!("an exhaustive search has {whole} pairs, the shards {}; they are damaged", pairs.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_count_from_one_and_cover_everything_once() {
        for wrong in ["0/3", "4/3", "1", "1/0", "-1/3", "a/b"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let shards: Vec<Shard> = ["1/3", "2/3", "3/3"].map(|text| parse(text).unwrap()).to_vec();
        for foreground in 0..10 {
            assert_eq!(shards.iter().filter(|shard| shard.holds(foreground)).count(), 1);
        }
        assert_eq!(shards[2].to_string(), "3/3");
    }
}
