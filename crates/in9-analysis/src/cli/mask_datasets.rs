//! Datasets of the same photographs with masks of different sources, as the commands about masks take them.

use crate::probes::written::MaskOrigin;
use anyhow::Result;
use in9_data::{Dataset, SoundSplit};
use std::path::PathBuf;

/// The split of this name of each dataset, verified.
pub(super) fn open(
    paths: &[PathBuf],
    datasets: &[Dataset],
    split: &str,
) -> Result<Vec<(PathBuf, SoundSplit)>> {
    let split =
        |(path, dataset): (&PathBuf, &Dataset)| Ok((path.clone(), dataset.split(split)?.check_layers()?));
    paths.iter().zip(datasets).map(split).collect()
}

/// What each source is called here: the name of its dataset and what was done to its masks, with a number behind it where
/// another has the same.
pub(super) fn distinct(sources: &[MaskOrigin]) -> Vec<String> {
    let plain = |one: &MaskOrigin| {
        let change = one.change.iter().map(|change| format!(", {change}"));
        [one.dataset.clone()].into_iter().chain(change).collect::<String>()
    };
    let name = |(at, one): (usize, &MaskOrigin)| {
        let name = plain(one);
        let others = sources[..at].iter().filter(|other| plain(other) == name).count();
        if others == 0 { name } else { format!("{name} ({})", others + 1) }
    };
    sources.iter().enumerate().map(name).collect()
}
