//! A simulator of faults (feature `faults`, for tests): stands between the writers of this crate and the
//! disk, and lets exactly one thing go wrong, chosen by a seed.
//!
//! The environment variable `IN9_FAULTS` of a program that is built with this feature says what:
//!
//! - `count FILE`: nothing goes wrong; FILE becomes as many bytes long as operations were done;
//! - `seed S of N`: one of the first N operations fails, in a way that the seed S decides: the process
//!   stops before or after it, the power goes before or after it, the disk is full (a write may be short),
//!   the disk fails, no descriptors are left, a bit of a file flips before it is read, or the same command is
//!   run by somebody else from its beginning to its end in between;
//! - a planted bug may be named behind it, as in `seed 7 of 40 missing-sync`, to show that the simulator
//!   finds it;
//! - `counted FILE` at the end lets a program and those that it starts count their operations together, by the
//!   length of FILE; FILE.flipped then names the file of which a bit flipped. What stops one of them is a killed worker; when the power goes, it goes for those that wait for
//!   it, too.
//!
//! When the power goes, what was never synced is lost as a real file system may lose it: contents down to
//! any length that was not synced, and renames, creations and removals whose folder was not synced, each by
//! itself. One thread (`--jobs 1`) makes a seed's run the same every time.

mod journal;
mod plan;

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use journal::Journal;
use plan::{Fault, Plan};

/// How a process ends that a simulated crash stopped.
const CRASHED: i32 = 97;
/// How a process ends when the power goes.
const POWERLESS: i32 = 98;

/// What is about to be done to the disk.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operation<'p> {
    Open(&'p Path),
    /// A temporary file in this folder.
    Create(&'p Path),
    /// A file at its own place, empty.
    Put(&'p Path),
    Write(&'p Path),
    Sync(&'p Path),
    SyncFolder(&'p Path),
    SyncTree(&'p Path),
    Rename(&'p Path, &'p Path),
    CreateFolder(&'p Path),
    Remove(&'p Path),
    RemoveFolder(&'p Path),
}

struct Simulator {
    plan: Plan,
    done: u64,
    counter: Option<File>,
    journal: Journal,
}

/// The simulator, if the environment asks for one.
fn simulator() -> Option<MutexGuard<'static, Simulator>> {
    static SIMULATOR: OnceLock<Option<Mutex<Simulator>>> = OnceLock::new();
    let simulator = SIMULATOR.get_or_init(|| {
        let plan = Plan::parse(&std::env::var("IN9_FAULTS").ok()?)?;
        let counter =
            plan.counted().and_then(|path| File::options().create(true).append(true).open(path).ok());
        Some(Mutex::new(Simulator { plan, done: 0, counter, journal: Journal::default() }))
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
        Some(Fault::Meet) => meet(),
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
            simulator.journal.before(operation);
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
        Some(Fault::Meet) => meet(),
        _ => {}
    }
    simulator.journal.before(operation);
    let count = file.write(bytes)?;
    simulator.journal.after(operation);
    match fault {
        Some(Fault::CrashAfter) => std::process::exit(CRASHED),
        Some(Fault::PowerAfter) => simulator.cut_power(),
        _ => Ok(count),
    }
}

/// What ended a child of this process ends this process too, if it was the power.
pub(crate) fn follow(ending: std::process::ExitStatus) {
    if ending.code() == Some(POWERLESS)
        && let Some(mut simulator) = simulator()
    {
        simulator.cut_power();
    }
}

/// Somebody runs the same command.
fn meet() {
    let mut words = std::env::args_os();
    let (Ok(program), _) = (std::env::current_exe(), words.next()) else { return };
    let mut command = std::process::Command::new(program);
    command.args(words).env_remove("IN9_FAULTS").env_remove(crate::parent::VARIABLE);
    let nothing = std::process::Stdio::null;
    let _ = command.stdin(nothing()).stdout(nothing()).stderr(nothing()).status();
}

impl Simulator {
    /// Counts the operation and says how it fails, if it does.
    fn next(&mut self, operation: Operation<'_>) -> Option<Fault> {
        let mut at = self.done;
        self.done += 1;
        if let Some(counter) = &mut self.counter
            && counter.write_all(b".").is_ok()
            && let Ok(end) = counter.stream_position()
        {
            at = end - 1;
        }
        self.plan.fault(at, operation)
    }

    fn cut_power(&mut self) -> ! {
        self.journal.lose(self.plan.seed());
        std::process::exit(POWERLESS)
    }

    fn flip_bit(&self, operation: Operation<'_>) {
        if let Operation::Open(path) = operation
            && let Ok(mut bytes) = std::fs::read(path)
            && !bytes.is_empty()
        {
            let mut rng = crate::rng::stream(self.plan.seed(), "faults: bit", 0, 0);
            let at = crate::rng::below(&mut rng, u32::try_from(bytes.len()).unwrap_or(u32::MAX)) as usize;
            bytes[at] ^= 1 << crate::rng::below(&mut rng, 8);
            // Whoever judges the run must know what rotted.
            if let Some(counted) = self.plan.counted() {
                let name = crate::files::sibling(counted, ".flipped");
                let _ = std::fs::write(name, path.as_os_str().as_encoded_bytes());
            }
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
