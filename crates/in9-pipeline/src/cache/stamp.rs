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
    /// Times or places on the disk differ from those in the file, so that everything would be read again.
    #[serde(skip)]
    pub(super) moved: bool,
}

impl Cache<'_> {
    /// The stamp of `stage`; one that cannot be understood is as good as none.
    pub(super) fn read_stamp(&self, stage: &Stage) -> Result<Option<Stamp>> {
        let path = self.stamp_path(stage);
        if std::fs::symlink_metadata(&path).is_err() {
            return Ok(None);
        }
        let stamp: Option<Stamp> = serde_json::from_slice(&files::read(&path, LONGEST)?).ok();
        Ok(stamp.filter(|stamp| stamp.listing.is_sound()))
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
        Ok(files::write(&path, |file| Ok(serde_json::to_writer(file, stamp)?))?)
    }

    pub(super) fn stamp_path(&self, stage: &Stage) -> PathBuf {
        stage.file_in(&self.out.join(".stages"), "json")
    }
}
