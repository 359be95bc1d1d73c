//! Who is told how a run goes.

use crate::error::Error;
use crate::graph::Stage;

/// How a stage has ended.
#[derive(Debug, Clone, Copy)]
pub enum Ending<'a> {
    /// Well.
    Done,
    /// Not well.
    Failed(&'a Error),
}

/// Is told how a run goes, from several threads.
pub trait Observer: Sync {
    /// A stage starts on so many cores.
    fn start(&self, _stage: &Stage, _cores: usize) {}
    /// The stage's program has said a line.
    fn say(&self, _stage: &Stage, _line: &str) {}
    /// The stage has ended.
    fn end(&self, _stage: &Stage, _ending: Ending) {}
    /// Something that people should know.
    fn note(&self, _line: &str) {}
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}
