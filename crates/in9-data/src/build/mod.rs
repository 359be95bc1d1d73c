//! Photographs to a dataset directory.
//!
//! Two steps. **Pieces**: the source's list is cut into chunks; each chunk's photographs are read,
//! filtered, segmented and laid out into one file, chunk by chunk on all threads; a killed run finds
//! its finished chunks again. **Assembly**: what passed is selected (held out, capped, balanced) and
//! copied into shards in the list's order. A whole build is one piece assembled at once, so that
//! any number of pieces, threads and interruptions gives the same bytes.

mod assemble;
mod chunk;
mod exclude;
mod piece;
mod process;
mod select;

use std::path::{Path, PathBuf};

use crate::atomic;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::profile::{MaskSource, Profile};
use crate::sources::{self, SourceKind};
use crate::taxonomy::Taxonomy;

use crate::dataset::Settings;
use crate::release::{self, Difference};
pub(crate) use assemble::save_pairing;
pub use exclude::Excluded;
use piece::Piece;

/// How a dataset is built.
#[derive(Debug, Clone)]
pub struct BuildConfig {
    /// Kind of source.
    pub source: SourceKind,
    /// Its root folder.
    pub root: PathBuf,
    /// The dataset directory to make, or the piece with `shard`.
    pub out: PathBuf,
    /// The classes; `None` makes one class of each sub-folder (source `folder` only).
    pub taxonomy: Option<Taxonomy>,
    /// Literal or clean; default clean.
    pub profile: Profile,
    /// Pixels of a side, at least 1; default 224.
    pub size: u32,
    /// See [`Settings::short_side`]; `None` is the profile's own.
    pub short_side: Option<u32>,
    /// Where masks come from; default GrabCut.
    pub masks: MaskSource,
    /// Photographs only; default false.
    pub photos_only: bool,
    /// Seed of every random choice; default 0.
    pub seed: u64,
    /// Share of the training photographs moved to split `val`, 0..1; default 0.
    pub holdout: f64,
    /// Most training photographs of a class; default all.
    pub per_class: Option<u32>,
    /// Most test photographs of a class; default all.
    pub test_per_class: Option<u32>,
    /// Whether every split is brought down to its smallest class; default false.
    pub balance: bool,
    /// Fine labels kept of each class; default all.
    pub fine_per_class: Option<u32>,
    /// Photographs to leave out.
    pub excluded: Excluded,
    /// Piece `i` of `n`, counted from 1: make only that piece, for [`merge`].
    pub shard: Option<(u32, u32)>,
    /// What files may ask for.
    pub limits: Limits,
}

impl BuildConfig {
    /// The defaults for a source.
    pub fn new(source: SourceKind, root: &Path, out: &Path) -> Self {
        Self {
            source,
            root: root.into(),
            out: out.into(),
            taxonomy: None,
            profile: Profile::Clean,
            size: 224,
            short_side: None,
            masks: MaskSource::Grabcut,
            photos_only: false,
            seed: 0,
            holdout: 0.0,
            per_class: None,
            test_per_class: None,
            balance: false,
            fine_per_class: None,
            excluded: Excluded::default(),
            shard: None,
            limits: Limits::default(),
        }
    }

    fn taxonomy(&self) -> Result<Taxonomy> {
        let taxonomy = match (&self.taxonomy, self.source) {
            (Some(taxonomy), _) => taxonomy.clone(),
            (None, SourceKind::Folder) => sources::folder_taxonomy(&self.root)?,
            (None, SourceKind::Toy) => Taxonomy::named("toy")?,
            (None, _) => Taxonomy::named("imagenet-9")?,
        };
        Ok(match self.fine_per_class {
            Some(count) => taxonomy.first_fine(count as usize),
            None => taxonomy,
        })
    }

    /// The settings that decide every byte, checked.
    fn settings(&self) -> Result<Settings> {
        let bad = |what: &str, expected: &str, found: String| {
            Err(Error::argument(what, expected, found, "choose another value"))
        };
        let short_side = self.short_side.unwrap_or_else(|| self.profile.short_side(self.size));
        if !(1..=4096).contains(&self.size) {
            return bad("size", "1 to 4096", self.size.to_string());
        }
        if short_side < self.size || short_side > 65_535 {
            return bad("short side", "at least the size, at most 65535", short_side.to_string());
        }
        if !(0.0..1.0).contains(&self.holdout) {
            return bad("holdout", "at least 0, below 1", self.holdout.to_string());
        }
        if self.per_class == Some(0) || self.test_per_class == Some(0) || self.fine_per_class == Some(0) {
            return bad("number per class", "at least 1", "0".into());
        }
        if let Some((i, n)) = self.shard
            && (i == 0 || i > n)
        {
            return bad("shard", "i/n with 1 <= i <= n", format!("{i}/{n}"));
        }
        Ok(Settings {
            source: self.source.name().into(),
            profile: self.profile,
            size: self.size,
            short_side,
            masks: self.masks,
            photos_only: self.photos_only,
            seed: self.seed,
            holdout: self.holdout,
            per_class: self.per_class,
            test_per_class: self.test_per_class,
            balance: self.balance,
            fine_per_class: self.fine_per_class,
            excluded: self.excluded.digest(),
        })
    }
}

/// How far a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is counted.
    pub stage: Stage,
    /// Done so far, those of an earlier run included.
    pub done: u64,
    /// Of how many.
    pub total: u64,
}

/// The steps of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Photographs read, filtered, segmented.
    Photographs,
    /// Shards written.
    Shards,
}

/// What came of a build.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BuildReport {
    /// Samples of each split, sorted by name (nothing for a piece).
    pub samples: Vec<(String, u64)>,
    /// Photographs turned away by each (split, rule), sorted.
    pub rejected: Vec<(String, String, u64)>,
    /// Damaged or contradictory inputs that were skipped: one line each, naming the file.
    pub faults: Vec<String>,
    /// Source `release` only: how its published variants differ from our views.
    pub differences: Vec<Difference>,
}

/// Builds a dataset, or one piece of it.
///
/// Runs on the current rayon pool. `progress` is called from any thread.
///
/// # Errors
/// If the source cannot be listed, the settings are impossible, the output exists or cannot be
/// written. Damaged photographs are no error: they are skipped and reported.
pub fn build(config: &BuildConfig, progress: &(dyn Fn(Progress) + Sync)) -> Result<BuildReport> {
    let settings = config.settings()?;
    if let Err(error) = refuse_existing(&config.out) {
        if config.shard.is_none() && config.out.join("manifest.json").exists() {
            remove_stale(&atomic::sibling(&config.out, ".building"))?;
        }
        return Err(error);
    }
    let taxonomy = config.taxonomy()?;
    let with_masks = settings.masks == MaskSource::Exact;
    let listing = sources::list(config.source, &config.root, &taxonomy, with_masks, &config.limits)?;
    let shard = config.shard.unwrap_or((1, 1));
    let place = match config.shard {
        Some(_) => config.out.clone(),
        None => atomic::sibling(&config.out, ".building"),
    };
    let piece = Piece::open(&place, &settings, &taxonomy, &listing, shard)?;
    piece.run(&listing, &settings, &config.excluded, &config.limits, progress)?;
    if config.shard.is_some() {
        return piece.report(&listing);
    }
    let mut report = assemble::assemble(std::slice::from_ref(&piece), &place.join("dataset"), progress)?;
    if config.source == SourceKind::Release {
        let (differences, faults) = release::settle(&place.join("dataset"), &config.root, &config.limits)?;
        report.differences = differences;
        report.faults.extend(faults);
    }
    finish(&place.join("dataset"), &config.out)?;
    drop(piece);
    std::fs::remove_dir_all(&place).map_err(|e| Error::write(&place, e))?;
    Ok(report)
}

/// Assembles the pieces of a build into the dataset that one process would have made.
///
/// # Errors
/// If pieces are missing, doubled, damaged, or made with other settings or from another list.
pub fn merge(pieces: &[PathBuf], out: &Path, progress: &(dyn Fn(Progress) + Sync)) -> Result<BuildReport> {
    refuse_existing(out)?;
    let pieces = pieces.iter().map(|path| Piece::load(path)).collect::<Result<Vec<_>>>()?;
    piece::check_complete(&pieces)?;
    let place = atomic::sibling(out, ".building");
    let report = assemble::assemble(&pieces, &place, progress)?;
    finish(&place, out)?;
    Ok(report)
}

/// Moves a finished directory into place, without what killed runs may have left half written in it.
fn finish(from: &Path, out: &Path) -> Result<()> {
    for folder in [from.to_path_buf(), from.join("shards"), from.join("pairings")] {
        atomic::remove_partial(&folder)?;
    }
    if out.exists() {
        // An empty folder; refuse_existing made sure.
        std::fs::remove_dir(out).map_err(|e| Error::write(out, e))?;
    }
    std::fs::rename(from, out).map_err(|e| Error::write(out, e))?;
    atomic::sync_folder(atomic::parent(out))
}

/// Removes what a run left that was killed between moving its dataset into place and clearing up, unless
/// another process is at work there.
fn remove_stale(place: &Path) -> Result<()> {
    // The clearing up may have been killed too, after the lock's own turn.
    let lock = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(place.join("lock"));
    let Ok(lock) = lock else { return Ok(()) };
    if lock.try_lock().is_ok() {
        std::fs::remove_dir_all(place).map_err(|e| Error::write(place, e))?;
    }
    Ok(())
}

fn refuse_existing(out: &Path) -> Result<()> {
    let occupied = out.join("manifest.json").exists()
        || (!out.join("piece.json").exists()
            && std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()));
    if occupied || out.is_file() {
        return Err(Error::argument(
            format!("{}: the output exists", out.display()),
            "a new or empty folder",
            "something else",
            "remove it or choose another folder",
        ));
    }
    Ok(())
}
