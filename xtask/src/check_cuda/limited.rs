//! Programs that end in time.

use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context as _, Result};

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Well,
    /// With an error, of which it has told.
    Failed,
    /// It did not end by itself in time, and was ended with everything that it started.
    Late,
}

/// `program`, to be ended after `limit` with everything that it starts; kill follows if it does not listen.
pub(super) fn limited(program: impl AsRef<std::ffi::OsStr>, limit: Duration) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", &limit.as_secs().max(1).to_string()]).arg(program);
    command
}

/// Runs what [`limited`] made.
pub(super) fn run(command: &mut Command) -> Result<Ended> {
    let status = command.status().with_context(|| format!("starting {}", name(command)))?;
    Ok(ended(status))
}

/// What is started, without `timeout` before it.
fn name(command: &Command) -> String {
    command.get_args().nth(2).unwrap_or_else(|| command.get_program()).to_string_lossy().into_owned()
}

pub(super) fn ended(status: ExitStatus) -> Ended {
    match status.code() {
        Some(0) => Ended::Well,
        // `timeout`'s own, and that of a kill.
        Some(124 | 137) | None => Ended::Late,
        Some(_) => Ended::Failed,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn what_hangs_is_ended_and_told_from_what_fails() {
        let shell = |script: &str, seconds| {
            let started = Instant::now();
            let ended = run(limited("sh", Duration::from_secs(seconds)).args(["-c", script])).unwrap();
            (ended, started.elapsed())
        };
        assert_eq!(shell("exit 0", 60).0, Ended::Well);
        assert_eq!(shell("exit 3", 60).0, Ended::Failed);
        let (ended, took) = shell("sleep 60 & sleep 60", 1);
        assert_eq!(ended, Ended::Late);
        assert!(took < Duration::from_secs(20), "{took:?}");
    }
}
