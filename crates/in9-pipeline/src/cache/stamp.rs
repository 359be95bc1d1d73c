//! The note that is written when a stage has ended well.

use std::path::PathBuf;

use in9_base::files;
use serde::{Deserialize, Serialize};

use super::{Cache, Listing};
use crate::error::Result;
use crate::graph::Stage;

/// No stamp is longer than this, in bytes: about a million files.
const LONGEST: u64 = 256 << 20;

/// Written when a stage has ended well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stamp {
    /// What the stage depended on.
    pub key: String,
    /// Digest of the output's contents.
    pub digest: String,
    /// How long the stage took.
    pub seconds: f64,
    /// The program reported faulty input that it left out (exit code 3).
    pub skips: bool,
    /// What was written.
    pub listing: Listing,
    /// BLAKE3 of the rest (but for the seconds), so that a stamp that has changed since counts as none.
    #[serde(default)]
    pub(super) seal: String,
    /// Times or places on the disk differ from those in the file, so that everything would be read again.
    #[serde(skip)]
    pub(super) moved: bool,
}

impl Stamp {
    /// A stamp of an output that has just been written.
    pub(super) fn new(key: String, listing: Listing, seconds: f64, skips: bool) -> Self {
        let digest = listing.digest();
        Self { key, digest, seconds, skips, listing, seal: String::new(), moved: false }
    }

    fn sealed(&self) -> serde_json::Result<String> {
        let text = serde_json::to_vec(&(&self.key, &self.digest, self.skips, &self.listing))?;
        Ok(blake3::hash(&text).to_hex().to_string())
    }

    fn is_sound(&self) -> bool {
        self.listing.is_sound() && self.sealed().is_ok_and(|seal| seal == self.seal)
    }
}

impl Cache<'_> {
    /// The stamp of `stage`; one that cannot be understood is as good as none.
    pub(super) fn read_stamp(&self, stage: &Stage) -> Result<Option<Stamp>> {
        let path = self.stamp_path(stage);
        if std::fs::symlink_metadata(&path).is_err() {
            return Ok(None);
        }
        let stamp: Option<Stamp> = serde_json::from_slice(&files::read(&path, LONGEST)?).ok();
        Ok(stamp.filter(Stamp::is_sound))
    }

    /// Writes down times and places on the disk that have changed under the same bytes.
    ///
    /// # Errors
    /// If the stamp cannot be written.
    pub fn refresh(&self, stage: &Stage, stamp: &Stamp) -> Result<()> {
        if stamp.moved { self.write_stamp(stage, stamp) } else { Ok(()) }
    }

    pub(super) fn write_stamp(&self, stage: &Stage, stamp: &Stamp) -> Result<()> {
        let path = self.stamp_path(stage);
        files::create_folder(files::parent(&path))?;
        let write = |file: &mut dyn std::io::Write| {
            let seal = stamp.sealed()?;
            Ok(serde_json::to_writer(file, &Stamp { seal, ..stamp.clone() })?)
        };
        Ok(files::write(&path, write)?)
    }

    pub(super) fn stamp_path(&self, stage: &Stage) -> PathBuf {
        stage.file_in(&self.out.join(".stages"), "json")
    }
}
