//! Which jobs bring about what is missing.

use in9_base::Piece;

use crate::cache::{Cache, State};
use crate::error::Result;
use crate::graph::Graph;
use crate::recipe::{Cluster, Resources};

/// Something that a scheduler is given under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The stage's id.
    pub stage: String,
    /// What of it.
    pub task: Task,
    /// What it needs.
    pub resources: Resources,
    /// Whether it needs a GPU, where the resources do not say.
    pub gpu: bool,
    /// Places of the jobs in the list that must have ended well before.
    pub after: Vec<usize>,
    /// Stages beyond these that must be done before, some of which may be under way.
    pub waits_for: Vec<String>,
    /// The scheduler's names for it, if it is at work already.
    pub submitted: Vec<String>,
}

/// What of a stage a job does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// All of it.
    Whole,
    /// Some of its pieces, each by a process of its own.
    Pieces {
        /// How many pieces the stage is divided into.
        of: u32,
        /// The numbers of those that are missing, ascending, at least one.
        numbers: Vec<u32>,
    },
    /// Its pieces are joined.
    Merge {
        /// How many pieces there are.
        of: u32,
    },
}

impl Task {
    /// How many processes that is.
    pub fn count(&self) -> usize {
        if let Self::Pieces { numbers, .. } = self { numbers.len() } else { 1 }
    }

    /// The first piece of all, of a divided stage.
    pub(crate) fn whole(&self) -> Option<Piece> {
        match self {
            Self::Whole => None,
            Self::Pieces { of, .. } | Self::Merge { of } => Piece::new(1, *of).ok(),
        }
    }
}

/// The jobs that bring about the stages `todo` (places in the graph, ascending): of a divided stage those pieces that are
/// missing and, behind them, what joins them.
///
/// # Errors
/// If a stamp or an output cannot be read.
pub fn jobs(
    cluster: &Cluster,
    graph: &Graph,
    todo: &[usize],
    states: &[State],
    cache: &Cache,
) -> Result<Vec<Job>> {
    let mut jobs: Vec<Job> = Vec::new();
    // The place of the job with which each stage is done.
    let mut ends: Vec<Option<usize>> = vec![None; graph.stages.len()];
    for at in todo.iter().copied() {
        let stage = &graph.stages[at];
        let after: Vec<usize> = stage.inputs().into_iter().filter_map(|input| ends[input]).collect();
        let others = stage.inputs().into_iter().filter(|input| ends[*input].is_none());
        let waits_for: Vec<String> = others.map(|input| graph.stages[input].id.clone()).collect();
        let resources = cluster.of(stage);
        let of = resources.pieces.filter(|_| stage.is_divisible()).unwrap_or(1);
        let gpu = stage.kind.runs_a_network() && stage.is_on_a_gpu();
        let mut add = |task, resources, gpu, after, waits_for| {
            let (stage, submitted) = (stage.id.clone(), Vec::new());
            jobs.push(Job { stage, task, resources, gpu, after, waits_for, submitted });
            jobs.len() - 1
        };
        let Some(first) = Piece::new(1, of).ok().filter(|_| of > 1) else {
            ends[at] = Some(add(Task::Whole, resources, gpu, after, waits_for));
            continue;
        };
        let numbers = cache.missing_pieces(stage, first, states)?;
        let merge = (Task::Merge { of }, cluster.of_merge());
        ends[at] = Some(if numbers.is_empty() {
            add(merge.0, merge.1, false, after, waits_for)
        } else {
            let pieces = add(Task::Pieces { of, numbers }, resources, gpu, after, waits_for);
            add(merge.0, merge.1, false, vec![pieces], Vec::new())
        });
    }
    Ok(jobs)
}
