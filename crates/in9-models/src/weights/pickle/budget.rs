//! How many steps a pickle may take and how much it may make us hold.

use crate::weights::fault::{Checked, Fault};

/// Steps a byte of input. An instruction is one step, and so is every item that it looks at;
/// torch's files stay near one.
const STEPS_A_BYTE: u64 = 4;

/// Bytes held a byte of input; torch's state dicts need about eight.
const HELD_A_BYTE: u64 = 16;

/// Steps and bytes that the shortest pickle may use.
const LEAST_STEPS: u64 = 1 << 16;
const LEAST_HELD: u64 = 4 << 20;

/// What is used of a pickle's steps and memory, and the most that may be.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) steps: u64,
    pub(super) held: u64,
    pub(super) most_steps: u64,
    pub(super) most_held: u64,
}

impl Budget {
    /// For a pickle of at most `len` bytes.
    pub(super) fn of(len: usize) -> Self {
        let most = |factor: u64, least: u64| (len as u64).saturating_mul(factor).saturating_add(least);
        Self {
            steps: 0,
            held: 0,
            most_steps: most(STEPS_A_BYTE, LEAST_STEPS),
            most_held: most(HELD_A_BYTE, LEAST_HELD),
        }
    }

    /// Counts steps.
    ///
    /// # Errors
    /// [`Fault::AboveLimit`] when there are too many.
    pub(super) fn step(&mut self, count: usize) -> Checked<()> {
        self.steps = self.steps.saturating_add(count as u64);
        within("work that the pickle asks for", "steps", self.steps, self.most_steps)
    }

    /// Counts bytes that are held until the pickle is done.
    ///
    /// # Errors
    /// [`Fault::AboveLimit`] when there are too many.
    pub(super) fn hold(&mut self, bytes: usize) -> Checked<()> {
        self.held = self.held.saturating_add(bytes as u64);
        within("memory that the pickle asks for", "bytes", self.held, self.most_held)
    }
}

fn within(what: &str, unit: &'static str, found: u64, most: u64) -> Checked<()> {
    if found <= most {
        return Ok(());
    }
    Err(Fault::AboveLimit { what: what.into(), most, unit, found })
}
