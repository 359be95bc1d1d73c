//! Values that several commands read.

use std::path::Path;

use in9_data::{Dataset, Split, Taxonomy};

/// `i/n`.
pub(crate) fn shard(text: &str) -> Result<(u32, u32), String> {
    let parsed = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    parsed.filter(|&(i, n)| 1 <= i && i <= n).ok_or_else(|| "expected i/n with 1 <= i <= n, as in 2/7".into())
}

/// An embedded taxonomy by name, or a file.
pub(crate) fn taxonomy(text: &str) -> in9_data::Result<Taxonomy> {
    Taxonomy::resolve(text)
}

/// A dataset and one of its splits: the one named, else `test`, else the first.
pub(crate) fn open(dataset: &Path, split: Option<&str>) -> in9_data::Result<(Dataset, Split)> {
    let dataset = Dataset::open(dataset)?;
    let names = dataset.splits();
    let chosen = split.or_else(|| names.iter().copied().find(|name| *name == "test"));
    let chosen = chosen.or(names.first().copied()).unwrap_or("test").to_string();
    let split = dataset.split(&chosen)?;
    Ok((dataset, split))
}
