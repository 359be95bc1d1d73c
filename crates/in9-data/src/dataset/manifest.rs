//! `manifest.json`: what a dataset was built from, how, and what came of it.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::atomic;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::profile::{MaskSource, Profile};
use crate::taxonomy::Taxonomy;

/// The only version of the manifest there is.
pub(crate) const FORMAT: u32 = 1;

/// Everything about a dataset but its pixels. Holds no absolute path and no time, so that the same
/// build gives the same bytes anywhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this file's format.
    pub format: u32,
    /// Program and version that wrote it.
    pub program: String,
    /// The settings that decide every byte.
    pub settings: Settings,
    /// The splits, sorted by name.
    pub splits: Vec<SplitInfo>,
    /// BLAKE3 (hex) of each file in `pairings/`, by file name.
    pub pairings: BTreeMap<String, String>,
    /// BLAKE3 (hex) of `samples.csv` and `rejected.csv`.
    #[serde(default)]
    pub tables: BTreeMap<String, String>,
    /// The classes.
    pub taxonomy: Taxonomy,
}

/// The settings that decide every byte of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Kind of source: `ilsvrc`, `tiny-imagenet`, `folder`, `toy` or `release`.
    pub source: String,
    /// Literal or clean.
    pub profile: Profile,
    /// Pixels of a side of every stored picture.
    pub size: u32,
    /// The photograph's shorter side is brought to this many pixels before the central square of
    /// `size` is taken.
    pub short_side: u32,
    /// Where masks come from.
    pub masks: MaskSource,
    /// Whether only photographs are stored (for IN-9L and IN-9LB): no box, mask or background.
    pub photos_only: bool,
    /// Seed of every random choice.
    pub seed: u64,
    /// Share of the training photographs moved to split `val`.
    pub holdout: f64,
    /// Most training photographs kept of each class; the rest are dropped at random.
    pub per_class: Option<u32>,
    /// The same for split `test`.
    pub test_per_class: Option<u32>,
    /// Whether every split is brought down to its smallest class.
    pub balance: bool,
    /// Fine labels kept of each class (the first in sorted order), for IN-9LB.
    pub fine_per_class: Option<u32>,
    /// BLAKE3 (hex) of the list of excluded ids, if there is one.
    pub excluded: Option<String>,
}

/// A split and what became of its photographs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitInfo {
    /// Name, such as `train`.
    pub name: String,
    /// Samples kept.
    pub samples: u64,
    /// Samples kept of each class, in the taxonomy's order.
    pub kept: Vec<ClassCount>,
    /// Photographs turned away by each rule, sorted by rule.
    pub rejected: Vec<RuleCount>,
    /// The shards in order.
    pub shards: Vec<ShardInfo>,
}

/// Samples of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCount {
    /// Name of the class.
    pub class: String,
    /// Samples.
    pub count: u64,
}

/// Photographs turned away by a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCount {
    /// Name of the rule.
    pub rule: String,
    /// Photographs.
    pub count: u64,
}

/// A shard of a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardInfo {
    /// File name inside `shards/`.
    pub file: String,
    /// Samples.
    pub samples: u64,
    /// BLAKE3 (hex) of the shard's bytes before its footer, which the footer repeats.
    pub blake3: String,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// If the file cannot be read or is no manifest of this version.
    pub(crate) fn read(path: &Path, limits: &Limits) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(|e| Error::read(path, e))?;
        let mut text = String::new();
        file.take(limits.index_bytes).read_to_string(&mut text).map_err(|e| Error::read(path, e))?;
        let bad = |what: &str, expected: &str, found: String| {
            Err(Error::malformed(path, what, expected, found, "build the dataset again"))
        };
        let manifest: Self = match serde_json::from_str(&text) {
            Ok(manifest) => manifest,
            Err(error) => return bad("not a manifest", "the JSON that in9-data writes", error.to_string()),
        };
        if manifest.format != FORMAT {
            return bad("manifest of another version", "1", manifest.format.to_string());
        }
        let plain =
            |name: &str| !name.is_empty() && !name.contains(['/', '\\', '\0']) && !name.starts_with('.');
        let mut names = manifest.splits.iter().flat_map(|split| {
            std::iter::once(split.name.as_str()).chain(split.shards.iter().map(|shard| shard.file.as_str()))
        });
        if let Some(name) = names.find(|name| !plain(name)) {
            return bad("name of a split or shard", "a plain file name", format!("{name:?}"));
        }
        if manifest.taxonomy.is_empty() || manifest.settings.size == 0 {
            return bad("empty manifest", "classes and a size", "none".into());
        }
        Ok(manifest)
    }

    /// Writes the manifest; it appears whole.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(|e| {
            Error::malformed(
                path,
                "manifest cannot be written",
                "JSON",
                e.to_string(),
                "report this as a bug",
            )
        })?;
        atomic::write(path, |file| {
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")
        })
    }

    /// See [`Dataset::digest`](crate::Dataset::digest).
    pub(crate) fn digest(&self) -> String {
        // The program's version is left out: it changes no byte of what the dataset holds.
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        add(&self.settings.digest_text());
        add(&serde_json::to_string(&self.taxonomy).unwrap_or_default());
        for split in &self.splits {
            add(&split.name);
            split.shards.iter().for_each(|shard| add(&shard.blake3));
        }
        for (name, hash) in &self.pairings {
            add(name);
            add(hash);
        }
        hasher.finalize().to_hex().to_string()
    }
}

impl Settings {
    fn digest_text(&self) -> String {
        // Serialising plain numbers and texts cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// BLAKE3 of the settings and the taxonomy: shards and pieces that differ in it do not belong
    /// together.
    pub(crate) fn digest(&self, taxonomy: &Taxonomy) -> blake3::Hash {
        let taxonomy = serde_json::to_string(taxonomy).unwrap_or_default();
        blake3::hash(format!("{}\n{taxonomy}", self.digest_text()).as_bytes())
    }
}
