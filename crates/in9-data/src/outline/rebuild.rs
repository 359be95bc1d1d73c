//! An outline and the photographs that it is of, to the dataset.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use in9_base::files::{self, FolderLock};
use rayon::prelude::*;

use super::read::{self, Outline};
use crate::build::{
    Making, PIECE_OWNER, Progress, Stage, finish, refuse_strangers, unfinished, within_budget,
};
use crate::dataset::{DATASET, Dataset, MANIFEST, Settings, tables};
use crate::error::{Damage, Error, Result};
use crate::hashing::Hashing;
use crate::limits::Limits;
use crate::memory::Budget;
use crate::photo::{self, Photo};
use crate::prepare::{Geometry, NotKept, PhotoBox, Pixels, Scratch, prepare_again, prepare_photo};
use crate::profile::Profile;
use crate::shard::{self, Record, Sample, Shard, ShardOutline};
use crate::sources::{self, Boxes, Item, SourceKind};

/// What is made again, and of what.
#[derive(Debug, Clone)]
pub struct Rebuild {
    /// The outline.
    pub outline: PathBuf,
    /// Root folder of the photographs.
    pub root: PathBuf,
    /// The dataset directory to make.
    pub out: PathBuf,
    /// What files may ask for.
    pub limits: Limits,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Samples, of all splits.
    pub samples: u64,
    /// See [`Dataset::digest`].
    pub digest: String,
    /// The photographs that are not those of the outline. If there is one, no dataset was made; the shards that are
    /// whole are kept for the next run.
    pub differing: Vec<Differing>,
    /// Whether the dataset was there already.
    pub already_complete: bool,
}

/// A photograph that is not the one of the outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// The split.
    pub split: String,
    /// The photograph, as the outline's source had it.
    pub source: String,
    /// In what it differs.
    pub what: String,
}

/// Makes the dataset of an outline again, bit by bit, from the photographs below a folder.
///
/// A photograph is found by its path, and if there is none by its id, so that a folder and an archive, or two layouts of
/// one source, serve alike. Runs on the current rayon pool; a run that was killed goes on when it is asked for again.
///
/// # Errors
/// If the outline is none or damaged, the photographs cannot be listed, another dataset stands at the output, or the
/// machine fails. Photographs that are missing or other ones are no error here: they are named in the result.
pub fn rebuild(config: &Rebuild, progress: &(dyn Fn(Progress) + Sync)) -> Result<Rebuilt> {
    let mut archive = read::open(&config.outline)?;
    let mut entries = archive.entries().map_err(|e| Error::read(&config.outline, e))?;
    let outline = Outline::begin(&config.outline, &mut entries)?;
    let manifest = &outline.manifest;
    let samples = manifest.splits.iter().map(|split| split.samples).sum();
    let mut rebuilt =
        Rebuilt { samples, digest: manifest.digest(), differing: Vec::new(), already_complete: false };
    if config.out.join(MANIFEST).exists() {
        let found = Dataset::open(&config.out)?.digest();
        rebuilt.already_complete = true;
        return match found == rebuilt.digest {
            true => Ok(rebuilt),
            false => Err(Error::OtherBuild {
                path: config.out.clone(),
                what: "another dataset is there",
                expected: rebuilt.digest,
                found,
            }),
        };
    }
    refuse_strangers(&config.out)?;
    let photographs =
        Photographs::list(SourceKind::of_manifest(&manifest.settings.source)?, config, &manifest.taxonomy)?;

    let place = unfinished(&config.out);
    PIECE_OWNER.claim(&place)?;
    let lock = FolderLock::take(&place)?;
    let made = place.join("dataset");
    DATASET.claim(&made)?;
    for folder in ["shards", "pairings"] {
        files::create_folder(&made.join(folder))?;
    }
    for (name, hash) in outline.tables() {
        let to = made.join(&name);
        let mut file = files::NewFile::begin(&to)?;
        let mut hashing = Hashing::new(&mut file);
        outline.table(&mut entries, &name, |entry| std::io::copy(entry, &mut hashing).map(drop))?;
        let found = hashing.hash().to_hex();
        if found.as_str() != hash {
            return Err(Error::damaged(&config.outline.join(&name), Damage::Outline, hash, found));
        }
        file.place()?;
    }
    let budget = Budget::new(config.limits.memory_bytes);
    let work = Work { photographs: &photographs, settings: &manifest.settings, config, budget: &budget };
    let mut done = 0;
    for split in &manifest.splits {
        for info in &split.shards {
            let bytes = outline.shard(&mut entries, &info.file)?;
            let shard = ShardOutline::parse(&bytes, &config.outline, &info.file, &config.limits)?;
            drop(bytes);
            let to = made.join("shards").join(&info.file);
            let there = Shard::open(&to, &config.limits)
                .is_ok_and(|there| there.hash().to_hex().as_str() == info.blake3 && there.verify().is_ok());
            if !there {
                let different = work.shard(&split.name, &shard, &to, &info.blake3)?;
                rebuilt.differing.extend(different);
            }
            done += shard.samples().len() as u64;
            progress(Progress { stage: Stage::Photographs, done, total: samples });
        }
    }
    outline.end(entries)?;
    if !rebuilt.differing.is_empty() {
        return Ok(rebuilt);
    }
    files::write_bytes(&made.join(MANIFEST), &outline.manifest_text)?;
    // Everything as a reader will find it.
    let dataset = Dataset::open_with(&made, &config.limits)?;
    manifest.splits.iter().try_for_each(|split| dataset.split(&split.name).map(drop))?;
    tables::NAMES.into_iter().try_for_each(|name| tables::check(&dataset, name))?;
    files::sync_folder(&made)?;
    finish(&made, &config.out)?;
    drop(lock);
    files::remove_owned(&place)?;
    Ok(rebuilt)
}

/// The photographs that are there.
struct Photographs {
    items: Vec<Item>,
    by_source: HashMap<String, usize>,
    /// Only ids that one photograph has.
    by_id: HashMap<String, Option<usize>>,
}

impl Photographs {
    fn list(kind: SourceKind, config: &Rebuild, taxonomy: &crate::Taxonomy) -> Result<Self> {
        let items = sources::list(kind, &config.root, taxonomy, false, &config.limits)?.items;
        let by_source = items.iter().enumerate().map(|(at, item)| (item.source.clone(), at)).collect();
        let mut by_id = HashMap::new();
        for (at, item) in items.iter().enumerate() {
            by_id.entry(item.id.clone()).and_modify(|found| *found = None).or_insert(Some(at));
        }
        Ok(Self { items, by_source, by_id })
    }

    fn find(&self, sample: &Sample) -> Option<&Item> {
        let by_id = || self.by_id.get(&sample.id).copied().flatten();
        self.by_source.get(&sample.source).copied().or_else(by_id).map(|at| &self.items[at])
    }
}

/// What every sample is made again with.
struct Work<'a> {
    photographs: &'a Photographs,
    settings: &'a Settings,
    config: &'a Rebuild,
    budget: &'a Budget,
}

impl Work<'_> {
    /// Writes a shard, if all its photographs are those of the outline; returns those that are not.
    fn shard(&self, split: &str, outline: &ShardOutline, to: &Path, hash: &str) -> Result<Vec<Differing>> {
        let geometry = self.settings.geometry(split);
        let made: Vec<std::result::Result<Pixels, String>> = (0..outline.samples().len())
            .into_par_iter()
            .with_max_len(1)
            .map_init(Scratch::default, |scratch, at| match self.sample(outline, at, geometry, scratch) {
                Ok(pixels) => Ok(Ok(pixels)),
                Err(NotKept::Rejected(rejection)) => Ok(Err(rejection.detail)),
                Err(NotKept::Failed(error)) => Err(*error),
            })
            .collect::<Result<_>>()?;
        let different = |(sample, made): (&Sample, &std::result::Result<Pixels, String>)| {
            let what = made.as_ref().err()?.clone();
            Some(Differing { split: split.into(), source: sample.source.clone(), what })
        };
        let differing: Vec<_> = outline.samples().iter().zip(&made).filter_map(different).collect();
        if !differing.is_empty() {
            return Ok(differing);
        }
        let header = outline.header();
        let (size, classes, planes) = (header.size, header.classes, header.planes);
        let found = shard::write(to, size, classes, planes, header.settings, outline.samples(), |at| {
            let (photo, tiled) =
                made[at].as_ref().map_or((&[][..], &[][..]), |(photo, tiled)| (photo, tiled));
            Ok(Record { photo, tiled, mask: outline.mask(at) })
        })?;
        match found.to_hex().as_str() == hash {
            true => Ok(Vec::new()),
            false => Err(Error::OtherDataset {
                path: self.config.outline.clone(),
                difference: "its manifest is not that of its shards",
                expected: hash.into(),
                found: found.to_hex().to_string(),
            }),
        }
    }

    fn sample(
        &self,
        outline: &ShardOutline,
        at: usize,
        geometry: Geometry,
        scratch: &mut Scratch,
    ) -> std::result::Result<Pixels, NotKept> {
        let sample = &outline.samples()[at];
        let Some(item) = self.photographs.find(sample) else {
            return Err(other("is not there, nor another of its id".into()));
        };
        let limits = &self.config.limits;
        // The masks are in the outline, so that what drew them is not needed.
        let making = Making { settings: self.settings, limits, mask_network: None };
        let candidates = within_budget(item, making, self.budget, scratch, |bytes, scratch| {
            let found = blake3::hash(&bytes);
            if found.as_bytes() != &sample.blake3 {
                let expected = blake3::Hash::from_bytes(sample.blake3);
                return Err(other(format!("is another file (expected BLAKE3 {expected}, found {found})")));
            }
            let photo = photo::decode(&bytes, limits).map_err(other)?;
            drop(bytes);
            if let Boxes::Release(parts) = &item.boxes {
                let made = parts.prepare(photo, geometry.size, limits)?;
                return Ok(vec![(made.photo, made.tiled)]);
            }
            if self.settings.photos_only {
                return Ok(vec![(prepare_photo(&photo, geometry, scratch)?.photo, Vec::new())]);
            }
            let boxes = boxes(sample, &photo, self.settings.profile)?;
            let made =
                boxes.iter().filter_map(|one| prepare_again(&photo, one, geometry, scratch).transpose());
            Ok(made.collect::<std::result::Result<_, _>>()?)
        })?;
        let is = |layer: usize, pixels: &[u8]| {
            outline.crc(at, layer).is_none_or(|expected| crc32fast::hash(pixels) == expected)
        };
        candidates.into_iter().find(|(photo, tiled)| is(0, photo) && is(1, tiled)).ok_or_else(|| {
            other("is the same file, but gives other pixels in this version of the program".into())
        })
    }
}

/// The boxes that a stored one may have been: to the paper's letter, a box may end at the photograph's very width or
/// height, and is stored one pixel less.
fn boxes(sample: &Sample, photo: &Photo, profile: Profile) -> std::result::Result<Vec<PhotoBox>, NotKept> {
    let [x0, y0, x1, y1] = sample.photo_box;
    if x0 > x1 || y0 > y1 || x1 >= photo.width || y1 >= photo.height {
        let found = format!("{:?} in {}x{}", sample.photo_box, photo.width, photo.height);
        return Err(other(format!("has a box outside (found {found})")));
    }
    let ends = |end: u32, length: u32| {
        let beyond = profile == Profile::Paper && end + 1 == length;
        [Some(end), beyond.then_some(end + 1)].into_iter().flatten().map(i64::from)
    };
    let boxes = ends(x1, photo.width).flat_map(|x| ends(y1, photo.height).map(move |y| (x, y)));
    Ok(boxes.map(|(x, y)| PhotoBox::new(x0.into(), y0.into(), x, y)).collect())
}

fn other(what: String) -> NotKept {
    crate::prepare::Rejection::fault("other", what).into()
}
