//! What is done already: a stamp for each finished stage, and the keys that tell whether it still counts.
//!
//! A stage's key is the BLAKE3 of the identity of its command (the sources that it was built from), its
//! arguments with every path left symbolic, and the digests of what it reads. Keys use the *contents* of
//! inputs, so a stage that ran again and wrote the same bytes leaves everything behind it alone.

mod key;
mod listing;
mod photographs;
mod place;
mod stamp;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub use listing::{Found, Listing};
pub use photographs::digest_of_photographs;
pub use stamp::Stamp;

use in9_base::Piece;

use crate::error::Result;
use crate::graph::{Graph, Stage};
use crate::programs::Programs;

/// Whether a stage has to run.
#[derive(Debug, Clone)]
pub enum State {
    /// Its output is there and belongs to its present inputs.
    Done(Box<Stamp>),
    /// Its output is there, but something it depends on has changed.
    Stale,
    /// Its output is there, but this file of it is not what the stage wrote.
    Damaged(PathBuf),
    /// It has not run, or its output is gone.
    Missing,
    /// Not known before an earlier stage has run.
    Waiting,
}

impl State {
    /// Whether the stage need not run.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

/// The stamps of one output folder.
#[derive(Debug)]
pub struct Cache<'a> {
    out: &'a Path,
    programs: &'a Programs,
    /// Digest of the user's photographs, if there are any.
    data: Option<String>,
    /// Read every byte of every output once, whatever its size and times say.
    thorough: bool,
    /// Outputs whose every byte was read and found as it was written.
    verified: Mutex<HashSet<PathBuf>>,
}

impl<'a> Cache<'a> {
    /// The stamps in `out`, for stages that `programs` run. `data` is [`digest_of_photographs`]. A `thorough`
    /// cache reads every output once; others read only what has changed in size, time or place on the disk.
    pub fn new(out: &'a Path, programs: &'a Programs, data: Option<String>, thorough: bool) -> Self {
        Self { out, programs, data, thorough, verified: Mutex::default() }
    }

    /// The folder that everything is written to.
    pub fn out(&self) -> &Path {
        self.out
    }

    /// The program of the stages.
    pub fn programs(&self) -> &Programs {
        self.programs
    }

    /// The state of `stage`, given the states of the stages before it.
    ///
    /// # Errors
    /// If a file that the stage depends on cannot be read.
    pub fn state(&self, stage: &Stage, before: &[State]) -> Result<State> {
        let Some(key) = self.key(stage, before)? else { return Ok(State::Waiting) };
        let Some(mut stamp) = self.read_stamp(stage)? else { return Ok(State::Missing) };
        let output = self.out.join(&stage.output);
        let verified = |set: &Mutex<HashSet<PathBuf>>| set.lock().is_ok_and(|set| set.contains(&output));
        let thorough = self.thorough && !verified(&self.verified);
        match stamp.listing.compare(&output, thorough)? {
            Found::Intact => {}
            Found::Moved(listing) => (stamp.listing, stamp.moved) = (listing, true),
            Found::Changed(path) => return Ok(State::Damaged(path)),
            Found::Gone => return Ok(State::Missing),
        }
        if thorough && let Ok(mut set) = self.verified.lock() {
            set.insert(output);
        }
        Ok(if stamp.key == key { State::Done(Box::new(stamp)) } else { State::Stale })
    }

    /// The states of all stages that the one at place `at` depends on; those of others are [`State::Waiting`].
    ///
    /// # Errors
    /// As [`Cache::state`].
    pub fn states_before(&self, graph: &Graph, at: usize) -> Result<Vec<State>> {
        let mut needed = vec![false; graph.stages.len()];
        for place in (0..=at).rev() {
            if place == at || needed[place] {
                graph.stages[place].inputs().into_iter().for_each(|input| needed[input] = true);
            }
        }
        let mut states = Vec::with_capacity(graph.stages.len());
        for (stage, needed) in graph.stages.iter().zip(needed) {
            states.push(if needed { self.state(stage, &states)? } else { State::Waiting });
        }
        Ok(states)
    }

    /// The numbers of those pieces of `stage` that are not done, of a work divided into as many as `piece`'s. All of them
    /// while it is not known what the stage depends on.
    ///
    /// # Errors
    /// As [`Cache::state`].
    pub fn missing_pieces(&self, stage: &Stage, piece: Piece, before: &[State]) -> Result<Vec<u32>> {
        let mut missing = Vec::new();
        for piece in piece.all() {
            if !self.state(&stage.piece(piece), before)?.is_done() {
                missing.push(piece.number());
            }
        }
        Ok(missing)
    }

    /// The states of all stages.
    ///
    /// # Errors
    /// As [`Cache::state`].
    pub fn states(&self, graph: &Graph) -> Result<Vec<State>> {
        let mut states = Vec::with_capacity(graph.stages.len());
        for stage in &graph.stages {
            states.push(self.state(stage, &states)?);
        }
        Ok(states)
    }
}
