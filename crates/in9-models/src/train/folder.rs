//! The folder of a run: whose it is, and which files are in it.

use std::path::{Path, PathBuf};

use in9_base::files::{self, FolderLock, Owner};

use crate::error::{Error, Result};
use crate::train::RunFile;
use crate::train::run_file::{read_run, text, unwritable};

/// What a training writes.
pub const OWNER: Owner = Owner {
    made_by: "in9-models train",
    names: &["run.toml", "log.csv", "checkpoint.safetensors", "model.safetensors", "events.out.tfevents.*"],
};

/// A run's folder that is this process's to write to until it is dropped.
pub(crate) struct RunFolder {
    path: PathBuf,
    _lock: FolderLock,
    /// BLAKE3 of `run.toml`: a checkpoint belongs to one set of settings.
    pub(crate) digest: String,
}

impl RunFolder {
    /// Takes the folder for `run`: makes it, or goes on (`resume`) with the same run in it. Leftovers of a
    /// killed run are cleared. `gpu` is what computes it, if a GPU does: a remark in `run.toml`, since another one may go
    /// on with the run.
    pub(crate) fn take(path: &Path, run: &RunFile, resume: bool, gpu: Option<&str>) -> Result<Self> {
        // A folder that trainings have marked may hold other files by now; only ours are ever written.
        let ours = path.is_dir() && files::mark_of(path)?.is_some_and(|mark| mark.made_by == OWNER.made_by);
        if !ours {
            if path.join("run.toml").is_file() && !resume {
                return Err(Error::RunExists(path.to_owned()));
            }
            OWNER.claim(path)?;
        }
        let lock = FolderLock::take(path)?;
        files::remove_leftovers(path)?;
        let text = text(run)?;
        let settings = path.join("run.toml");
        if settings.exists() {
            if !resume {
                return Err(Error::RunExists(path.to_owned()));
            }
            if let Some(difference) = read_run(&settings)?.difference(run).map_err(unwritable)? {
                return Err(Error::OtherRun { path: settings, difference });
            }
        } else {
            let remark = gpu.map_or_else(String::new, |gpu| format!("# Begun on {gpu}\n"));
            files::write_bytes(&settings, remark + &text)?;
        }
        let digest = blake3::hash(text.as_bytes()).to_hex().to_string();
        Ok(Self { path: path.to_owned(), _lock: lock, digest })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.path.join("checkpoint.safetensors")
    }

    pub(crate) fn model(&self) -> PathBuf {
        self.path.join("model.safetensors")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("log.csv")
    }
}
