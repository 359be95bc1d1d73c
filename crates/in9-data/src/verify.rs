//! Checking every byte of a dataset.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::dataset::{Dataset, MANIFEST, tables};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::pairing::{Pairing, pairing_name};
use crate::view::View;

/// What was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Samples.
    pub samples: u64,
    /// Shards.
    pub shards: u64,
    /// See [`Dataset::digest`].
    pub digest: String,
}

/// Checks a dataset: every checksum and hash of every shard, every pairing, the tables, that the counts
/// agree.
///
/// # Errors
/// The first damage found, naming the file, what was expected and what was found.
pub fn verify(path: &Path, limits: &Limits, progress: &(dyn Fn(u64, u64) + Sync)) -> Result<Verified> {
    let dataset = Dataset::open_with(path, limits)?;
    let splits = dataset.splits().into_iter().map(|name| dataset.split(name)).collect::<Result<Vec<_>>>()?;
    let shards: Vec<_> = splits.iter().flat_map(|split| split.shards()).collect();
    let (done, total) = (AtomicU64::new(0), shards.len() as u64);
    shards.par_iter().with_max_len(1).try_for_each(|shard| {
        shard.verify()?;
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        Ok::<(), Error>(())
    })?;
    let mut samples = 0;
    for (split, info) in splits.iter().zip(&dataset.manifest().splits) {
        samples += split.len() as u64;
        if info.samples != split.len() as u64 {
            return Err(Error::malformed(
                &path.join(MANIFEST),
                format!("samples of split {}", info.name),
                split.len().to_string(),
                info.samples.to_string(),
                "build the dataset again",
            ));
        }
        let mut counts = vec![0; dataset.taxonomy().len()];
        split.samples().for_each(|sample| counts[usize::from(sample.class)] += 1);
        if !info.kept.iter().map(|kept| kept.count).eq(counts.iter().copied()) {
            let listed: Vec<u64> = info.kept.iter().map(|kept| kept.count).collect();
            return Err(Error::malformed(
                &path.join(MANIFEST),
                format!("counts of split {}", info.name),
                format!("{counts:?}"),
                format!("{listed:?}"),
                "build the dataset again",
            ));
        }
        for view in View::MIXED {
            if dataset.manifest().pairings.contains_key(&pairing_name(split.name(), view)) {
                Pairing::frozen(&dataset, split, view)?;
            }
        }
    }
    check_tables(&dataset)?;
    Ok(Verified { samples, shards: total, digest: dataset.digest() })
}

/// The tables must be those that the manifest was written with.
fn check_tables(dataset: &Dataset) -> Result<()> {
    for name in tables::NAMES {
        tables::check(dataset, name)?;
    }
    Ok(())
}
