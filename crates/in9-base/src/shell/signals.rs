//! Ctrl-C and SIGTERM end a program with one line and the exit code that shells expect.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Waits for a signal on a thread of its own. Outputs are whole or absent at any moment, so the process may
/// end at once; temporary files are cleared by the next run.
pub(super) fn watch() -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            super::say("stopped; what is done is kept: the same command goes on from there");
            std::process::exit(128 + signal);
        }
    })?;
    Ok(())
}
