//! A simulator of faults (feature `faults`, for tests): stands between the writers of this crate and the
//! disk, and lets exactly one thing go wrong, chosen by a seed.
//!
//! The environment variable `IN9_FAULTS` of a program that is built with this feature says what:
//!
//! - `count FILE`: nothing goes wrong; FILE becomes as many bytes long as operations were done;
//! - `seed S of N`: one of the first N operations fails, in a way that the seed S decides: the process
//!   stops before or after it, the power goes before or after it, the disk is full (a write may be short),
//!   the disk fails, no descriptors are left, or a bit of a file flips before it is read;
//! - a planted bug may be named behind it, as in `seed 7 of 40 missing-sync`, to show that the simulator
//!   finds it.
//!
//! When the power goes, what was never synced is lost as a real file system may lose it: contents down to
//! any length that was not synced, and renames, creations and removals whose folder was not synced, each by
//! itself. One thread (`--jobs 1`) makes a seed's run the same every time.

mod journal;
mod plan;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use journal::Journal;
use plan::{Fault, Plan};

/// How a process ends that a simulated crash stopped.
const CRASHED: i32 = 97;

/// What is about to be done to the disk.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operation<'p> {
    Open(&'p Path),
    /// A temporary file in this folder.
    Create(&'p Path),
    Write(&'p Path),
    Sync(&'p Path),
    SyncFolder(&'p Path),
    Rename(&'p Path, &'p Path),
    CreateFolder(&'p Path),
    Remove(&'p Path),
    RemoveFolder(&'p Path),
}

struct Simulator {
    plan: Plan,
    done: u64,
    journal: Journal,
}

/// The simulator, if the environment asks for one.
fn simulator() -> Option<MutexGuard<'static, Simulator>> {
    static SIMULATOR: OnceLock<Option<Mutex<Simulator>>> = OnceLock::new();
    let simulator = SIMULATOR.get_or_init(|| {
        let plan = Plan::parse(&std::env::var("IN9_FAULTS").ok()?)?;
        Some(Mutex::new(Simulator { plan, done: 0, journal: Journal::default() }))
    });
    simulator.as_ref().map(|s| s.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Whether the bug of this name is planted in this process.
pub(super) fn is_planted(bug: &str) -> bool {
    simulator().is_some_and(|s| s.plan.planted() == Some(bug))
}

/// Does `work` on the disk, unless it is its turn to fail.
pub(super) fn around<T>(operation: Operation<'_>, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let Some(mut simulator) = simulator() else { return work() };
    let fault = simulator.next(operation);
    match fault {
        Some(Fault::CrashBefore) => std::process::exit(CRASHED),
        Some(Fault::PowerBefore) => simulator.cut_power(),
        Some(Fault::Refuse(code)) => return Err(io::Error::from_raw_os_error(code)),
        Some(Fault::FlipBit) => simulator.flip_bit(operation),
        _ => {}
    }
    simulator.journal.before(operation);
    let result = work();
    if result.is_ok() {
        simulator.journal.after(operation);
    }
    match fault {
        Some(Fault::CrashAfter) => std::process::exit(CRASHED),
        Some(Fault::PowerAfter) => simulator.cut_power(),
        _ => result,
    }
}

/// Writes to a file, unless it is its turn to fail; a full disk takes half of the bytes first.
pub(super) fn write(file: &mut File, path: &Path, bytes: &[u8]) -> io::Result<usize> {
    let Some(mut simulator) = simulator() else { return file.write(bytes) };
    let operation = Operation::Write(path);
    let fault = simulator.next(operation);
    let half = bytes.len() / 2;
    match fault {
        Some(Fault::CrashBefore | Fault::PowerBefore) => {
            // What stops a write may let a part of it through.
            file.write_all(&bytes[..half])?;
            simulator.journal.after(operation);
            if fault == Some(Fault::CrashBefore) {
                std::process::exit(CRASHED);
            }
            simulator.cut_power();
        }
        Some(Fault::Refuse(code)) => {
            file.write_all(&bytes[..half])?;
            return Err(io::Error::from_raw_os_error(code));
        }
        _ => {}
    }
    let count = file.write(bytes)?;
    simulator.journal.after(operation);
    match fault {
        Some(Fault::CrashAfter) => std::process::exit(CRASHED),
        Some(Fault::PowerAfter) => simulator.cut_power(),
        _ => Ok(count),
    }
}

impl Simulator {
    /// Counts the operation and says how it fails, if it does.
    fn next(&mut self, operation: Operation<'_>) -> Option<Fault> {
        let at = self.done;
        self.done += 1;
        self.plan.fault(at, operation)
    }

    fn cut_power(&mut self) -> ! {
        self.journal.lose(self.plan.seed());
        std::process::exit(CRASHED)
    }

    fn flip_bit(&self, operation: Operation<'_>) {
        if let Operation::Open(path) = operation
            && let Ok(mut bytes) = std::fs::read(path)
            && !bytes.is_empty()
        {
            let mut rng = crate::rng::stream(self.plan.seed(), "faults: bit", 0, 0);
            let at = crate::rng::below(&mut rng, u32::try_from(bytes.len()).unwrap_or(u32::MAX)) as usize;
            bytes[at] ^= 1 << crate::rng::below(&mut rng, 8);
            // The time of change stays: rot does not announce itself.
            let times = std::fs::metadata(path).and_then(|about| about.modified());
            if std::fs::write(path, bytes).is_ok()
                && let (Ok(time), Ok(file)) = (times, File::options().write(true).open(path))
            {
                let _ = file.set_modified(time);
            }
        }
    }
}
