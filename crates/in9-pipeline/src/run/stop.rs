//! Stopping the stage that runs, so that what it has made can still be kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use in9_base::parent::Line;

/// Asks a run to stop, from any thread. Copies ask the same run.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Mutex<Asked>>);

#[derive(Debug, Default)]
struct Asked {
    signal: Option<i32>,
    lines: Vec<Line>,
}

impl Stop {
    /// Lets the programs of the run end, those that it is about to start too; `signal` is what asked for it.
    pub fn ask(&self, signal: i32) {
        let mut asked = self.lock();
        asked.signal.get_or_insert(signal);
        asked.lines.drain(..).for_each(|line| line.cut());
    }

    /// The first signal that asked.
    pub fn asked(&self) -> Option<i32> {
        self.lock().signal
    }

    /// Holds the line to a program that has just been started.
    pub(super) fn holds(&self, line: Line) {
        let mut asked = self.lock();
        match asked.signal {
            Some(_) => line.cut(),
            None => asked.lines.push(line),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
