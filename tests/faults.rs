//! What writes is put under a simulator of faults: crashes, power cuts that lose what was not synced, full and failing
//! disks, no descriptors, rot, killed workers, and somebody who runs the same command at the same time.
//!
//! `IN9_FAULT_SEEDS=N` tries N seeds of each command instead of a few, `IN9_FAULT_SEEDS=N..M` those from N up to M.
//! With `TMPDIR` in memory (`/dev/shm`), a thousand seeds of all commands take minutes.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use in9_tests::faults::{Differs, Finding, Scenario};
use in9_tests::{expect, ground as make, program, programs, root};

/// A small world, its dataset in one and in two pieces, and a trained network, made once.
fn ground() -> &'static Path {
    static GROUND: OnceLock<tempfile::TempDir> = OnceLock::new();
    let ground = GROUND.get_or_init(|| {
        let ground = tempfile::tempdir().unwrap();
        for command in [render, build, first_piece, second_piece, train, predict, score] {
            expect(&mut command(ground.path(), ground.path()), 0);
        }
        ground
    });
    ground.path()
}

/// A command of one thread, so that a seed means the same every time.
fn alone(mut command: Command) -> Command {
    command.args(["--jobs", "1"]);
    command
}

fn render(_: &Path, out: &Path) -> Command {
    alone(make::render(out))
}

fn build_as(inputs: &Path, out: &Path, name: &str) -> Command {
    let mut command = alone(make::build(inputs, out, name));
    command.args(["--masks", "exact"]);
    command
}

fn build(inputs: &Path, out: &Path) -> Command {
    build_as(inputs, out, "data")
}

fn first_piece(inputs: &Path, out: &Path) -> Command {
    let mut command = build_as(inputs, out, "piece-1");
    command.args(["--shard", "1/2"]);
    command
}

fn second_piece(inputs: &Path, out: &Path) -> Command {
    let mut command = build_as(inputs, out, "piece-2");
    command.args(["--shard", "2/2"]);
    command
}

fn merge(inputs: &Path, out: &Path) -> Command {
    let mut command = program("in9-data");
    command.args(["merge", "--jobs", "1"]).arg(inputs.join("piece-1")).arg(inputs.join("piece-2"));
    command.arg("--out").arg(out.join("merged"));
    command
}

fn export(inputs: &Path, out: &Path) -> Command {
    let mut command = program("in9-data");
    command.args(["export", "--view", "mixed-rand", "--format", "folder", "--jobs", "1"]);
    command.arg(inputs.join("data")).arg("--out").arg(out.join("exported"));
    command
}

fn train(inputs: &Path, out: &Path) -> Command {
    let mut command = alone(make::train(inputs, out, 2));
    command.args(["--checkpoint-every", "1", "--resume"]);
    command
}

fn predict(inputs: &Path, out: &Path) -> Command {
    alone(make::predict(inputs, out))
}

fn search(inputs: &Path, out: &Path) -> Command {
    let mut command = program("in9-analysis");
    command.args(["adversarial", "--limit", "4", "--jobs", "1", "--weights"]).arg(inputs.join("run"));
    command.arg("--data").arg(inputs.join("data")).arg("--out").arg(out.join("search"));
    command
}

fn score(inputs: &Path, out: &Path) -> Command {
    let mut command = program("in9-analysis");
    command.args(["score", "--jobs", "1"]).arg(inputs.join("predictions.csv"));
    command.arg("--out").arg(out.join("scores"));
    command
}

/// The recipe that whole runs are of. Each seed gets a copy: a bit of it may flip.
const RECIPE: &str = "faults.toml";

/// A whole run of the recipe, by programs in `programs`.
fn reproduce(inputs: &Path, programs: &Path, out: &Path) -> Command {
    let mut command = program("xtask");
    command.args(["reproduce", "--jobs", "1", "--recipe"]).arg(inputs.join(RECIPE));
    command.arg("--programs").arg(programs).arg("--out").arg(out.join("run"));
    command
}

/// The pipeline by itself: its stages are run by a program that writes as they do and computes nothing.
fn pipeline(inputs: &Path, out: &Path) -> Command {
    static PROGRAMS: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = PROGRAMS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let stand_in = programs().join("in9-stand-in");
        std::os::unix::fs::symlink(stand_in, folder.path().join("in9")).unwrap();
        folder
    });
    reproduce(inputs, folder.path(), out)
}

/// The pipeline with the real programs.
fn recipe(inputs: &Path, out: &Path) -> Command {
    reproduce(inputs, programs(), out)
}

/// A command that reads the first folder and writes into the second.
type Call = fn(&Path, &Path) -> Command;

/// Seeds of a command: a few, or as many as the environment says.
fn seeds(few: u64) -> std::ops::Range<u64> {
    let number = |text: &str| text.parse().expect("IN9_FAULT_SEEDS is a number, or two with .. between");
    match std::env::var("IN9_FAULT_SEEDS") {
        Ok(text) => match text.split_once("..") {
            Some((from, to)) => number(from)..number(to),
            None => 1..1 + number(&text),
        },
        Err(_) => 1..1 + few,
    }
}

/// Event files hold the times at which they were written, in their names too; logs and stamps of a run hold times.
fn differs(name: &str) -> Differs {
    if name.contains("tfevents") {
        Differs::InName
    } else if name.contains("/logs/") || name.contains("/.stages/") {
        Differs::InBytes
    } else {
        Differs::Nowhere
    }
}

fn scenario<'s>(
    name: &'s str,
    command: &'s Call,
    inputs: &'s [&'s str],
    planted: Option<&'s str>,
) -> Scenario<'s> {
    let folder = match inputs {
        [] => PathBuf::new(),
        [RECIPE] => root().join("tests"),
        _ => ground().to_owned(),
    };
    Scenario { name, inputs: (folder, inputs), command, differs: &differs, planted }
}

#[track_caller]
fn assert_sound(name: &str, command: Call, inputs: &[&str], few: u64) {
    let findings = scenario(name, &command, inputs, None).run(seeds(few));
    let lines: Vec<_> =
        findings.iter().map(|Finding { seed, what }| format!("seed {seed}: {what}")).collect();
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), lines.join("\n"));
}

/// The bug is found by one of the first `most` seeds.
#[track_caller]
fn assert_found(bug: &str, command: Call, inputs: &[&str], most: u64) {
    let scenario = scenario(bug, &command, inputs, Some(bug));
    let found = (1..=most).step_by(5).any(|first| !scenario.run(first..first + 5).is_empty());
    assert!(found, "{bug} is not found by {most} seeds");
}

#[test]
fn rendering_survives_every_fault() {
    assert_sound("render", render, &[], 20);
}

#[test]
fn building_survives_every_fault() {
    assert_sound("build", build, &["photos"], 25);
}

#[test]
fn building_a_piece_survives_every_fault() {
    assert_sound("piece", first_piece, &["photos"], 10);
}

#[test]
fn merging_survives_every_fault() {
    assert_sound("merge", merge, &["piece-1", "piece-2"], 15);
}

#[test]
fn exporting_survives_every_fault() {
    assert_sound("export", export, &["data"], 10);
}

#[test]
fn training_survives_every_fault() {
    assert_sound("train", train, &["data"], 25);
}

#[test]
fn predicting_survives_every_fault() {
    assert_sound("predict", predict, &["data", "run"], 15);
}

#[test]
fn searching_survives_every_fault() {
    assert_sound("adversarial", search, &["data", "run"], 15);
}

#[test]
fn scoring_survives_every_fault() {
    assert_sound("score", score, &["predictions.csv"], 15);
}

#[test]
fn the_pipeline_survives_every_fault() {
    assert_sound("pipeline", pipeline, &[RECIPE], 60);
}

#[test]
fn a_recipe_survives_every_fault() {
    assert_sound("recipe", recipe, &[RECIPE], 4);
}

#[test]
fn a_missing_sync_is_found() {
    assert_found("missing-sync", pipeline, &[RECIPE], 200);
}

#[test]
fn a_rename_before_the_sync_is_found() {
    assert_found("rename-before-sync", pipeline, &[RECIPE], 200);
}

#[test]
fn a_resumed_offset_off_by_one_is_found() {
    assert_found("resumed-offset", train, &["data"], 100);
}

#[test]
fn a_lock_that_is_never_released_is_found() {
    assert_found("lock-never-released", train, &["data"], 100);
}

#[test]
fn a_stamp_before_its_output_is_found() {
    assert_found("stamp-before-output", pipeline, &[RECIPE], 200);
}
