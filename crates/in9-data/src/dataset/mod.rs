//! A dataset directory: manifest, tables, shards, pairings.
//!
//! ```text
//! DATASET/manifest.json         settings, taxonomy, counts, hashes of everything else, its own seal
//! DATASET/samples.csv           one row a sample
//! DATASET/rejected.csv          one row a rejected photograph, with the rule
//! DATASET/shards/SPLIT-00000.in9
//! DATASET/pairings/SPLIT-VIEW.csv
//! DATASET/.in9-output.json      whose the folder is: the mark of everything that may be replaced
//! ```

mod manifest;
mod settings;
mod split;
pub(crate) mod tables;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::shard::Shard;
use crate::taxonomy::Taxonomy;

pub use manifest::{ClassCount, Manifest, RuleCount, ShardInfo, SplitInfo};
pub(crate) use manifest::{FORMAT, NAME as MANIFEST};
pub use settings::Settings;
pub use split::{SoundSplit, Split};

/// Which files belong to a dataset.
pub(crate) const DATASET: in9_base::files::Owner = in9_base::files::Owner {
    made_by: "in9-data",
    names: &[MANIFEST, "samples.csv", "rejected.csv", "differences.csv", "shards/*.in9", "pairings/*.csv"],
};

/// An open dataset directory.
#[derive(Debug, Clone)]
pub struct Dataset {
    path: PathBuf,
    manifest: Arc<Manifest>,
    limits: Limits,
}

impl Dataset {
    /// Opens a dataset directory: reads its manifest; shards are opened by [`Dataset::split`].
    ///
    /// # Errors
    /// If there is no manifest, it is not one, or it was changed after it was written.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, &Limits::default())
    }

    /// Opens a dataset directory under other limits.
    ///
    /// # Errors
    /// As [`Dataset::open`].
    pub fn open_with(path: &Path, limits: &Limits) -> Result<Self> {
        let manifest = Manifest::read(&path.join(MANIFEST))?;
        Ok(Self { path: path.into(), manifest: Arc::new(manifest), limits: *limits })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The dataset's name in tables, unless somebody chooses another: that of its folder.
    pub fn name(&self) -> String {
        let whole = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        whole.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// What the dataset was built from and holds.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The classes.
    pub fn taxonomy(&self) -> &Taxonomy {
        &self.manifest.taxonomy
    }

    /// Names of the splits, sorted.
    pub fn splits(&self) -> Vec<&str> {
        self.manifest.splits.iter().map(|split| split.name.as_str()).collect()
    }

    /// BLAKE3 (hex) of what the dataset holds: settings, taxonomy, every shard and pairing. Two
    /// datasets with the same digest give the same pictures.
    pub fn digest(&self) -> String {
        self.manifest.digest()
    }

    /// Opens the shards of a split and checks that they are those of the manifest.
    ///
    /// # Errors
    /// If there is no such split, or a shard is missing, damaged, or of another dataset.
    pub fn split(&self, name: &str) -> Result<Split> {
        let info = self.manifest.splits.iter().find(|split| split.name == name).ok_or_else(|| {
            Error::Unknown { what: "split", known: self.splits().join(", "), found: name.into() }
        })?;
        let shards = info.shards.iter().map(|shard| self.shard(name, shard)).collect::<Result<Vec<_>>>()?;
        Ok(Split::new(name, &self.manifest, shards))
    }

    /// Opens a split: the one that is named, else `test`, else the only one that there is.
    ///
    /// # Errors
    /// As [`Dataset::split`]; and if none is named and several could be meant.
    pub fn split_or_usual(&self, name: Option<&str>) -> Result<Split> {
        let names = self.splits();
        match (name, names.as_slice()) {
            (Some(name), _) => self.split(name),
            (None, [only]) => self.split(only),
            (None, _) => self.split("test"),
        }
    }

    fn shard(&self, split: &str, info: &ShardInfo) -> Result<Shard> {
        let path = self.path.join("shards").join(&info.file);
        let shard = Shard::open(&path, &self.limits)?;
        let settings = &self.manifest.settings;
        let bad = |difference, expected: String, found: String| {
            Err(Error::OtherDataset { path: path.clone(), difference, expected, found })
        };
        if shard.hash().to_hex().as_str() != info.blake3 {
            return bad("not the manifest's shard", info.blake3.clone(), shard.hash().to_string());
        }
        let digest = settings.digest(&self.manifest.taxonomy);
        if shard.settings() != *digest.as_bytes() {
            let found = blake3::Hash::from_bytes(shard.settings()).to_hex().to_string();
            return bad("a shard of other settings or classes", digest.to_hex().to_string(), found);
        }
        let size = settings.side(split);
        if shard.size() != size as usize || shard.classes() != self.manifest.taxonomy.len() {
            let expected = format!("size {size}, {} classes", self.manifest.taxonomy.len());
            return bad(
                "another geometry",
                expected,
                format!("size {}, {} classes", shard.size(), shard.classes()),
            );
        }
        if shard.len() as u64 != info.samples || shard.has_layers() == settings.photos_only {
            let expected = format!("{} samples, photographs only: {}", info.samples, settings.photos_only);
            return bad("another content", expected, format!("{}, {}", shard.len(), !shard.has_layers()));
        }
        Ok(shard)
    }
}
