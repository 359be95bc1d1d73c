//! Values that several commands read.

use std::path::Path;

use crate::{Dataset, Result, Split, Taxonomy};

/// An embedded taxonomy by name, or a file.
pub(crate) fn taxonomy(text: &str) -> Result<Taxonomy> {
    Taxonomy::resolve(text)
}

/// A dataset and one of its splits: the one named, else `test`, else the first.
pub(crate) fn open(dataset: &Path, split: Option<&str>) -> Result<(Dataset, Split)> {
    let dataset = Dataset::open(dataset)?;
    let names = dataset.splits();
    let chosen = split.or_else(|| names.iter().copied().find(|name| *name == "test"));
    let chosen = chosen.or(names.first().copied()).unwrap_or("test").to_string();
    let split = dataset.split(&chosen)?;
    Ok((dataset, split))
}
