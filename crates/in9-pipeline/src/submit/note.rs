//! What was submitted under which names, kept in the output folder so that any machine can ask about it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use in9_base::files;
use serde::{Deserialize, Serialize};

use super::{FOLDER, Job, Task};
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
    jobs: BTreeMap<String, Noted>,
}

/// The jobs of a stage that were submitted last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Noted {
    ids: Vec<String>,
    /// Whether the stage is done when they are; pieces have yet to be joined.
    last: bool,
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

    /// Notes that `job` was submitted as `ids`.
    pub(super) fn add(&mut self, job: &Job, ids: Vec<String>) {
        let last = !matches!(job.task, Task::Pieces { .. });
        self.jobs.insert(job.stage.clone(), Noted { ids, last });
    }

    /// The job with whose end `stage` is done.
    pub fn last(&self, stage: &str) -> Option<&String> {
        self.jobs.get(stage).filter(|noted| noted.last)?.ids.last()
    }

    /// The arrays of the pieces of `stage`, where whoever submitted them came to no more.
    pub(super) fn unjoined(&self, stage: &str) -> &[String] {
        self.jobs.get(stage).filter(|noted| !noted.last).map_or(&[], |noted| &noted.ids)
    }

    /// Whether anything was submitted of `stage`.
    pub fn has(&self, stage: &str) -> bool {
        self.jobs.contains_key(stage)
    }

    /// Those of the jobs that are waiting or running.
    ///
    /// # Errors
    /// [`Error::Scheduler`] if the scheduler does not answer.
    pub fn active(&self) -> Result<BTreeSet<String>> {
        let all: BTreeSet<String> = self.jobs.values().flat_map(|noted| noted.ids.clone()).collect();
        if all.is_empty() { Ok(all) } else { self.executor.active(&all) }
    }
}

fn path(out: &Path) -> PathBuf {
    out.join(FOLDER).join("jobs.json")
}
