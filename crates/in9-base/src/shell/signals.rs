//! Ctrl-C and SIGTERM end a program with one line and the exit code that shells expect; what the system would end
//! without a word, or by an abort, ends with one line and exit code 1.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::sync::{Mutex, PoisonError};

use signal_hook::consts::{SIGABRT, SIGBUS, SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

/// What is said when bytes of a mapped file are not there.
const CUT: &[u8] =
    b"error: a file that is being read was cut, or its disk failed; bring it back (copy or build it \
    again), then run the same command again\n";

/// The signal by which jobs learn that their time is nearly up: SIGUSR1.
pub const TIME_IS_UP: i32 = SIGUSR1;

/// What is told of a signal instead of ending the process.
type Listener = Box<dyn Fn(i32) + Send>;

static LISTENER: Mutex<Option<Listener>> = Mutex::new(None);

/// Tells `listener` of each signal that asks this process to end, by its number, and leaves the ending to whoever set it.
/// SIGUSR1 is among them: schedulers send it before the time of a job is up.
pub fn on_stop(listener: impl Fn(i32) + Send + 'static) {
    *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(listener));
}

/// Waits for a signal on a thread of its own. Outputs are whole or absent at any moment, so the process may
/// end at once; temporary files are cleared by the next run.
pub(super) fn watch() -> std::io::Result<()> {
    end_in_one_line()?;
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGUSR1])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            if let Some(listener) = LISTENER.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
                listener(signal);
                continue;
            }
            super::say("stopped; what is done is kept: the same command goes on from there");
            std::process::exit(128 + signal);
        }
    })?;
    Ok(())
}

/// SIGBUS comes when a mapped file was cut under its reader, SIGABRT after it was said that there is no memory left (or
/// that a thread's stack is full).
fn end_in_one_line() -> std::io::Result<()> {
    let out = File::from(std::io::stderr().as_fd().try_clone_to_owned()?);
    crate::memory::say_refusals_to(out.try_clone()?);
    let cut = move || {
        let _ = (&out).write_all(CUT);
        low_level::exit(1);
    };
    // SAFETY: both actions only make system calls that may be made in a signal's handler: `write` on a descriptor that
    // is open for as long as the process lives (`File` neither locks nor allocates), and `_exit`. They do not return,
    // so that the access that failed is not tried again.
    unsafe {
        low_level::register(SIGBUS, cut)?;
        low_level::register(SIGABRT, || low_level::exit(1))?;
    }
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::process::{Command, Output};

    /// Tells a copy of this test program which end it shall come to.
    const END: &str = "IN9_TEST_END";

    /// What becomes of a copy of this test program that comes to `end`.
    fn copy_that_comes_to(end: &str) -> (Option<i32>, String) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "--nocapture", "shell::signals::tests::comes_to_the_end_that_it_is_told"]);
        let Output { status, stderr, .. } = command.env(END, end).output().unwrap();
        (status.code(), String::from_utf8(stderr).unwrap())
    }

    /// Does nothing unless it is called by the tests below.
    #[test]
    fn comes_to_the_end_that_it_is_told() {
        let Ok(end) = std::env::var(END) else { return };
        watch().unwrap();
        if end == "memory" {
            let bytes: Vec<u8> = Vec::with_capacity(isize::MAX as usize);
            unreachable!("{} bytes of memory", bytes.capacity());
        }
        let file = tempfile::tempfile().unwrap();
        file.set_len(1 << 20).unwrap();
        // SAFETY: it is cut on purpose, to see what becomes of this process.
        let map = unsafe { memmap2::Mmap::map(&file) }.unwrap();
        file.set_len(0).unwrap();
        unreachable!("byte {} of nothing", map[5000]);
    }

    #[test]
    fn a_mapped_file_that_is_cut_is_one_line_and_exit_1() {
        let (code, said) = copy_that_comes_to("cut");
        assert_eq!((code, said.as_str()), (Some(1), std::str::from_utf8(CUT).unwrap()));
    }

    #[test]
    fn memory_that_is_refused_is_one_line_and_exit_1() {
        let (code, said) = copy_that_comes_to("memory");
        assert_eq!(code, Some(1), "{said}");
        assert!(said.starts_with("error: the system refused memory") && said.lines().count() == 1, "{said}");
    }
}
