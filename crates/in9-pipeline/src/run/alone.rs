//! One stage, or one piece of it, by itself: what a job of a scheduler runs.
//!
//! Nothing is taken from whoever submitted the job: what is done, and what the stage depends on, is read from the output
//! folder. Jobs of one output folder run side by side, each in places of its own.

use std::fs;

use in9_base::{Piece, files};

use super::stage::execute;
use super::{Manner, Observer};
use crate::cache::{Cache, Stamp, State};
use crate::error::{Error, Result};
use crate::graph::{Graph, Stage};

/// What came of a job.
#[derive(Debug)]
pub enum Ran {
    /// It has done its work.
    Now(Box<Stamp>),
    /// It was done already, so that nothing was left to do.
    Before,
}

/// Runs `piece` of the stage at place `at`; [`Piece::WHOLE`] is the stage itself.
///
/// # Errors
/// [`Error::InputNotDone`] if something that the stage reads is not done; otherwise whatever makes a stage fail.
pub fn run_alone(
    graph: &Graph,
    at: usize,
    piece: Piece,
    cache: &Cache,
    manner: &Manner,
    observer: &dyn Observer,
) -> Result<Ran> {
    let whole = &graph.stages[at];
    cache.recover(whole)?;
    let states = cache.states_before(graph, at)?;
    if cache.state(whole, &states)?.is_done() {
        return Ok(Ran::Before);
    }
    let stage = if piece == Piece::WHOLE { whole.clone() } else { whole.piece(piece) };
    if piece != Piece::WHOLE {
        cache.recover(&stage)?;
        if cache.state(&stage, &states)?.is_done() {
            return Ok(Ran::Before);
        }
    }
    let key = key_of(graph, &stage, cache, &states)?;
    cache.check_place(&stage)?;
    observer.start(&stage, manner.jobs);
    execute(graph, &stage, cache, manner, manner.jobs, key, observer).map(|stamp| Ran::Now(Box::new(stamp)))
}

/// Joins the pieces of the stage at place `at`, which was divided into as many as `piece`'s work, and removes them.
///
/// # Errors
/// [`Error::PiecesMissing`] with those that are not done; otherwise as [`run_alone`].
pub fn run_merge(
    graph: &Graph,
    at: usize,
    piece: Piece,
    cache: &Cache,
    manner: &Manner,
    observer: &dyn Observer,
) -> Result<Ran> {
    let whole = &graph.stages[at];
    cache.recover(whole)?;
    let states = cache.states_before(graph, at)?;
    let before = cache.state(whole, &states)?.is_done();
    let mut ran = Ran::Before;
    if !before {
        let key = key_of(graph, whole, cache, &states)?;
        let missing = cache.missing_pieces(whole, piece, &states)?;
        if !missing.is_empty() {
            return Err(Error::PiecesMissing { stage: whole.id.clone(), missing, of: piece.of() });
        }
        cache.check_place(whole)?;
        let merge = whole.merge(piece);
        observer.start(&merge, manner.jobs);
        let stamp = execute(graph, &merge, cache, manner, manner.jobs, key, observer)?;
        ran = Ran::Now(Box::new(stamp));
    }
    remove_pieces(whole, cache)?;
    Ok(ran)
}

fn key_of(graph: &Graph, stage: &Stage, cache: &Cache, states: &[State]) -> Result<String> {
    let missing = || {
        let input = stage.inputs().into_iter().find(|input| !states[*input].is_done());
        let input = input.map_or_else(String::new, |input| graph.stages[input].id.clone());
        Error::InputNotDone { stage: stage.id.clone(), input }
    };
    cache.key(stage, states)?.ok_or_else(missing)
}

/// Removes all pieces of a stage that is done, with their stamps and logs.
fn remove_pieces(stage: &Stage, cache: &Cache) -> Result<()> {
    files::remove_tree(&cache.out().join(stage.pieces()))?;
    for folder in [".stages", "logs"] {
        let folder = cache.out().join(folder);
        for entry in fs::read_dir(&folder).map_err(Error::read(&folder))? {
            let name = entry.map_err(Error::read(&folder))?.file_name();
            if stage.is_about_a_piece(&name.to_string_lossy()) {
                files::remove_file(&folder.join(name))?;
            }
        }
    }
    Ok(())
}
