//! What was submitted under which names, kept in the output folder so that any machine can ask about it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use in9_base::files;
use serde::{Deserialize, Serialize};

use super::FOLDER;
use crate::error::{Error, Result};
use crate::executor::Executor;

/// No note is longer than this, in bytes.
const LONGEST: u64 = 64 << 20;

/// The scheduler's names of the jobs of each stage, of the last submission in which it had any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Who was given the jobs.
    pub executor: Executor,
    /// Names by stage; the last one's end is the stage's.
    jobs: BTreeMap<String, Vec<String>>,
}

impl Note {
    /// A note of nothing.
    pub fn new(executor: Executor) -> Self {
        Self { executor, jobs: BTreeMap::new() }
    }

    /// The note in the output folder `out`, if there is one.
    ///
    /// # Errors
    /// If it cannot be read, or is none.
    pub fn read(out: &Path) -> Result<Option<Self>> {
        let path = path(out);
        if !path.exists() {
            return Ok(None);
        }
        let note = serde_json::from_slice(&files::read(&path, LONGEST)?);
        note.map(Some).map_err(|error| Error::Note { path, what: error.to_string() })
    }

    /// Writes it into the output folder `out`.
    ///
    /// # Errors
    /// If that is not possible.
    pub fn write(&self, out: &Path) -> Result<()> {
        let path = path(out);
        let text = serde_json::to_vec_pretty(self);
        let text = text.map_err(|error| Error::Note { path: path.clone(), what: error.to_string() })?;
        Ok(files::write_bytes(&path, text)?)
    }

    /// Notes jobs of a stage, beside those of the same submission; `begins` with its first.
    pub(super) fn add(&mut self, stage: &str, ids: Vec<String>) {
        self.jobs.insert(stage.to_owned(), ids);
    }

    /// The job with whose end a stage is done.
    pub fn last(&self, stage: &str) -> Option<&String> {
        self.jobs.get(stage)?.last()
    }

    /// Those of the jobs that are waiting or running.
    ///
    /// # Errors
    /// [`Error::Scheduler`] if the scheduler does not answer.
    pub fn active(&self) -> Result<BTreeSet<String>> {
        let all: BTreeSet<String> = self.jobs.values().flatten().cloned().collect();
        if all.is_empty() { Ok(all) } else { self.executor.active(&all) }
    }
}

fn path(out: &Path) -> PathBuf {
    out.join(FOLDER).join("jobs.json")
}
