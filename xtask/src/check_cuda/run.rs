//! The check on a machine with a GPU: one table, one JSON file, within ten minutes.
//!
//! Each part is a process of its own with a limit of its own, and the JSON file is written after each: a part that
//! hangs or crashes costs itself.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};

use super::libraries;
use super::limited::{Ended, limited, run as run_limited};
use super::summary;
use super::toolkit::python;

/// Compares layers with PyTorch and times its networks; writes JSON.
const PEER: &str = include_str!("peer.py");

/// Seconds of the whole check.
const ALL: u64 = 580;
/// Our parts, what matters most first, and the seconds that each may take.
const PARTS: [(&str, u64); 5] =
    [("layers", 100), ("networks", 120), ("training", 60), ("graphs", 60), ("bench", 170)];
/// Of the seconds of a part, those that a last network may take over the limit that the part keeps by itself.
const GRACE: u64 = 25;
const THEIRS: u64 = 170;
const SANITIZED: u64 = 90;

/// What is known so far, and where it is written.
struct Check<'a> {
    program: PathBuf,
    device: usize,
    paths: OsString,
    toolkit: Option<&'a Path>,
    work: PathBuf,
    started: Instant,
    found: Map<String, Value>,
    out: &'a Path,
}

/// Runs the parts named, PyTorch beside them, with the programs in `programs`.
pub(super) fn run(
    programs: &Path,
    device: usize,
    out: &Path,
    toolkit: Option<&Path>,
    only: &[String],
) -> Result<()> {
    let program = programs.join("in9-models");
    ensure!(
        program.exists(),
        "{}: not there; `cargo xtask check-cuda --collect` makes it",
        program.display()
    );
    let paths = libraries::search_path(toolkit)?;
    libraries::check_start(&program, &paths)?;
    let work = out.with_extension("work");
    // Answers of an earlier run are not this one's.
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| work.display().to_string())?;
    }
    fs::create_dir_all(&work).with_context(|| work.display().to_string())?;
    let (started, found) = (Instant::now(), Map::new());
    let mut check = Check { program, device, paths, toolkit, work, started, found, out };
    let wanted = |name: &str| only.is_empty() || only.iter().any(|only| only == name);
    let mut failed = Vec::new();
    for (name, seconds) in PARTS {
        if wanted(name) && check.part(name, seconds)? != Ended::Well {
            // Without the name of a device nothing was opened, and nothing else will be.
            let device = check.found[name]["found"]["device"].as_str().unwrap_or_default();
            ensure!(!failed.is_empty() || !device.is_empty(), "the GPU cannot be opened; see above");
            failed.push(name);
        }
    }
    if wanted("pytorch") {
        check.peer()?;
    }
    if wanted("sanitizer") {
        check.sanitize()?;
    }
    check.found.insert("seconds".to_owned(), started.elapsed().as_secs().into());
    check.write()?;
    summary::print(&check.found);
    println!("{}: everything above, {} s", out.display(), started.elapsed().as_secs());
    ensure!(failed.is_empty(), "the check failed in {}; see above", failed.join(", "));
    Ok(())
}

impl Check<'_> {
    /// The limit of a part: its own, or what is left of the whole.
    fn limit(&self, seconds: u64) -> Option<Duration> {
        let left = Duration::from_secs(ALL).saturating_sub(self.started.elapsed());
        Some(left.min(Duration::from_secs(seconds))).filter(|limit| limit.as_secs() > 10)
    }

    fn write(&self) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.found)? + "\n";
        fs::write(self.out, text).with_context(|| self.out.display().to_string())
    }

    /// Keeps what a part found, and says how it ended if that was not well.
    fn keep(&mut self, name: &str, found: Value, ended: Ended, limit: Duration) -> Result<()> {
        let at = found["at"].as_str().unwrap_or_default().to_owned();
        let mut part = json!({ "found": found });
        match ended {
            Ended::Well => part["ended"] = "well".into(),
            Ended::Failed => part["ended"] = "failed".into(),
            Ended::Late => {
                println!("{name}: ended after its {} s, at: {at}", limit.as_secs());
                part["ended"] = format!("late, after {} s", limit.as_secs()).into();
            }
        }
        self.found.insert(name.to_owned(), part);
        self.write()
    }

    /// One part of `in9-models check-gpu`.
    fn part(&mut self, name: &str, seconds: u64) -> Result<Ended> {
        println!("== {name}");
        let Some(limit) = self.limit(seconds) else {
            println!("{name}: left out, the time is up");
            self.found.insert(name.to_owned(), json!({ "ended": "left out" }));
            return Ok(Ended::Late);
        };
        let out = self.work.join(format!("{name}.json"));
        let mut part = limited(&self.program, limit);
        part.args(["check-gpu", "--only", name, "--device", &self.device.to_string(), "--seconds"]);
        part.arg(limit.as_secs().saturating_sub(GRACE).to_string()).arg("--out").arg(&out);
        if name == "layers" {
            part.arg("--dump").arg(self.work.join("layers"));
        }
        let ended = run_limited(part.env("LD_LIBRARY_PATH", &self.paths))?;
        self.keep(name, answers(&out), ended, limit)?;
        Ok(ended)
    }

    /// PyTorch's answers and times, where a Python can import it.
    fn peer(&mut self) -> Result<()> {
        println!("== PyTorch");
        let Some(limit) = self.limit(THEIRS) else {
            println!("PyTorch: left out, the time is up");
            return Ok(());
        };
        let (script, out) = (self.work.join("peer.py"), self.work.join("peer.json"));
        fs::write(&script, PEER)?;
        let mut peer = limited(python(), limit);
        peer.arg(&script).arg(self.work.join("layers")).arg(&out);
        peer.args([self.device.to_string(), limit.as_secs().saturating_sub(5).to_string()]);
        let ended = run_limited(&mut peer)?;
        if ended == Ended::Failed {
            println!(
                "PyTorch: not to be had from this Python (IN9_PYTHON names another), or it failed; see above"
            );
        }
        self.keep("pytorch", answers(&out), ended, limit)
    }

    /// What compute-sanitizer says of the layers.
    fn sanitize(&mut self) -> Result<()> {
        println!("== compute-sanitizer");
        let Some(sanitizer) = libraries::tool("compute-sanitizer", self.toolkit) else {
            println!("compute-sanitizer: not there");
            self.found.insert("sanitizer".to_owned(), "not there".into());
            return self.write();
        };
        let mut verdicts = Map::new();
        for tool in ["memcheck", "racecheck"] {
            let Some(limit) = self.limit(SANITIZED) else {
                verdicts.insert(tool.to_owned(), "left out, the time is up".into());
                continue;
            };
            let log = self.work.join(format!("{tool}.txt"));
            let mut check = limited(&sanitizer, limit);
            check.args(["--tool", tool, "--error-exitcode", "9"]).arg("--log-file").arg(&log);
            check.arg(&self.program).args(["check-gpu", "--only", "layers", "--device"]);
            check.arg(self.device.to_string()).env("LD_LIBRARY_PATH", &self.paths);
            let ended = run_limited(check.stdout(Stdio::null()))?;
            let said = fs::read(&log).unwrap_or_default();
            let said = String::from_utf8_lossy(&said).into_owned();
            let verdict = match (said.lines().rev().find(|line| line.contains("SUMMARY")), ended) {
                (Some(line), _) => line.trim_start_matches(['=', ' ']).to_owned(),
                (None, Ended::Late) => format!("no error in {} s, not to the end", limit.as_secs()),
                (None, _) => said.lines().last().unwrap_or("it said nothing").to_owned(),
            };
            println!("{tool}: {verdict}");
            verdicts.insert(tool.to_owned(), verdict.into());
        }
        self.found.insert("sanitizer".to_owned(), verdicts.into());
        self.write()
    }
}

/// What a part has written; null if it wrote nothing that can be read.
fn answers(path: &Path) -> Value {
    fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null)
}
