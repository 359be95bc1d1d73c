//! Runs the stages that are missing, side by side where that helps.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};

use crate::board::{Board, Lane};
use crate::cache::{Cache, State, write_whole};
use crate::executor::Executor;
use crate::graph::{Arg, Graph, Kind, Stage};

/// How a run goes about its work; none of it changes a byte of the results.
pub(crate) struct Manner {
    pub(crate) jobs: usize,
    pub(crate) executor: Executor,
    pub(crate) gpu: bool,
    pub(crate) data: Option<PathBuf>,
}

/// How the stages of a run ended.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) ran: usize,
    pub(crate) kept: usize,
    /// Stages that left out faulty input.
    pub(crate) skips: Vec<String>,
    /// Stages that failed, each with the last thing it said.
    pub(crate) failed: Vec<(String, String)>,
    /// Stages that could not run because an earlier one failed.
    pub(crate) blocked: usize,
}

/// Runs those of `wanted` that are not done. A failure stops only what depends on it.
pub(crate) fn run(graph: &Graph, wanted: &[usize], cache: &Cache, manner: &Manner) -> Result<Outcome> {
    let mut states = Vec::with_capacity(graph.stages.len());
    for stage in &graph.stages {
        states.push(cache.state(stage, &states)?);
    }
    let mut outcome = Outcome::default();
    let done = |state: &State| matches!(state, State::Done(_));
    let todo: Vec<usize> = wanted.iter().copied().filter(|at| !done(&states[*at])).collect();
    for at in &todo {
        for input in graph.stages[*at].inputs() {
            let there = done(&states[input]) || todo.contains(&input);
            ensure!(
                there,
                "{} needs {}, which is not done; run that first",
                graph.stages[*at].id,
                graph.stages[input].id
            );
        }
    }
    outcome.kept = wanted.len() - todo.len();
    let board = Board::new(todo.iter().map(|at| graph.stages[*at].kind), manner.jobs);
    let mut open: VecDeque<usize> = todo.into();
    let (ended, ends) = mpsc::channel::<(usize, usize, Result<Ended>)>();
    std::thread::scope(|scope| -> Result<()> {
        let (mut free, mut running) = (manner.jobs, 0);
        while !open.is_empty() || running > 0 {
            for (at, cores) in pick(graph, &mut open, &mut states, cache, manner.jobs, free, &mut outcome)? {
                let stage = &graph.stages[at];
                let Some(key) = cache.key(stage, &states)? else { bail!("{}: an input is gone", stage.id) };
                let (lane, ended, graph) = (board.start(&stage.id, cores), ended.clone(), &graph);
                free -= cores;
                running += 1;
                scope.spawn(move || {
                    let result = execute(graph, at, cache, manner, cores, &key, &lane);
                    lane.end(stage.kind, if result.is_ok() { "done" } else { "FAILED" });
                    // The receiver outlives every sender.
                    let _ = ended.send((at, cores, result));
                });
            }
            if running == 0 {
                continue;
            }
            let (at, cores, result) = ends.recv().context("a stage's thread vanished")?;
            free += cores;
            running -= 1;
            let id = &graph.stages[at].id;
            match result {
                Ok(Ended { state, skips }) => {
                    states[at] = state;
                    outcome.ran += 1;
                    outcome.skips.extend(skips.then(|| id.clone()));
                }
                Err(error) => {
                    board.say(&format!("error: {id}: {error:#}"));
                    outcome.failed.push((id.clone(), format!("{error:#}")));
                }
            }
        }
        Ok(())
    })?;
    board.clear();
    Ok(outcome)
}

/// Takes what can start now from `open`, with the number of cores for each; drops what can never start.
fn pick(
    graph: &Graph,
    open: &mut VecDeque<usize>,
    states: &mut [State],
    cache: &Cache,
    jobs: usize,
    mut free: usize,
    outcome: &mut Outcome,
) -> Result<Vec<(usize, usize)>> {
    let failed =
        |at: usize, outcome: &Outcome| outcome.failed.iter().any(|(id, _)| *id == graph.stages[at].id);
    let mut dropped: Vec<usize> = Vec::new();
    open.retain(|at| {
        let hopeless =
            graph.stages[*at].inputs().iter().any(|input| failed(*input, outcome) || dropped.contains(input));
        if hopeless {
            dropped.push(*at);
            outcome.failed.push((graph.stages[*at].id.clone(), String::new()));
            outcome.blocked += 1;
        }
        !hopeless
    });
    // An input that ran again and wrote what was there before may have made a stage's output valid.
    let mut ready = Vec::new();
    for at in open.iter().copied() {
        let stage = &graph.stages[at];
        if stage.inputs().iter().all(|input| matches!(states[*input], State::Done(_))) {
            ready.push(at);
        }
    }
    let mut start = Vec::new();
    let mut narrow = ready.iter().filter(|at| !graph.stages[**at].kind.is_wide()).count();
    ready.sort_by_key(|at| (graph.stages[*at].kind, *at));
    for at in ready {
        let fresh = cache.state(&graph.stages[at], states)?;
        if matches!(fresh, State::Done(_)) {
            states[at] = fresh;
            outcome.kept += 1;
            open.retain(|other| *other != at);
            continue;
        }
        let cores = if graph.stages[at].kind.is_wide() {
            if free < jobs {
                break;
            }
            jobs
        } else {
            if free == 0 {
                break;
            }
            let share = free.div_ceil(narrow.min(free));
            narrow -= 1;
            share
        };
        free -= cores;
        start.push((at, cores));
    }
    open.retain(|at| !start.iter().any(|(started, _)| started == at));
    Ok(start)
}

struct Ended {
    state: State,
    skips: bool,
}

fn execute(
    graph: &Graph,
    at: usize,
    cache: &Cache,
    manner: &Manner,
    cores: usize,
    key: &str,
    lane: &Lane,
) -> Result<Ended> {
    let stage = &graph.stages[at];
    let started = Instant::now();
    prepare(stage, cache, key)?;
    let mut command = command(graph, stage, cache, manner, cores)?;
    let log_path = cache.out.join("logs").join(stage.file_name()).with_added_extension("log");
    write_whole(&log_path, format!("{}\n", shown(&command)).as_bytes())?;
    let mut log = File::options().append(true).open(&log_path)?;
    let program = command.get_program().to_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {}", program.display()))?;
    let mut last = String::new();
    if let Some(stderr) = child.stderr.take() {
        follow(stderr, |line| {
            last = line.to_owned();
            lane.say(line);
            // A full disk under the log must not end the stage.
            let _ = writeln!(log, "{line}");
        });
    }
    let status = child.wait()?;
    let skips = status.code() == Some(3);
    if !status.success() && !skips {
        let said = last.strip_prefix("error: ").unwrap_or(&last);
        bail!("{said} ({}; the whole log: {})", status, log_path.display());
    }
    let stamp = cache.stamp(stage, key.to_owned(), started.elapsed().as_secs_f64(), skips)?;
    Ok(Ended { state: State::Done(stamp), skips })
}

/// Makes the output's place ready, and writes the files that are given to the program.
fn prepare(stage: &Stage, cache: &Cache, key: &str) -> Result<()> {
    cache.begin(stage, key)?;
    let output = cache.out.join(&stage.output);
    if let Some(folder) = output.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("{}: cannot be made; is it writable?", folder.display()))?;
    }
    for arg in &stage.args {
        if let Arg::Spec(name, content) = arg {
            write_whole(&cache.out.join(name), content.as_bytes())?;
        }
    }
    Ok(())
}

pub(crate) fn command(
    graph: &Graph,
    stage: &Stage,
    cache: &Cache,
    manner: &Manner,
    cores: usize,
) -> Result<Command> {
    let program = cache.programs.path(stage.program);
    let gpu = manner.gpu && matches!(stage.kind, Kind::Train | Kind::Predict | Kind::Probe);
    let mut command = manner.executor.command(&program, &stage.id, cores, gpu);
    for arg in &stage.args {
        match arg {
            Arg::Text(text) => command.arg(text),
            Arg::Output => command.arg(cache.out.join(&stage.output)),
            Arg::Input(input) => command.arg(cache.out.join(&graph.stages[*input].output)),
            Arg::Data => command.arg(manner.data.as_deref().context("this recipe needs --data")?),
            Arg::File(path) => command.arg(path),
            Arg::Spec(name, _) => command.arg(cache.out.join(name)),
        };
    }
    command.args(["--jobs", &cores.to_string()]);
    Ok(command)
}

/// A command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted = words.map(|word| {
        let word = word.to_string_lossy();
        let plain =
            !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=,:@+".contains(c));
        if plain { word.into_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Calls `line` with each line or carriage-returned bar that `reader` gives.
fn follow(reader: impl Read, mut line: impl FnMut(&str)) {
    for bytes in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
        let text = String::from_utf8_lossy(&bytes);
        if let Some(last) = text.split('\r').rev().map(str::trim_end).find(|part| !part.is_empty()) {
            line(last);
        }
    }
}

/// A folder of outputs that only one run writes to.
pub(crate) fn lock(out: &Path) -> Result<File> {
    fs::create_dir_all(out).with_context(|| {
        format!("{}: cannot be made; name a folder that is writable with --out", out.display())
    })?;
    let path = out.join(".lock");
    let file = File::create(&path).with_context(|| {
        format!("{}: cannot be written; name a folder that is writable with --out", path.display())
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => bail!(
            "{}: another run is writing here; wait for it or name another folder with --out",
            out.display()
        ),
        Err(fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("locking {}", path.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_lines_are_followed() {
        let mut seen = Vec::new();
        follow(&b"one\n10 %\r20 %\r\n\nlast"[..], |line| seen.push(line.to_owned()));
        assert_eq!(seen, ["one", "20 %", "last"]);
    }

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut command = Command::new("in9-data");
        command.args(["show", "a b", "it's", ""]);
        assert_eq!(shown(&command), r"in9-data show 'a b' 'it'\''s' ''");
    }
}
