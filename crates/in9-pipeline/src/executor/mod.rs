//! Who runs the stages: this machine, or a scheduler that is given jobs.

mod hyperqueue;
mod slurm;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::submit::{Job, Submission, Task};

/// Schedulers place, requeue and account; they are given jobs and left alone. They need an output folder that every node
/// sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Executor {
    /// On this machine.
    Local,
    /// Slurm: an array a divided stage, and a job that joins its pieces.
    Slurm,
    /// HyperQueue: one job whose tasks wait for each other.
    Hyperqueue,
}

impl Executor {
    /// Submits `jobs`, each behind those that it names and behind `earlier` ones of the scheduler's. `note` hears of each
    /// job, and the names that it has at the scheduler.
    pub(crate) fn submit(
        self,
        jobs: &[Job],
        earlier: &[Vec<String>],
        submission: &Submission,
        cache: &Cache,
        note: &mut dyn FnMut(&Job, Vec<String>) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Local => Ok(()),
            Self::Slurm => slurm::submit(jobs, earlier, submission, cache, note),
            Self::Hyperqueue => hyperqueue::submit(jobs, submission, cache, note),
        }
    }

    /// The commands and files with which `jobs` would be submitted, as text.
    ///
    /// # Errors
    /// If a job cannot be put into words.
    pub fn described(self, jobs: &[Job], submission: &Submission, cache: &Cache) -> Result<String> {
        match self {
            Self::Local => Ok(String::new()),
            Self::Slurm => Ok(slurm::described(jobs, submission, cache)),
            Self::Hyperqueue => hyperqueue::definition(jobs, submission, cache),
        }
    }

    /// Those of the scheduler's jobs `ids` that are waiting or running.
    pub(crate) fn active(self, ids: &BTreeSet<String>) -> Result<BTreeSet<String>> {
        match self {
            Self::Local => Ok(BTreeSet::new()),
            Self::Slurm => slurm::active(ids),
            Self::Hyperqueue => hyperqueue::active(ids),
        }
    }
}

/// Has the job that this process runs in started again, which ends the process; without a scheduler that can, nothing
/// happens. HyperQueue starts a task again by itself when its worker is gone.
///
/// # Errors
/// [`Error::Scheduler`] if it refuses.
pub fn requeue() -> Result<()> {
    slurm::requeue(&|name| std::env::var(name).ok())
}

/// The words after the program with which a job does its task; `number` is that of a piece.
fn words(job: &Job, number: Option<&str>, submission: &Submission, cache: &Cache) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["pieces".into()];
    words.push(if matches!(job.task, Task::Merge { .. }) { "merge" } else { "run" }.into());
    words.push(cache.out().into());
    words.extend(["--stage".into(), job.stage.clone().into()]);
    match &job.task {
        Task::Whole => {}
        Task::Pieces { of, .. } => {
            words.extend(["--shard".into(), format!("{}/{of}", number.unwrap_or_default()).into()]);
        }
        Task::Merge { of } => words.extend(["--of".into(), of.to_string().into()]),
    }
    if let Some(scratch) = &submission.cluster.scratch {
        words.extend(["--scratch".into(), scratch.into()]);
    }
    words
}

/// What `command` prints on standard output when it ends well.
fn output(command: &mut Command) -> Result<String> {
    let name = crate::run::shown(command);
    let ran = command.stdin(Stdio::null()).output();
    let ran = ran.map_err(|error| Error::Scheduler { command: name.clone(), said: error.to_string() })?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr).trim().replace('\n', " ");
        let said = if said.is_empty() { ran.status.to_string() } else { said };
        return Err(Error::Scheduler { command: name, said });
    }
    Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
}
