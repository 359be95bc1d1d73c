//! What writes is put under a simulator of faults: crashes, power cuts that lose what was not synced, full and failing
//! disks, no descriptors, rot. `IN9_FAULT_SEEDS=N` tries N seeds of each command instead of a few.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use in9_tests::faults::{Finding, Scenario};
use in9_tests::{expect, program};

/// A small world, its dataset, and a trained network, made once.
fn ground() -> &'static Path {
    static GROUND: OnceLock<tempfile::TempDir> = OnceLock::new();
    let ground = GROUND.get_or_init(|| {
        let ground = tempfile::tempdir().unwrap();
        for command in [render, build, train] {
            expect(&mut command(ground.path(), ground.path()), 0);
        }
        ground
    });
    ground.path()
}

fn render(_: &Path, out: &Path) -> Command {
    let mut command = program("in9-data");
    command.args(["toy", "--seed", "1", "--rho", "0.5", "--train-per-class", "2", "--test-per-class", "1"]);
    command.args(["--jobs", "1", "--out"]).arg(out.join("photos"));
    command
}

fn build(inputs: &Path, out: &Path) -> Command {
    let mut command = program("in9-data");
    command.args(["build", "--source", "toy", "--taxonomy", "toy", "--size", "32", "--jobs", "1", "--root"]);
    command.arg(inputs.join("photos")).arg("--out").arg(out.join("data"));
    command
}

fn train(inputs: &Path, out: &Path) -> Command {
    let mut command = program("in9-models");
    command.args([
        "train",
        "--arch",
        "resnet-tiny",
        "--view",
        "original",
        "--preset",
        "small",
        "--epochs",
        "2",
    ]);
    command.args(["--batch-size", "4", "--checkpoint-every", "1", "--resume", "--jobs", "1", "--data"]);
    command.arg(inputs.join("data")).arg("--out").arg(out.join("run"));
    command
}

fn predict(inputs: &Path, out: &Path) -> Command {
    let mut command = program("in9-models");
    command.args(["predict", "--views", "all", "--jobs", "1", "--weights"]).arg(inputs.join("run"));
    command.arg("--data").arg(inputs.join("data")).arg("--out").arg(out.join("predictions.csv"));
    command
}

fn search(inputs: &Path, out: &Path) -> Command {
    let mut command = program("in9-analysis");
    command.args(["adversarial", "--limit", "4", "--jobs", "1", "--weights"]).arg(inputs.join("run"));
    command.arg("--data").arg(inputs.join("data")).arg("--out").arg(out.join("search"));
    command
}

/// A command that reads the first folder and writes into the second.
type Call = fn(&Path, &Path) -> Command;

/// Seeds of a command: a few, or as many as the environment says.
fn seeds(few: u64) -> std::ops::Range<u64> {
    let asked = std::env::var("IN9_FAULT_SEEDS").ok();
    1..1 + asked.map_or(few, |n| n.parse().expect("IN9_FAULT_SEEDS is a number"))
}

fn scenario<'s>(name: &'s str, command: &'s Call, planted: Option<&'s str>) -> Scenario<'s> {
    // Event files hold the times at which they were written.
    Scenario { name, inputs: ground(), command, free: &|name| name.contains("tfevents"), planted }
}

#[track_caller]
fn assert_sound(name: &str, command: Call, few: u64) {
    let findings = scenario(name, &command, None).run(seeds(few));
    let lines: Vec<_> =
        findings.iter().map(|Finding { seed, what }| format!("seed {seed}: {what}")).collect();
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), lines.join("\n"));
}

/// The bug is found by one of the first `most` seeds.
#[track_caller]
fn assert_found(bug: &str, command: Call, most: u64) {
    let scenario = scenario(bug, &command, Some(bug));
    let found = (1..=most).step_by(5).any(|first| !scenario.run(first..first + 5).is_empty());
    assert!(found, "{bug} is not found by {most} seeds");
}

#[test]
fn rendering_survives_every_fault() {
    assert_sound("render", render, 20);
}

#[test]
fn building_survives_every_fault() {
    assert_sound("build", build, 25);
}

#[test]
fn training_survives_every_fault() {
    assert_sound("train", train, 25);
}

#[test]
fn predicting_survives_every_fault() {
    assert_sound("predict", predict, 15);
}

#[test]
fn searching_survives_every_fault() {
    assert_sound("adversarial", search, 15);
}

#[test]
fn planted_bugs_are_found() {
    assert_found("missing-sync", predict, 100);
    assert_found("rename-before-sync", predict, 100);
    assert_found("resumed-offset", train, 60);
    assert_found("lock-never-released", train, 60);
}
