//! The check on a machine with a GPU: one table, one JSON file, within ten minutes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::toolkit::python;

/// Compares layers with PyTorch and times its networks; prints JSON.
const PEER: &str = include_str!("peer.py");

/// Seconds of the whole check; of these our networks and PyTorch's may take so many.
const ALL: u64 = 570;
const OURS: u64 = 200;
const THEIRS: u64 = 200;

/// Folders of CUDA's libraries: those of a toolkit, of the system, and of a Python's wheels.
fn libraries(toolkit: Option<&Path>) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = toolkit
        .map(|toolkit| toolkit.join("lib64"))
        .into_iter()
        .chain(["/usr/local/cuda/lib64".into()])
        .collect();
    let script = "import glob, site, sys\n\
                  roots = {p for p in sys.path + site.getsitepackages() if p.endswith('-packages')}\n\
                  print('\\n'.join(f for r in sorted(roots) for f in sorted(glob.glob(r + '/nvidia/*/lib'))))";
    if let Ok(output) = Command::new(python()).args(["-c", script]).output() {
        folders.extend(String::from_utf8_lossy(&output.stdout).lines().map(PathBuf::from));
    }
    folders.retain(|folder| folder.exists());
    folders
}

/// Runs the check with the programs in `programs`.
pub(super) fn run(programs: &Path, device: usize, out: &Path, toolkit: Option<&Path>) -> Result<()> {
    let started = Instant::now();
    let program = programs.join("in9-models");
    ensure!(
        program.exists(),
        "{}: not there; `cargo xtask check-cuda --collect` makes it",
        program.display()
    );
    let work = out.with_extension("work");
    fs::create_dir_all(&work).with_context(|| work.display().to_string())?;
    let mut paths = libraries(toolkit);
    paths.extend(std::env::var_os("LD_LIBRARY_PATH").iter().flat_map(std::env::split_paths));
    let paths = std::env::join_paths(paths)?;
    let ours = work.join("ours.json");
    let dump = work.join("layers");

    let mut check = Command::new(&program);
    check.arg("check-gpu").args(["--device", &device.to_string(), "--seconds", &OURS.to_string(), "--out"]);
    check.arg(&ours).arg("--dump").arg(&dump).env("LD_LIBRARY_PATH", &paths);
    let passed = check.status().with_context(|| format!("starting {}", program.display()))?.success();
    let ours: Value = match fs::read(&ours) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(_) => Value::Null,
    };

    let sanitizer = sanitize(&program, device, &paths, started)?;
    let peer = peer(&work, &dump, device, started)?;
    summary(&ours, &peer);
    println!("compute-sanitizer: {}", sanitizer.as_str().unwrap_or("no answer"));
    let all = json!({ "ours": ours, "pytorch": peer, "sanitizer": sanitizer, "seconds": started.elapsed().as_secs() });
    fs::write(out, serde_json::to_string_pretty(&all)? + "\n").with_context(|| out.display().to_string())?;
    println!("{}: everything above, {} s", out.display(), started.elapsed().as_secs());
    ensure!(passed, "the check failed; see above");
    Ok(())
}

fn left(started: Instant) -> Duration {
    Duration::from_secs(ALL).saturating_sub(started.elapsed())
}

/// What compute-sanitizer says of the layers, in a word or two.
fn sanitize(program: &Path, device: usize, paths: &std::ffi::OsStr, started: Instant) -> Result<Value> {
    if Command::new("compute-sanitizer").arg("--version").output().is_err() {
        return Ok(json!("not there"));
    }
    let mut verdicts = Vec::new();
    for tool in ["memcheck", "racecheck"] {
        let limit = left(started).min(Duration::from_secs(90));
        if limit < Duration::from_secs(20) {
            verdicts.push(format!("{tool}: no time left"));
            continue;
        }
        // `timeout` ends it with everything that it started.
        let mut sanitizer = Command::new("timeout");
        sanitizer.arg(limit.as_secs().to_string()).args(["compute-sanitizer", "--tool", tool]);
        sanitizer.args(["--error-exitcode", "9"]).arg(program).arg("check-gpu");
        sanitizer.args(["--only", "layers", "--device", &device.to_string()]).env("LD_LIBRARY_PATH", paths);
        let output = sanitizer.output().context("starting compute-sanitizer")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line =
            text.lines().rev().find(|line| line.contains("SUMMARY")).unwrap_or("no summary (time or device)");
        verdicts.push(format!("{tool}: {}", line.trim_start_matches(['=', ' '])));
    }
    Ok(json!(verdicts.join("; ")))
}

/// PyTorch's answers and times; null where it cannot be imported.
fn peer(work: &Path, dump: &Path, device: usize, started: Instant) -> Result<Value> {
    let (script, answers) = (work.join("peer.py"), work.join("peer.json"));
    fs::write(&script, PEER)?;
    let limit = left(started).min(Duration::from_secs(THEIRS));
    let mut peer = Command::new(python());
    peer.arg(&script).arg(dump).arg(&answers).args([device.to_string(), limit.as_secs().to_string()]);
    let status = peer.status();
    if !status.is_ok_and(|status| status.success()) {
        println!(
            "PyTorch: cannot be imported by this Python (IN9_PYTHON names another), or it failed; see above"
        );
        return Ok(Value::Null);
    }
    Ok(serde_json::from_slice(&fs::read(&answers)?)?)
}

/// One line a network: our rate, PyTorch's, and their ratio.
fn summary(ours: &Value, peer: &Value) {
    let none = Vec::new();
    for layer in peer["layers"].as_array().unwrap_or(&none) {
        let off = layer["difference"].as_f64().unwrap_or(f64::INFINITY);
        let mark = if off <= layer["tolerance"].as_f64().unwrap_or(0.0) { "" } else { "✗" };
        println!("{:<56} beside PyTorch {off:>10.1e} {mark}", layer["what"].as_str().unwrap_or_default());
    }
    println!(
        "{:<40} {:>5} {:>14} {:>14} {:>14} {:>8}",
        "images a second", "", "ours", "eager", "compiled", "ratio"
    );
    for timing in ours["timings"].as_array().unwrap_or(&none) {
        let (what, way) =
            (timing["what"].as_str().unwrap_or_default(), timing["way"].as_str().unwrap_or_default());
        let theirs = |mode: &str| peer["rates"][format!("{what} {way} {mode}")].as_f64();
        let (Some(rate), Some(eager)) = (timing["rate"].as_f64(), theirs("eager")) else { continue };
        let best = theirs("compiled").unwrap_or(eager).max(eager);
        let compiled = theirs("compiled").map_or_else(|| "–".to_owned(), |rate| format!("{rate:.0}"));
        println!("{what:<40} {way:>5} {rate:>14.0} {eager:>14.0} {compiled:>14} {:>8.2}", rate / best);
    }
}
