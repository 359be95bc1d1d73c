//! A run that is left to a scheduler: what is missing becomes jobs that wait for each other, all submitted at once.
//!
//! Nothing stays behind where they were submitted from. Each job finds in the output folder what it has to do
//! ([`Submission`]) and what is done (the stamps), so that any of them can be started again, by the scheduler or by hand.

mod note;
mod submission;
mod work;

pub use note::Note;
pub use submission::Submission;
pub(crate) use submission::{FOLDER, program};
pub use work::{Job, Task, jobs};

use std::collections::BTreeSet;

use crate::cache::{Cache, State};
use crate::error::{Error, Result};
use crate::executor::Executor;
use crate::graph::Graph;
use crate::run::{self, Manner};

/// What was submitted.
#[derive(Debug, Default)]
pub struct Submitted {
    /// Stages that were done already.
    pub kept: usize,
    /// Stages whose jobs of an earlier submission are still waiting or running.
    pub under_way: usize,
    /// The jobs, each with the scheduler's names for it.
    pub jobs: Vec<(Job, Vec<String>)>,
}

impl Submitted {
    /// How many pieces and undivided stages will run.
    pub fn tasks(&self) -> usize {
        self.jobs.iter().map(|(job, _)| job.task.count()).sum()
    }
}

/// Submits those of `wanted` (places in the graph) that are neither done nor under way. The caller holds the
/// [`run::OutputPlace`] of the cache's folder.
///
/// Before anything is submitted, the places of all outputs and the arguments of all programs are checked, as
/// [`run::run`] does.
///
/// # Errors
/// As [`run::run`]; [`Error::Scheduler`] if the scheduler refuses a job, after which the jobs submitted before stay;
/// [`Error::StillSubmitted`] if jobs of an earlier submission that are at work cannot be waited for.
pub fn submit(
    submission: &Submission,
    graph: &Graph,
    wanted: &[usize],
    cache: &Cache,
    manner: &Manner,
) -> Result<Submitted> {
    let mut note = Note::read(cache.out())?.unwrap_or_else(|| Note::new(submission.executor));
    let active = note.active()?;
    let same = Submission::read(cache.out())?.is_some_and(|earlier| earlier.gives_the_same_jobs(submission));
    let waits = submission.executor == Executor::Slurm && note.executor == Executor::Slurm;
    let may_wait = same && waits;
    if !active.is_empty() && !may_wait {
        return Err(Error::StillSubmitted { jobs: active.into_iter().collect() });
    }
    note.executor = submission.executor;
    for stage in &graph.stages {
        // What a job is at is the job's.
        if !note.last(&stage.id).is_some_and(|id| active.contains(id)) {
            cache.recover(stage)?;
        }
    }
    let states = cache.states(graph)?;
    let todo: Vec<usize> = wanted.iter().copied().filter(|at| !states[*at].is_done()).collect();
    let (under_way, todo): (Vec<usize>, Vec<usize>) = todo
        .into_iter()
        .partition(|at| note.last(&graph.stages[*at].id).is_some_and(|id| active.contains(id)));
    let mut jobs = checked_jobs(submission, graph, &todo, &under_way, &states, cache, manner)?;
    for job in jobs.iter_mut().filter(|job| matches!(job.task, Task::Pieces { .. })) {
        let ids = note.unjoined(&job.stage).iter().filter(|id| active.contains(*id));
        job.submitted = ids.cloned().collect();
    }
    submission.write(cache)?;
    let mut submitted = Submitted {
        kept: wanted.len() - todo.len() - under_way.len(),
        under_way: under_way.len(),
        jobs: Vec::new(),
    };
    let after = |job: &Job| -> Vec<String> {
        let ids = job.waits_for.iter().filter_map(|stage| note.last(stage));
        ids.filter(|id| active.contains(*id)).cloned().collect()
    };
    let earlier: Vec<Vec<String>> = jobs.iter().map(after).collect();
    submission.executor.submit(&jobs, &earlier, submission, cache, &mut |job, ids| {
        note.add(job, ids.clone());
        submitted.jobs.push((job.clone(), ids));
        note.write(cache.out())
    })?;
    Ok(submitted)
}

/// The jobs of `todo`, once everything that can be found wrong before anything runs was looked for.
pub fn checked_jobs(
    submission: &Submission,
    graph: &Graph,
    todo: &[usize],
    under_way: &[usize],
    states: &[State],
    cache: &Cache,
    manner: &Manner,
) -> Result<Vec<Job>> {
    let known: BTreeSet<usize> = todo.iter().chain(under_way).copied().collect();
    let known: Vec<usize> = known.into_iter().collect();
    run::check(graph, &known, states, cache, manner)?;
    let jobs = jobs(&submission.cluster, graph, todo, states, cache)?;
    let mut commands = Vec::new();
    for job in &jobs {
        let (Some(of), Some(at)) = (job.task.whole(), graph.stages.iter().position(|s| s.id == job.stage))
        else {
            continue;
        };
        let stage = &graph.stages[at];
        let stage = if matches!(job.task, Task::Merge { .. }) { stage.merge(of) } else { stage.piece(of) };
        let output = cache.out().join(&stage.output);
        let words = run::arguments(graph, &stage, cache, manner, manner.jobs.max(1), &output)?;
        commands.push((job.stage.clone(), words.iter().map(|w| w.to_string_lossy().into_owned()).collect()));
    }
    if !commands.is_empty() {
        cache.programs().check(&commands)?;
    }
    Ok(jobs)
}
