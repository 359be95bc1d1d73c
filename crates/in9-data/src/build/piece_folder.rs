//! The folder of one piece of a build: the chunks that one process makes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use in9_base::files::{self, FolderLock, NewFile, Owner};
use in9_base::{Piece, PlainName};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::dataset::tables::Rejected;
use crate::error::{Error, Result};
use crate::mask::mask_bytes;
use crate::memory::Budget;
use crate::prepare::{NotKept, Rejection, Scratch};
use crate::sources::{Item, Listing};
use crate::taxonomy::Taxonomy;

use super::chunk::{Chunk, RejectedItem, Writer};
use super::process::{Making, process};
use super::{BuildReport, Excluded, Progress, Settings, Stage};

/// Name of the file that says what a piece is of.
pub(super) const PIECE: &str = "piece.json";

/// Which files belong to a piece; those below `dataset` while it is assembled in the same folder.
pub(crate) const OWNER: Owner = Owner {
    made_by: "in9-data (unfinished build)",
    names: &[
        PIECE,
        "chunks/*.chunk",
        "chunks/*.partial",
        "dataset/*.json",
        "dataset/*.csv",
        "dataset/shards/*.in9",
        "dataset/pairings/*.csv",
        "dataset/.in9-output.json",
    ],
};

/// Far above what the greatest number of classes takes.
const LONGEST: u64 = 256 << 20;

/// `piece.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Info {
    program: String,
    piece: Piece,
    chunks: u32,
    /// Photographs of a chunk.
    chunk_items: u64,
    items: u64,
    /// BLAKE3 (hex) of settings, taxonomy and the source's list.
    digest: String,
    /// Errors found while listing.
    listing_faults: Vec<String>,
    /// Photographs of each split.
    pub(super) splits: BTreeMap<String, u64>,
    pub(super) settings: Settings,
    pub(super) taxonomy: Taxonomy,
}

impl Info {
    /// The split of the photograph with this number: the list is sorted by split.
    pub(super) fn split_of(&self, item: u64) -> &str {
        let mut end = 0;
        for (split, count) in &self.splits {
            end += count;
            if item < end {
                return split;
            }
        }
        ""
    }
}

/// A piece on disk.
pub(super) struct PieceFolder {
    path: PathBuf,
    pub(super) info: Info,
    /// Held while the piece is worked on, so that two processes do not disturb each other.
    _lock: Option<FolderLock>,
}

impl PieceFolder {
    /// Starts a piece, or goes on with one that was begun with the same settings.
    pub(super) fn open(
        path: &Path,
        settings: &Settings,
        taxonomy: &Taxonomy,
        listing: &Listing,
        piece: Piece,
    ) -> Result<Self> {
        OWNER.claim(path)?;
        let lock = FolderLock::take(path)?;
        files::create_folder(&path.join("chunks"))?;
        for folder in [path, &path.join("chunks")] {
            files::remove_leftovers(folder)?;
        }
        let items = listing.items.len() as u64;
        let chunk_items = (items / 512).clamp(16, 256);
        let mut splits = BTreeMap::new();
        listing.items.iter().for_each(|item| *splits.entry(item.split.to_string()).or_insert(0) += 1);
        let info = Info {
            program: program(),
            piece,
            chunks: items.div_ceil(chunk_items) as u32,
            chunk_items,
            items,
            digest: digest(settings, taxonomy, listing).to_hex().to_string(),
            listing_faults: listing.faults.clone(),
            splits,
            settings: settings.clone(),
            taxonomy: taxonomy.clone(),
        };
        let piece_path = path.join(PIECE);
        if piece_path.exists() {
            let found = read_info(&piece_path)?;
            let what = "an unfinished build with other settings, another program or other photographs";
            let is =
                |info: &Info| format!("piece {} of {} by {}", info.piece, short(&info.digest), info.program);
            if is(&found) != is(&info) || found.digest != info.digest {
                return Err(Error::OtherBuild {
                    path: path.into(),
                    what,
                    expected: is(&info),
                    found: is(&found),
                });
            }
        } else {
            write_info(&piece_path, &info)?;
        }
        Ok(Self { path: path.into(), info, _lock: Some(lock) })
    }

    /// Reads a finished piece.
    pub(super) fn load(path: &Path) -> Result<Self> {
        Ok(Self { path: path.into(), info: read_info(&path.join(PIECE))?, _lock: None })
    }

    fn digest(&self) -> blake3::Hash {
        blake3::Hash::from_hex(&self.info.digest)
            .unwrap_or_else(|_| blake3::hash(self.info.digest.as_bytes()))
    }

    fn chunk_path(&self, chunk: u32) -> PathBuf {
        self.path.join("chunks").join(format!("{chunk:06}.chunk"))
    }

    /// Numbers of this piece's chunks.
    fn chunks(&self) -> impl Iterator<Item = u32> + use<> {
        self.info.piece.share(0..self.info.chunks)
    }

    /// Opens all chunks of this piece, with their numbers.
    pub(super) fn open_chunks(&self) -> Result<Vec<(u32, Chunk)>> {
        let digest = self.digest();
        let open = |number| {
            let path = self.chunk_path(number);
            let chunk = Chunk::open(&path, &digest, &|item| self.lengths(item))?;
            chunk.check(&path, self.info.items, self.info.taxonomy.len())?;
            Ok((number, chunk))
        };
        self.chunks().map(open).collect()
    }

    fn items_of(&self, chunk: u32) -> std::ops::Range<u64> {
        let start = u64::from(chunk) * self.info.chunk_items;
        start..(start + self.info.chunk_items).min(self.info.items)
    }

    /// Makes the chunks that are missing.
    ///
    /// # Errors
    /// If the machine fails; what is finished is kept. A photograph that the system refused memory for does not
    /// keep the others from being made: its chunk alone is missing in the end.
    pub(super) fn run(
        &self,
        listing: &Listing,
        making: Making<'_>,
        excluded: &Excluded,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<()> {
        let digest = self.digest();
        let total = self.chunks().map(|chunk| self.items_of(chunk).count() as u64).sum();
        let done = AtomicU64::new(0);
        let tell = |count: u64| {
            let done = done.fetch_add(count, Ordering::Relaxed) + count;
            progress(Progress { stage: Stage::Photographs, done, total });
        };
        let mut missing = Vec::new();
        for chunk in self.chunks() {
            match Chunk::open(&self.chunk_path(chunk), &digest, &|item| self.lengths(item)) {
                Ok(_) => tell(self.items_of(chunk).count() as u64),
                Err(error) if error.is_of_machine() => return Err(error),
                // Whatever is wrong with it, it is made again.
                Err(_) => missing.push(chunk),
            }
        }
        // A quarter of what this process was given: each photograph has layers and a mask beside what is decoded. One
        // that needs more than the budget is decoded alone, so that it decides nothing but speed.
        let given = in9_base::memory::given().map_or(u64::MAX, |bytes| bytes / 4);
        let budget = Budget::new(making.limits.memory_bytes.min(given));
        let without_memory = Mutex::new(None);
        let make = |scratch: &mut Scratch, chunk: u32| -> Result<()> {
            let path = self.chunk_path(chunk);
            let error = |e| Error::write(&path, e);
            let mut file = NewFile::begin(&path)?;
            let mut writer = Writer::new(&mut file);
            for number in self.items_of(chunk) {
                let item = &listing.items[number as usize];
                match sample(item, making, excluded, &budget, scratch) {
                    Ok((sample, prepared)) => writer.accept(number, sample, &prepared).map_err(error)?,
                    Err(NotKept::Rejected(why)) => writer.reject(rejected(number, item, why)),
                    Err(NotKept::Failed(error)) if matches!(*error, Error::Memory { .. }) => {
                        if let Ok(mut first) = without_memory.lock() {
                            first.get_or_insert(*error);
                        }
                        // Its rest is made with it, when the build goes on.
                        return Ok(());
                    }
                    Err(NotKept::Failed(error)) => return Err(*error),
                }
                tell(1);
            }
            writer.seal(&digest).map_err(error)?;
            Ok(file.place()?)
        };
        // Each chunk is one thread's work from beginning to end: memory is a photograph a thread.
        missing.into_par_iter().with_max_len(1).map_init(Scratch::default, make).collect::<Result<()>>()?;
        match without_memory.into_inner() {
            Ok(Some(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// What came of this piece alone.
    pub(super) fn report(&self, listing: &Listing) -> Result<BuildReport> {
        let mut report = BuildReport { faults: listing.faults.clone(), ..BuildReport::default() };
        let mut rules: BTreeMap<(String, String), u64> = BTreeMap::new();
        for (_, chunk) in self.open_chunks()? {
            for rejected in &chunk.index.rejected {
                *rules.entry((rejected.row.split.clone(), rejected.row.rule.clone())).or_default() += 1;
                report.faults.extend(fault(rejected));
            }
        }
        report.rejected = rules.into_iter().map(|((split, rule), count)| (split, rule, count)).collect();
        Ok(report)
    }

    /// Bytes of photo, tiled background and mask of the photograph with this number in the source's list.
    fn lengths(&self, item: u64) -> [usize; 3] {
        let settings = &self.info.settings;
        let size = settings.side(self.info.split_of(item)) as usize;
        match settings.photos_only {
            true => [size * size * 3, 0, 0],
            false => [size * size * 3, size * size * 3, mask_bytes(size)],
        }
    }

    /// Errors found while listing the source.
    pub(super) fn listing_faults(&self) -> &[String] {
        &self.info.listing_faults
    }
}

/// One photograph's sample, unless it is excluded or goes by a name that no file can have.
fn sample(
    item: &Item,
    making: Making<'_>,
    excluded: &Excluded,
    budget: &Budget,
    scratch: &mut Scratch,
) -> std::result::Result<(crate::shard::Sample, crate::prepare::Prepared), NotKept> {
    if let Some(rule) = excluded.rule(&item.split, &item.id) {
        return Err(Rejection::rule(rule, item.id.clone()).into());
    }
    // Ids become names of exported files.
    PlainName::from_str(&item.id).map_err(|e| Rejection::fault("bad-name", e.to_string()))?;
    process(item, making, budget, scratch)
}

fn rejected(number: u64, item: &Item, why: Rejection) -> RejectedItem {
    RejectedItem {
        item: number,
        row: Rejected {
            split: item.split.to_string(),
            source: item.source.clone(),
            fine: item.fine.to_string(),
            rule: why.rule.into(),
            // One line each, whatever a decoder says.
            detail: why.detail.split_whitespace().collect::<Vec<_>>().join(" "),
        },
        fault: why.fault,
    }
}

/// The line for a photograph that is at fault.
pub(super) fn fault(rejected: &RejectedItem) -> Option<String> {
    let Rejected { source, rule, detail, .. } = &rejected.row;
    let advice = match rule.as_str() {
        "unreadable" => "copy the photograph again or remove it",
        "duplicate-id" => "rename or remove one of them",
        "bad-name" => "rename it",
        rule if rule.contains("mask") => "mend or remove the mask",
        _ => "mend or remove its annotation",
    };
    rejected.fault.then(|| format!("{source}: {rule} ({detail}); {advice}"))
}

/// Name and version of this program.
pub(super) fn program() -> String {
    concat!("in9-data ", env!("CARGO_PKG_VERSION")).into()
}

/// The first digits of a digest, for people.
fn short(digest: &str) -> &str {
    digest.get(..16).unwrap_or(digest)
}

/// What must agree between runs and pieces.
fn digest(settings: &Settings, taxonomy: &Taxonomy, listing: &Listing) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(settings.digest(taxonomy).as_bytes());
    for item in &listing.items {
        hasher.update(format!("{},{},{},{}\n", item.split, item.id, item.class, item.source).as_bytes());
    }
    hasher.finalize()
}

fn write_info(path: &Path, info: &Info) -> Result<()> {
    let text = serde_json::to_vec_pretty(info).map_err(|e| Error::write(path, e.into()))?;
    Ok(files::write_bytes(path, text)?)
}

fn read_info(path: &Path) -> Result<Info> {
    let text = files::read_text(path, LONGEST)?;
    let info: Info = serde_json::from_str(&text).map_err(|e| Error::NotOfFormat {
        path: path.into(),
        format: "a piece",
        expected: "what in9-data writes beside the chunks of a piece".into(),
        found: e.to_string(),
        advice: "build the piece again",
    })?;
    info.settings.check(path)?;
    info.taxonomy.check(path)?;
    Ok(info)
}

/// Refuses pieces that do not make up one build.
pub(super) fn check_complete(pieces: &[PieceFolder]) -> Result<()> {
    let Some(first) = pieces.first() else {
        return Err(Error::argument("nothing to merge", "at least one piece", "none", "name the pieces"));
    };
    let mut found = BTreeSet::new();
    for folder in pieces {
        let place = folder.path.join(PIECE);
        let bad = |difference, expected: String, found: String| {
            Err(Error::OtherPiece { path: place.clone(), difference, expected, found })
        };
        let piece = folder.info.piece;
        if folder.info.digest != first.info.digest || folder.info.program != first.info.program {
            return bad("a piece of another build", first.info.digest.clone(), folder.info.digest.clone());
        }
        if piece.of() != first.info.piece.of() {
            let expected = format!("one of {}", first.info.piece.of());
            return bad("a piece of another division", expected, piece.to_string());
        }
        if !found.insert(piece) {
            return bad("a piece given twice", "each piece once".into(), format!("{piece} again"));
        }
    }
    match first.info.piece.all().find(|piece| !found.contains(piece)) {
        None => Ok(()),
        Some(missing) => Err(Error::PieceMissing { path: first.path.clone(), missing }),
    }
}
