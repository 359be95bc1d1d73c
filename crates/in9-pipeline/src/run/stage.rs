//! One stage: its place made ready, its program run, its output stamped.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Instant;

use in9_base::files;
use in9_base::parent::Child;

use super::log;
use super::scratch::Scratch;
use super::{Manner, Observer, command, shown};
use crate::cache::{Cache, Stamp};
use crate::error::{Error, Result};
use crate::graph::{Arg, Graph, Stage};

/// Exit code of a program that has left out faulty input.
const SKIPS: i32 = 3;

pub(super) fn execute(
    graph: &Graph,
    stage: &Stage,
    cache: &Cache,
    manner: &Manner,
    cores: usize,
    key: String,
    observer: &dyn Observer,
) -> Result<Stamp> {
    let started = Instant::now();
    let log_path = stage.file_in(&cache.out().join("logs"), "log");
    let mut log = log::open(&log_path)?;
    let output = cache.begin(stage, &key)?;
    for arg in &stage.args {
        if let Arg::Spec(name, content) = arg {
            files::write_bytes(&cache.out().join(name), content)?;
        }
    }
    let scratch = Scratch::begin(manner.scratch.as_deref(), stage, &output)?;
    let target = scratch.as_ref().map_or(output, Scratch::output);
    let mut command = command(graph, stage, cache, manner, cores, &target)?;
    // A full disk under the log must not end the stage.
    let _ = writeln!(log, "{}", shown(&command));
    command.stdout(log.try_clone().map_err(Error::write(&log_path))?).stderr(Stdio::piped());
    let program = std::path::PathBuf::from(command.get_program());
    let mut child =
        Child::spawn(&mut command).map_err(|source| Error::Start { program: program.clone(), source })?;
    // The command's copy of the log would keep it locked after the program has ended.
    drop(command);
    manner.stop.holds(child.line());
    let mut last = String::new();
    if let Some(stderr) = child.take_stderr() {
        log::follow(stderr, |line| {
            line.clone_into(&mut last);
            observer.say(stage, line);
            let _ = writeln!(log, "{line}");
        });
    }
    let status = child.wait().map_err(|source| Error::Start { program, source })?;
    let skips = status.code() == Some(SKIPS);
    if !status.success() && !skips {
        if let Some(Err(error)) = scratch.map(|scratch| scratch.save(stage)) {
            let _ = writeln!(log, "note: what it had made so far is lost: {error}");
        }
        let said = last.strip_prefix("error: ").unwrap_or(&last).to_owned();
        return Err(Error::Failed { said, status, log: log_path });
    }
    scratch.map_or(Ok(()), |scratch| scratch.deliver(stage))?;
    cache.finish(stage, key, started.elapsed().as_secs_f64(), skips)
}
