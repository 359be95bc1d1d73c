//! Values that several commands read.

use std::path::Path;

use crate::{Dataset, Result, Split, Taxonomy};

/// An embedded taxonomy by name, or a file.
pub(crate) fn taxonomy(text: &str) -> Result<Taxonomy> {
    Taxonomy::resolve(text)
}

/// A dataset and one of its splits: the one named, else `test`, else the only one.
pub(crate) fn open(dataset: &Path, split: Option<&str>) -> Result<(Dataset, Split)> {
    let dataset = Dataset::open(dataset)?;
    let split = dataset.split_or_usual(split)?;
    Ok((dataset, split))
}
