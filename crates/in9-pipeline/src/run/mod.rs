//! Runs the stages that are missing, side by side where that helps.

mod alone;
mod command;
mod log;
mod observer;
mod pick;
mod place;
mod scratch;
mod stage;
mod stop;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc;

pub use alone::{Ran, run_alone, run_merge};
pub use command::{arguments, command, shown};
pub use observer::{Ending, Observer, Silent};
pub use place::OutputPlace;
pub use scratch::expanded;
pub use stop::Stop;

use crate::cache::{Cache, State};
use crate::error::{Error, Result};
use crate::graph::Graph;

/// How a run goes about its work; none of it changes a byte of the results.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// Cores to use, at least 1.
    pub jobs: usize,
    /// The user's photographs.
    pub data: Option<PathBuf>,
    /// A folder on this machine's own disk in which outputs are made before they are copied to their places.
    pub scratch: Option<PathBuf>,
    /// What lets a running stage end.
    pub stop: Stop,
}

/// How the stages of a run ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Stages that ran to their end.
    pub ran: usize,
    /// Stages that were done already.
    pub kept: usize,
    /// Stages that left out faulty input.
    pub skips: Vec<String>,
    /// Stages that failed, and why.
    pub failed: Vec<(String, Error)>,
    /// Stages that could not run because an earlier one failed.
    pub blocked: Vec<String>,
}

/// Runs those of `wanted` (places in the graph) that are not done. A failure stops only what depends on it.
///
/// Before anything runs, the places of all outputs and the arguments of all programs are checked. The caller
/// holds the [`OutputPlace`] of the cache's folder.
///
/// # Errors
/// If something stands in an output's place, a program refuses its arguments, an input of a wanted stage is
/// neither done nor wanted, or a stamp cannot be read. A stage that fails is no error of the run.
pub fn run(
    graph: &Graph,
    wanted: &[usize],
    cache: &Cache,
    manner: &Manner,
    observer: &dyn Observer,
) -> Result<Outcome> {
    for stage in &graph.stages {
        cache.recover(stage)?;
    }
    let mut states = cache.states(graph)?;
    for (stage, state) in graph.stages.iter().zip(&states) {
        if let State::Done(stamp) = state {
            cache.refresh(stage, stamp)?;
        }
    }
    let todo: Vec<usize> = wanted.iter().copied().filter(|at| !states[*at].is_done()).collect();
    check(graph, &todo, &states, cache, manner)?;
    for at in &todo {
        if let State::Damaged(path) = &states[*at] {
            let id = &graph.stages[*at].id;
            observer.note(&format!("{id}: {} is not what was written; it is made again", path.display()));
        }
    }
    let mut outcome = Outcome { kept: wanted.len() - todo.len(), ..Outcome::default() };
    let mut open: VecDeque<usize> = todo.into();
    let (sender, ends) = mpsc::channel();
    std::thread::scope(|scope| -> Result<()> {
        let (mut free, mut running) = (manner.jobs, 0);
        while !open.is_empty() || running > 0 {
            let started = pick::pick(graph, &mut open, &mut states, cache, manner.jobs, free, &mut outcome)?;
            for (at, cores) in started {
                let stage = &graph.stages[at];
                let key = cache.key(stage, &states)?;
                let key = key.ok_or_else(|| Error::InputNotDone {
                    stage: stage.id.clone(),
                    input: "one of its inputs".to_owned(),
                })?;
                observer.start(stage, cores);
                free -= cores;
                running += 1;
                let sender = sender.clone();
                scope.spawn(move || {
                    let result = stage::execute(graph, stage, cache, manner, cores, key, observer);
                    // The receiver outlives every sender.
                    let _ = sender.send((at, cores, result));
                });
            }
            if running == 0 {
                continue;
            }
            let Ok((at, cores, result)) = ends.recv() else { break };
            free += cores;
            running -= 1;
            let stage = &graph.stages[at];
            match result {
                Ok(stamp) => {
                    observer.end(stage, Ending::Done);
                    outcome.ran += 1;
                    outcome.skips.extend(stamp.skips.then(|| stage.id.clone()));
                    states[at] = State::Done(Box::new(stamp));
                }
                Err(error) => {
                    observer.end(stage, Ending::Failed(&error));
                    outcome.failed.push((stage.id.clone(), error));
                }
            }
        }
        Ok(())
    })?;
    Ok(outcome)
}

/// Everything that can be found wrong before anything runs.
pub(crate) fn check(
    graph: &Graph,
    todo: &[usize],
    states: &[State],
    cache: &Cache,
    manner: &Manner,
) -> Result<()> {
    let mut commands = Vec::new();
    for at in todo {
        let stage = &graph.stages[*at];
        for input in stage.inputs() {
            if !states[input].is_done() && !todo.contains(&input) {
                return Err(Error::InputNotDone {
                    stage: stage.id.clone(),
                    input: graph.stages[input].id.clone(),
                });
            }
        }
        cache.check_place(stage)?;
        let output = cache.out().join(&stage.output);
        let arguments = arguments(graph, stage, cache, manner, manner.jobs, &output)?;
        let words = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        commands.push((stage.id.clone(), words));
    }
    if commands.is_empty() { Ok(()) } else { cache.programs().check(&commands) }
}
