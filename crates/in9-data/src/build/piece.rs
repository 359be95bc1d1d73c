//! A piece of a build: the chunks that one process makes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::atomic;
use crate::dataset::tables::Rejected;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::mask::mask_bytes;
use crate::prepare::Scratch;
use crate::sources::Listing;
use crate::taxonomy::Taxonomy;

use super::chunk::{Chunk, Turned, Writer};
use super::process::process;
use super::{BuildReport, Excluded, Progress, Settings, Stage};

/// `piece.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Info {
    program: String,
    /// This piece, counted from 1, and of how many.
    shard: (u32, u32),
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

/// A piece on disk.
pub(super) struct Piece {
    path: PathBuf,
    pub(super) info: Info,
    /// Held while the piece is worked on, so that two processes do not disturb each other.
    _lock: Option<File>,
}

impl Piece {
    /// Starts a piece, or goes on with one that was begun with the same settings.
    pub(super) fn open(
        path: &Path,
        settings: &Settings,
        taxonomy: &Taxonomy,
        listing: &Listing,
        shard: (u32, u32),
    ) -> Result<Self> {
        atomic::create_folder(&path.join("chunks"))?;
        let lock_path = path.join("lock");
        let lock = File::create(&lock_path).map_err(|e| Error::write(&lock_path, e))?;
        if lock.try_lock().is_err() {
            return Err(Error::argument(
                format!("{}: another process is building here", path.display()),
                "one process",
                "two",
                "wait for it, or choose another --out",
            ));
        }
        let items = listing.items.len() as u64;
        let chunk_items = (items / 512).clamp(16, 256);
        let mut splits = BTreeMap::new();
        listing.items.iter().for_each(|item| *splits.entry(item.split.to_string()).or_insert(0) += 1);
        let info = Info {
            program: program(),
            shard,
            chunks: items.div_ceil(chunk_items) as u32,
            chunk_items,
            items,
            digest: digest(settings, taxonomy, listing).to_hex().to_string(),
            listing_faults: listing.faults.clone(),
            splits,
            settings: settings.clone(),
            taxonomy: taxonomy.clone(),
        };
        let piece_path = path.join("piece.json");
        if piece_path.exists() {
            let found = read_info(&piece_path)?;
            if (&found.digest, found.shard, &found.program) != (&info.digest, info.shard, &info.program) {
                return Err(Error::malformed(
                    &piece_path,
                    "an unfinished build with other settings, another program or other photographs",
                    &info.digest[..16],
                    &found.digest[..found.digest.len().min(16)],
                    "remove its folder or choose another --out",
                ));
            }
        } else {
            write_info(&piece_path, &info)?;
        }
        Ok(Self { path: path.into(), info, _lock: Some(lock) })
    }

    /// Reads a finished piece.
    pub(super) fn load(path: &Path) -> Result<Self> {
        Ok(Self { path: path.into(), info: read_info(&path.join("piece.json"))?, _lock: None })
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
        let (shard, shards) = self.info.shard;
        (shard - 1..self.info.chunks).step_by(shards as usize)
    }

    /// Opens all chunks of this piece, with their numbers.
    pub(super) fn open_chunks(&self) -> Result<Vec<(u32, Chunk)>> {
        let (digest, lengths) = (self.digest(), lengths(&self.info.settings));
        self.chunks()
            .map(|chunk| Ok((chunk, Chunk::open(&self.chunk_path(chunk), &digest, lengths)?)))
            .collect()
    }

    /// Makes the chunks that are missing.
    pub(super) fn run(
        &self,
        listing: &Listing,
        settings: &Settings,
        excluded: &Excluded,
        limits: &Limits,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<()> {
        let (digest, lengths) = (self.digest(), lengths(settings));
        let items_of = |chunk: u32| {
            let start = u64::from(chunk) * self.info.chunk_items;
            start..(start + self.info.chunk_items).min(self.info.items)
        };
        let total = self.chunks().map(|chunk| items_of(chunk).count() as u64).sum();
        let done = AtomicU64::new(0);
        let tell = |count: u64| {
            let done = done.fetch_add(count, Ordering::Relaxed) + count;
            progress(Progress { stage: Stage::Photographs, done, total });
        };
        let mut missing = Vec::new();
        for chunk in self.chunks() {
            match Chunk::open(&self.chunk_path(chunk), &digest, lengths) {
                Ok(_) => tell(items_of(chunk).count() as u64),
                // Whatever is wrong with it, it is made again.
                Err(_) => missing.push(chunk),
            }
        }
        let make = |scratch: &mut Scratch, chunk: u32| -> Result<()> {
            let path = self.chunk_path(chunk);
            let partial = path.with_extension("partial");
            let error = |e| Error::write(&path, e);
            let mut writer = Writer::new(BufWriter::new(File::create(&partial).map_err(error)?));
            for number in items_of(chunk) {
                let item = &listing.items[number as usize];
                let turned = |rule: &str, detail: String, fault: bool| Turned {
                    item: number,
                    row: Rejected {
                        split: item.split.to_string(),
                        source: item.source.clone(),
                        fine: item.fine.to_string(),
                        rule: rule.into(),
                        detail,
                    },
                    fault,
                };
                if let Some(rule) = excluded.rule(&item.split, &item.id) {
                    writer.reject(turned(rule, item.id.clone(), false));
                } else {
                    match process(item, settings, limits, scratch) {
                        Ok((sample, prepared)) => writer.accept(number, sample, &prepared).map_err(error)?,
                        Err(why) => {
                            // One line each, whatever a decoder says.
                            let detail = why.detail.split_whitespace().collect::<Vec<_>>().join(" ");
                            writer.reject(turned(why.rule, detail, why.fault));
                        }
                    }
                }
                tell(1);
            }
            writer.seal(&digest).map_err(error)?;
            std::fs::rename(&partial, &path).map_err(error)
        };
        // Each chunk is one thread's work from beginning to end: memory is a photograph a thread.
        missing.into_par_iter().with_max_len(1).map_init(Scratch::default, make).collect::<Result<()>>()?;
        Ok(())
    }

    /// What came of this piece alone.
    pub(super) fn report(&self, listing: &Listing) -> Result<BuildReport> {
        let mut report = BuildReport { faults: listing.faults.clone(), ..BuildReport::default() };
        let mut rules: BTreeMap<(String, String), u64> = BTreeMap::new();
        for (_, chunk) in self.open_chunks()? {
            for turned in &chunk.index.rejected {
                *rules.entry((turned.row.split.clone(), turned.row.rule.clone())).or_default() += 1;
                report.faults.extend(fault(turned));
            }
        }
        report.rejected = rules.into_iter().map(|((split, rule), count)| (split, rule, count)).collect();
        Ok(report)
    }

    /// Errors found while listing the source.
    pub(super) fn listing_faults(&self) -> &[String] {
        &self.info.listing_faults
    }
}

/// The line for a photograph that is at fault.
pub(super) fn fault(turned: &Turned) -> Option<String> {
    let Rejected { source, rule, detail, .. } = &turned.row;
    let advice = match rule.as_str() {
        "unreadable" => "copy the photograph again or remove it",
        "duplicate-id" => "rename or remove one of them",
        rule if rule.contains("mask") => "mend or remove the mask",
        _ => "mend or remove its annotation",
    };
    turned.fault.then(|| format!("{source}: {rule} ({detail}); {advice}"))
}

/// Bytes of a photo, a tiled background and a mask.
fn lengths(settings: &Settings) -> [usize; 3] {
    let size = settings.size as usize;
    match settings.photos_only {
        true => [size * size * 3, 0, 0],
        false => [size * size * 3, size * size * 3, mask_bytes(size)],
    }
}

/// Name and version of this program.
pub(super) fn program() -> String {
    concat!("in9-data ", env!("CARGO_PKG_VERSION")).into()
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
    atomic::write(path, |file| file.write_all(&text))
}

fn read_info(path: &Path) -> Result<Info> {
    let text = std::fs::read(path).map_err(|e| Error::read(path, e))?;
    serde_json::from_slice(&text).map_err(|e| {
        let expected = "what in9-data build --shard writes";
        Error::malformed(path, "not a piece", expected, e.to_string(), "build the piece again")
    })
}

/// Refuses pieces that do not make up one build.
pub(super) fn check_complete(pieces: &[Piece]) -> Result<()> {
    let Some(first) = pieces.first() else {
        return Err(Error::argument("nothing to merge", "at least one piece", "none", "name the pieces"));
    };
    let shards = first.info.shard.1;
    let mut seen = vec![false; shards as usize];
    for piece in pieces {
        let place = piece.path.join("piece.json");
        let bad = |what: &str, expected: String, found: String| {
            Err(Error::malformed(&place, what, expected, found, "merge all pieces of one build, each once"))
        };
        let (shard, of) = piece.info.shard;
        if piece.info.digest != first.info.digest || piece.info.program != first.info.program {
            return bad("a piece of another build", first.info.digest.clone(), piece.info.digest.clone());
        }
        if of != shards || shard == 0 || shard > of {
            return bad("a piece of another division", format!("one of {shards}"), format!("{shard}/{of}"));
        }
        if std::mem::replace(&mut seen[shard as usize - 1], true) {
            return bad("a piece given twice", "each piece once".into(), format!("{shard}/{of} again"));
        }
    }
    match seen.iter().position(|&there| !there) {
        None => Ok(()),
        Some(missing) => Err(Error::argument(
            format!("{}: a piece is missing", first.path.display()),
            format!("all of 1/{shards} to {shards}/{shards}"),
            format!("no {}/{shards}", missing + 1),
            "build it, then merge again",
        )),
    }
}
