//! Pieces of an adversarial search: shares of its foregrounds, each searched by a process of its own.

use super::{Pieces, cell};
use crate::output::csv_files::encode as encode_csv;
use crate::probes::adversarial::{Pair, Search, SearchSettings};
use anyhow::{Context as _, Result, bail};
use in9_base::files::Owner;
use std::collections::{BTreeSet, HashMap};

/// Whose a piece's folder is.
pub(crate) const OWNER: Owner =
    Owner { made_by: "in9-analysis adversarial (piece)", names: &[PAIRS, SCORES, "settings.toml"] };

/// The table of pairs, which a whole search has too.
pub(crate) const PAIRS: &str = "pairs.csv";

/// The table of a piece with the scores on each background alone, the same in every piece of a search.
pub(crate) const SCORES: &str = "scores.csv";

/// Pairs as CSV of indices; an empty answer is outside the taxonomy.
pub(crate) fn encode(pairs: &[Pair]) -> Result<Vec<u8>> {
    let rows = pairs.iter().map(|p| {
        let answer = p.predicted.map(|c| c.to_string()).unwrap_or_default();
        vec![p.foreground.to_string(), p.background.to_string(), answer]
    });
    Ok(encode_csv(&["foreground", "background", "predicted"], rows)?)
}

/// Scores on the backgrounds alone, one row a background, one column a class.
pub(crate) fn encode_scores(scores: &[f32], classes: &[String]) -> Result<Vec<u8>> {
    let header: Vec<&str> = classes.iter().map(String::as_str).collect();
    let rows = scores.chunks(classes.len().max(1));
    Ok(encode_csv(&header, rows.map(|row| row.iter().map(f32::to_string).collect()))?)
}

/// The search of which these are the pieces.
pub(crate) fn merged(pieces: &Pieces, settings: &SearchSettings, classes: usize) -> Result<Search> {
    let mut pairs = pieces.rows(PAIRS, |row| {
        let predicted = match row.get(2)? {
            "" => None,
            class => Some(class.parse().ok()?),
        };
        Some(Pair { foreground: cell(row, 0)?, background: cell(row, 1)?, predicted })
    })?;
    check(&pairs, settings, classes)?;
    pieces.check_whole()?;
    if settings.exhaustive {
        // The order of one process, which takes the foregrounds in turn.
        let place: HashMap<u32, usize> =
            settings.backgrounds.iter().enumerate().map(|(at, b)| (*b, at)).collect();
        pairs.sort_by_key(|pair| (place.get(&pair.background), pair.foreground));
    }
    let first = pieces.merge.first().context("no piece is named")?;
    let one = Pieces { shard: None, merge: vec![first.clone()] };
    let scores: Vec<Vec<f32>> = one.rows(SCORES, |row| (0..classes).map(|at| cell(row, at)).collect())?;
    if scores.len() != settings.backgrounds.len() {
        let (wanted, found) = (settings.backgrounds.len(), scores.len());
        bail!("{}: expected {wanted} rows, found {found}; it is damaged", first.join(SCORES).display());
    }
    let passes = pairs.len() as u64 + settings.backgrounds.len() as u64;
    Ok(Search { pairs, passes, background_scores: scores.concat(), own: Vec::new() })
}

/// Refuses merged pairs with gaps, duplicates or strangers.
fn check(pairs: &[Pair], settings: &SearchSettings, classes: usize) -> Result<()> {
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
