//! Photographs to a dataset directory.
//!
//! Two steps. **Pieces**: the source's list is cut into chunks; each chunk's photographs are read,
//! filtered, segmented and laid out into one file, chunk by chunk on all threads; a killed run finds
//! its finished chunks again. **Assembly**: what passed is selected (held out, capped, balanced) and
//! copied into shards in the list's order. A whole build is one piece assembled at once, so that
//! any number of pieces, threads and interruptions gives the same bytes.

mod assemble;
mod chunk;
mod complete;
mod exclude;
mod piece_folder;
mod process;
mod select;

use std::path::{Path, PathBuf};

use in9_base::Piece;
use in9_base::files::{self, FolderLock};

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::network_masks::NetworkMasks;
use crate::profile::{MaskSource, Profile};
use crate::sources::{self, SourceKind};
use crate::taxonomy::Taxonomy;

use crate::dataset::{DATASET, MANIFEST, Settings};
use crate::release::{self, Difference};
pub(crate) use assemble::save_pairing;
pub use exclude::Excluded;
pub(crate) use piece_folder::OWNER as PIECE_OWNER;
use piece_folder::PieceFolder;
pub(crate) use process::{Making, within_budget};

/// How a dataset is built.
#[derive(Debug, Clone)]
pub struct BuildConfig {
    /// Kind of source.
    pub source: SourceKind,
    /// Its root folder.
    pub root: PathBuf,
    /// The dataset directory to make; with `piece`, the folder of that piece.
    pub out: PathBuf,
    /// The classes; `None` makes one class of each sub-folder (source `folder` only).
    pub taxonomy: Option<Taxonomy>,
    /// Literal or clean; default clean.
    pub profile: Profile,
    /// Pixels of a side, at least 1; default 224.
    pub size: u32,
    /// See [`Settings::short_side`]; `None` is the profile's own.
    pub short_side: Option<u32>,
    /// See [`Settings::train_size`]; default none.
    pub train_size: Option<u32>,
    /// Share of the source's photographs of each split and class that is looked at, above 0 and at most 1; default 1.
    /// For a rehearsal: which ones is drawn by the seed.
    pub scale: f64,
    /// Whether mixed-rand may take a background of the foreground's own class; default true.
    pub own_class: bool,
    /// Where masks come from; default GrabCut.
    pub masks: MaskSource,
    /// The network that draws them, where that is their source; default none.
    pub mask_network: Option<NetworkMasks>,
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
    /// Make only this piece, for [`merge`].
    pub piece: Option<Piece>,
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
            train_size: None,
            scale: 1.0,
            own_class: true,
            masks: MaskSource::Grabcut,
            mask_network: None,
            photos_only: false,
            seed: 0,
            holdout: 0.0,
            per_class: None,
            test_per_class: None,
            balance: false,
            fine_per_class: None,
            excluded: Excluded::default(),
            piece: None,
            limits: Limits::default(),
        }
    }

    fn taxonomy(&self) -> Result<Taxonomy> {
        let taxonomy = match (&self.taxonomy, self.source) {
            (Some(taxonomy), _) => taxonomy.clone(),
            (None, SourceKind::Folder) => sources::folder_taxonomy(&self.root)?,
            (None, SourceKind::Waterbirds) => sources::waterbirds_taxonomy()?,
            (None, SourceKind::Toy) => Taxonomy::named("toy")?,
            (None, _) => Taxonomy::named("imagenet-9")?,
        };
        let taxonomy = match self.fine_per_class {
            Some(count) => taxonomy.first_fine(count as usize),
            None => taxonomy,
        };
        taxonomy.check(Path::new(&taxonomy.name))?;
        Ok(taxonomy)
    }

    /// The settings that decide every byte, checked.
    fn settings(&self) -> Result<Settings> {
        let bad = |setting, expected, found: String| Err(Error::Setting { setting, expected, found });
        let short_side = self.short_side.unwrap_or_else(|| self.profile.short_side(self.size));
        if !(1..=4096).contains(&self.size) {
            return bad("size", "1 to 4096", self.size.to_string());
        }
        if short_side < self.size || short_side > 65_535 {
            return bad("short side", "at least the size, at most 65535", short_side.to_string());
        }
        if let Some(train) = self.train_size.filter(|train| !(self.size..=4096).contains(train)) {
            return bad("size of training pictures", "at least the size, at most 4096", train.to_string());
        }
        if !(self.scale > 0.0 && self.scale <= 1.0) {
            return bad("scale", "above 0, at most 1", self.scale.to_string());
        }
        if !(0.0..1.0).contains(&self.holdout) {
            return bad("holdout", "at least 0, below 1", self.holdout.to_string());
        }
        if self.per_class == Some(0) || self.test_per_class == Some(0) || self.fine_per_class == Some(0) {
            return bad("number per class", "at least 1", "0".into());
        }
        if (self.masks == MaskSource::Network) != self.mask_network.is_some() {
            let found = format!("{:?} and {} network", self.masks, self.mask_network.iter().count());
            return bad("source of masks", "a network if, and only if, it is to draw them", found);
        }
        let settings = Settings {
            source: self.source.name().into(),
            profile: self.profile,
            size: self.size,
            short_side,
            masks: self.masks,
            mask_network: self.mask_network.as_ref().map(|network| network.record().clone()),
            photos_only: self.photos_only,
            seed: self.seed,
            holdout: self.holdout,
            per_class: self.per_class,
            test_per_class: self.test_per_class,
            balance: self.balance,
            fine_per_class: self.fine_per_class,
            excluded: self.excluded.digest(),
            train_size: self.train_size.filter(|train| *train != self.size),
            scale: self.scale,
            own_class: self.own_class,
        };
        // Readers compare what they read with what is in the shards.
        match settings.survive_writing() {
            true => Ok(settings),
            false => bad(
                "holdout or scale",
                "a number of at most 15 digits",
                format!("{} and {}", self.holdout, self.scale),
            ),
        }
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
    /// Photographs rejected by each (split, rule), sorted.
    pub rejected: Vec<(String, String, u64)>,
    /// Damaged or contradictory inputs that were skipped: one line each, naming the file.
    pub faults: Vec<String>,
    /// Source `release` only: how its published variants differ from our views.
    pub differences: Vec<Difference>,
    /// Whether the same dataset was there already, so that nothing was done. Faults and differences are then
    /// not told again.
    pub already_complete: bool,
}

/// Builds a dataset, or one piece of it.
///
/// Runs on the current rayon pool. `progress` is called from any thread. A build that was killed goes on when
/// it is asked for again, and one that is complete is left as it is.
///
/// # Errors
/// If the source cannot be listed, the settings are impossible, something else stands at the output or it
/// cannot be written, or the machine fails. Damaged photographs are no error: they are skipped and reported.
pub fn build(config: &BuildConfig, progress: &(dyn Fn(Progress) + Sync)) -> Result<BuildReport> {
    let settings = config.settings()?;
    let taxonomy = config.taxonomy()?;
    let with_masks = settings.masks == MaskSource::Exact;
    let making =
        Making { settings: &settings, limits: &config.limits, mask_network: config.mask_network.as_ref() };
    let list = || -> Result<sources::Listing> {
        let mut listing = sources::list(config.source, &config.root, &taxonomy, with_masks, &config.limits)?;
        select::thin(&mut listing.items, config.scale, config.seed);
        Ok(listing)
    };
    let piece = config.piece.unwrap_or(Piece::WHOLE);
    if config.piece.is_some() {
        // A piece's folder is its owner's to judge.
        let listing = list()?;
        let folder = PieceFolder::open(&config.out, &settings, &taxonomy, &listing, piece)?;
        folder.run(&listing, making, &config.excluded, progress)?;
        return folder.report(&listing);
    }
    let place = unfinished(&config.out);
    if config.out.join(MANIFEST).exists() {
        let sources =
            || -> Result<Vec<String>> { Ok(list()?.items.into_iter().map(|item| item.source).collect()) };
        let report = complete::report(&config.out, &settings, &taxonomy, sources)?;
        remove_unfinished(&place)?;
        return Ok(report);
    }
    refuse_strangers(&config.out)?;
    let listing = list()?;
    let folder = PieceFolder::open(&place, &settings, &taxonomy, &listing, piece)?;
    folder.run(&listing, making, &config.excluded, progress)?;
    // A million photographs' names; the chunks have them too.
    drop(listing);
    let made = place.join("dataset");
    let mut report = match assemble::assemble(std::slice::from_ref(&folder), &made, progress) {
        // Its verdicts are of photographs that will be mended under the same names.
        Err(error @ Error::NothingKept { .. }) => {
            drop(folder);
            files::remove_owned(&place)?;
            return Err(error);
        }
        report => report?,
    };
    if config.source == SourceKind::Release {
        let (differences, faults) = release::settle(&made, &config.root, &config.limits)?;
        report.differences = differences;
        report.faults.extend(faults);
    }
    finish(&made, &config.out)?;
    drop(folder);
    files::remove_owned(&place)?;
    Ok(report)
}

/// Assembles the pieces of a build into the dataset that one process would have made.
///
/// # Errors
/// If pieces are missing, doubled, damaged, or made with other settings or from another list.
pub fn merge(pieces: &[PathBuf], out: &Path, progress: &(dyn Fn(Progress) + Sync)) -> Result<BuildReport> {
    let pieces = pieces.iter().map(|path| PieceFolder::load(path)).collect::<Result<Vec<_>>>()?;
    piece_folder::check_complete(&pieces)?;
    let (place, info) = (unfinished(out), &pieces[0].info);
    if out.join(MANIFEST).exists() {
        let report = complete::report(out, &info.settings, &info.taxonomy, || sources_of(&pieces))?;
        remove_unfinished(&place)?;
        return Ok(report);
    }
    refuse_strangers(out)?;
    piece_folder::OWNER.claim(&place)?;
    let lock = FolderLock::take(&place)?;
    let made = place.join("dataset");
    let report = assemble::assemble(&pieces, &made, progress)?;
    finish(&made, out)?;
    drop(lock);
    files::remove_owned(&place)?;
    Ok(report)
}

/// The photographs of all pieces.
fn sources_of(pieces: &[PieceFolder]) -> Result<Vec<String>> {
    let mut sources = Vec::new();
    for piece in pieces {
        for (_, chunk) in piece.open_chunks()? {
            sources.extend(chunk.index.accepted.iter().map(|(_, sample)| sample.source.clone()));
            sources.extend(chunk.index.rejected.iter().map(|rejected| rejected.row.source.clone()));
        }
    }
    Ok(sources)
}

/// Where a dataset is made before it is moved to `out`.
pub(crate) fn unfinished(out: &Path) -> PathBuf {
    files::sibling(out, ".building")
}

/// Moves a finished directory into place, without what killed runs may have left half written in it.
pub(crate) fn finish(from: &Path, out: &Path) -> Result<()> {
    for folder in [from.to_path_buf(), from.join("shards"), from.join("pairings")] {
        files::remove_leftovers(&folder)?;
    }
    if out.exists() {
        // An empty folder; refuse_strangers made sure.
        files::remove_folder(out)?;
    }
    Ok(files::move_to(from, out)?)
}

/// Removes what a run left that was killed between moving its dataset into place and clearing up, unless
/// another process is at work there.
fn remove_unfinished(place: &Path) -> Result<()> {
    if !place.exists() {
        return Ok(());
    }
    // The mark goes last, but the clearing up may have been killed after that, too.
    piece_folder::OWNER.claim(place)?;
    match FolderLock::take(place) {
        Err(in9_base::Error::Locked { .. }) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(lock) => {
            drop(lock);
            Ok(files::remove_owned(place)?)
        }
    }
}

/// Refuses an output that is neither absent nor an empty folder.
pub(crate) fn refuse_strangers(out: &Path) -> Result<()> {
    let empty = match std::fs::symlink_metadata(out) {
        Ok(about) if about.is_dir() => {
            std::fs::read_dir(out).map_err(|e| Error::read(out, e))?.next().is_none()
        }
        Ok(_) => false,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => true,
        Err(e) => return Err(Error::read(out, e)),
    };
    match empty {
        true => Ok(()),
        false => Err(in9_base::Error::NotOurs { path: out.into(), made_by: DATASET.made_by.into() }.into()),
    }
}
