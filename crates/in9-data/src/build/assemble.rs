//! Chunks to the finished directory.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use in9_base::files;
use rayon::prelude::*;

use crate::dataset::{ClassCount, DATASET, MANIFEST, Manifest, RuleCount, ShardInfo, SplitInfo, tables};
use crate::error::{Error, Result};
use crate::hashing::Hashing;
use crate::pairing::{Pairing, PairingPolicy, draw, pairing_name, pairing_path};
use crate::shard::{self, Planes, Sample, Shard};
use crate::view::View;

use super::chunk::{Chunk, RejectedItem};
use super::piece_folder::{Info, PieceFolder, fault, program};
use super::select::{Accepted, Splits, select};
use super::{BuildReport, Progress, Stage};

/// Bytes of layers that a shard is filled with.
const SHARD_BYTES: usize = 256 << 20;

/// Writes the dataset that the pieces hold into `out`.
pub(super) fn assemble(
    pieces: &[PieceFolder],
    out: &Path,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<BuildReport> {
    let mut chunks = Vec::new();
    for piece in pieces {
        chunks.extend(piece.open_chunks()?);
    }
    chunks.sort_by_key(|(number, _)| *number);
    let info = &pieces[0].info;
    let mut accepted = Splits::new();
    let mut rejected: Vec<RejectedItem> = Vec::new();
    for (at, (_, chunk)) in chunks.iter().enumerate() {
        for (within, (item, sample)) in chunk.index.accepted.iter().enumerate() {
            let split = info.split_of(*item);
            accepted.entry(split.into()).or_default().push(Accepted {
                item: *item,
                sample,
                place: (at, within),
            });
        }
        rejected.extend(chunk.index.rejected.iter().cloned());
    }
    let splits = select(accepted, info.taxonomy.len(), &info.settings, &mut rejected);
    rejected.sort_by(|a, b| (a.item, &a.row.rule).cmp(&(b.item, &b.row.rule)));
    if splits.values().all(|samples| samples.is_empty()) {
        return Err(nothing_kept(&rejected, pieces[0].listing_faults()));
    }

    // Shards go to their final place; those of an interrupted assembly are taken over.
    DATASET.claim(out)?;
    files::create_folder(&out.join("shards"))?;
    files::create_folder(&out.join("pairings"))?;
    let shards = write_shards(info, &chunks, &splits, out, progress)?;
    let pairings = write_pairings(info, &splits, out)?;
    let tables = write_tables(info, &splits, &rejected, out)?;
    let manifest = Manifest { pairings, tables, ..manifest(info, &splits, &rejected, shards) };
    manifest.write(&out.join(MANIFEST))?;
    files::sync_folder(out)?;

    let mut report = BuildReport { faults: pieces[0].listing_faults().to_vec(), ..BuildReport::default() };
    report.faults.extend(rejected.iter().filter_map(fault));
    for split in &manifest.splits {
        report.samples.push((split.name.clone(), split.samples));
        report.rejected.extend(split.rejected.iter().map(|r| (split.name.clone(), r.rule.clone(), r.count)));
        for class in split.kept.iter().filter(|class| class.count == 0) {
            report.faults.push(format!(
                "split {}: class {} is empty (expected at least 1 sample, found 0); \
                 add photographs, or leave the class out of the taxonomy",
                split.name, class.class
            ));
        }
    }
    Ok(report)
}

type Opened = [(u32, Chunk)];

fn write_shards(
    info: &Info,
    chunks: &Opened,
    splits: &Splits<'_>,
    out: &Path,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<BTreeMap<String, Vec<ShardInfo>>> {
    let settings = &info.settings;
    let per_shard = |split: &str| {
        let size = settings.side(split) as usize;
        let record = if settings.photos_only { size * size * 3 } else { size * size * 6 + size * size / 8 };
        (SHARD_BYTES / record).clamp(1, 65_536)
    };
    let jobs: Vec<(&str, usize, &[Accepted<'_>])> = splits
        .iter()
        .flat_map(|(split, list)| {
            list.chunks(per_shard(split)).enumerate().map(|(n, part)| (split.as_str(), n, part))
        })
        .collect();
    let (done, total) = (AtomicU64::new(0), jobs.len() as u64);
    let digest = *settings.digest(&info.taxonomy).as_bytes();
    let written = jobs
        .par_iter()
        .with_max_len(1)
        .map(|(split, number, part)| {
            let file = format!("{split}-{number:05}.in9");
            let path = out.join("shards").join(&file);
            let samples: Vec<Sample> = part.iter().map(|a| a.sample.clone()).collect();
            let there = Shard::open(&path, &crate::Limits::default()).ok().filter(|shard| {
                shard.settings() == digest && shard.samples() == samples && shard.verify().is_ok()
            });
            let hash = match there {
                Some(shard) => shard.hash(),
                None => {
                    let planes = Planes { layers: !settings.photos_only };
                    let classes = info.taxonomy.len() as u32;
                    shard::write(&path, settings.side(split), classes, planes, digest, &samples, |i| {
                        let (chunk, within) = part[i].place;
                        Ok(chunks[chunk].1.record(within))
                    })?
                }
            };
            progress(Progress {
                stage: Stage::Shards,
                done: done.fetch_add(1, Ordering::Relaxed) + 1,
                total,
            });
            let info = ShardInfo { file, samples: part.len() as u64, blake3: hash.to_hex().to_string() };
            Ok((split.to_string(), info))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut shards: BTreeMap<String, Vec<ShardInfo>> = BTreeMap::new();
    for (split, info) in written {
        shards.entry(split).or_default().push(info);
    }
    Ok(shards)
}

fn write_pairings(info: &Info, splits: &Splits<'_>, out: &Path) -> Result<BTreeMap<String, String>> {
    let mut hashes = BTreeMap::new();
    let policy = PairingPolicy::of_settings(&info.settings);
    for (split, list) in splits {
        if info.settings.photos_only || list.is_empty() {
            continue;
        }
        let samples: Vec<(&str, u16)> = list.iter().map(|a| (a.sample.id.as_str(), a.sample.class)).collect();
        let ids: Vec<&str> = samples.iter().map(|(id, _)| *id).collect();
        for view in View::MIXED {
            let pairing = Pairing(draw(&samples, info.taxonomy.len(), view, info.settings.seed, 0, policy));
            let path = pairing_path(out, split, view);
            let hash = save_pairing(&pairing, &ids, &path)?;
            hashes.insert(pairing_name(split, view), hash);
        }
    }
    Ok(hashes)
}

/// Writes a pairing and returns its BLAKE3 (hex).
pub(crate) fn save_pairing(pairing: &Pairing, ids: &[&str], path: &Path) -> Result<String> {
    let mut text = Vec::new();
    pairing.write_csv(&mut text, ids).map_err(|e| Error::write(path, e))?;
    files::write(path, |file| file.write_all(&text))?;
    Ok(blake3::hash(&text).to_hex().to_string())
}

/// The rule that most photographs fell to, when all of them fell.
fn nothing_kept(rejected: &[RejectedItem], listing_faults: &[String]) -> Error {
    let mut rules: BTreeMap<&str, u64> = BTreeMap::new();
    for item in rejected {
        *rules.entry(&item.row.rule).or_default() += 1;
    }
    let (rule, count) = rules.into_iter().max_by_key(|(_, count)| *count).unwrap_or_default();
    let example = rejected.iter().find(|item| item.row.rule == rule);
    Error::NothingKept {
        photographs: rejected.len() as u64,
        rule: rule.to_owned(),
        count,
        example: example.map(|item| item.row.source.clone()).unwrap_or_default(),
        faults: listing_faults.iter().cloned().chain(rejected.iter().filter_map(fault)).collect(),
    }
}

/// Writes the tables and returns the BLAKE3 (hex) of each.
fn write_tables(
    info: &Info,
    splits: &Splits<'_>,
    rejected: &[RejectedItem],
    out: &Path,
) -> Result<BTreeMap<String, String>> {
    let class_name = |class: u16| info.taxonomy.classes[usize::from(class)].name.as_str();
    let samples = splits.iter().flat_map(|(split, list)| {
        list.iter()
            .enumerate()
            .map(move |(index, a)| (split.as_str(), index, a.sample, class_name(a.sample.class)))
    });
    let samples = save_table(&out.join("samples.csv"), |file| tables::write_samples(file, samples))?;
    let rejected = rejected.iter().map(|item| &item.row);
    let rejected = save_table(&out.join("rejected.csv"), |file| tables::write_rejected(file, rejected))?;
    Ok([("samples.csv".into(), samples), ("rejected.csv".into(), rejected)].into())
}

/// Writes a table row by row and returns its BLAKE3 (hex).
fn save_table(path: &Path, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<String> {
    let mut hash = String::new();
    files::write(path, |file| {
        let mut hashing = Hashing::new(file);
        fill(&mut hashing)?;
        hash = hashing.hash().to_hex().to_string();
        Ok(())
    })?;
    Ok(hash)
}

/// What became of every photograph; hashes of pairings and tables are not filled in.
fn manifest(
    info: &Info,
    splits: &Splits<'_>,
    rejected: &[RejectedItem],
    mut shards: BTreeMap<String, Vec<ShardInfo>>,
) -> Manifest {
    let mut rules: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for item in rejected {
        *rules.entry((&item.row.split, &item.row.rule)).or_default() += 1;
    }
    // A split whose photographs were all rejected is listed, empty.
    let names: std::collections::BTreeSet<&str> =
        splits.keys().map(String::as_str).chain(rules.keys().map(|(split, _)| *split)).collect();
    let split_info = |name: &str| {
        let list = splits.get(name).map(Vec::as_slice).unwrap_or_default();
        let mut counts = vec![0u64; info.taxonomy.len()];
        list.iter().for_each(|a| counts[usize::from(a.sample.class)] += 1);
        let kept = info.taxonomy.classes.iter().zip(counts);
        let rejected = rules.iter().filter(|((split, _), _)| *split == name);
        SplitInfo {
            name: name.into(),
            samples: list.len() as u64,
            kept: kept.map(|(class, count)| ClassCount { class: class.name.clone(), count }).collect(),
            rejected: rejected.map(|((_, rule), &count)| RuleCount { rule: (*rule).into(), count }).collect(),
            shards: shards.remove(name).unwrap_or_default(),
        }
    };
    let split_infos = names.into_iter().map(split_info).collect();
    Manifest {
        format: crate::dataset::FORMAT,
        program: program(),
        settings: info.settings.clone(),
        splits: split_infos,
        pairings: BTreeMap::new(),
        tables: BTreeMap::new(),
        taxonomy: info.taxonomy.clone(),
        seal: String::new(),
    }
}
