//! `reproduce --plan`: what a run will cost.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use in9_base::shell::{Machine, Shell};
use serde::Deserialize;

use super::Ready;
use crate::plan::{Cost, Work};

/// Seconds that measuring takes in all, about.
const SECONDS: f64 = 100.0;

/// Pixels of a photograph of ImageNet, on average: 500 by 375.
const PHOTOGRAPH: f64 = 187_500.0;

/// What `in9 measure-build` says.
#[derive(Debug, Deserialize)]
struct Building {
    /// Pixels of photographs that were taken apart a second, on all cores.
    pixels_per_second: f64,
    /// Pixels of photographs that were only decoded and resized a second.
    plain_pixels_per_second: f64,
}

/// What `in9 measure` says of one kind of work.
#[derive(Debug, Deserialize)]
struct Speed {
    pictures_per_second: f64,
}

/// Prints what the run will cost, with hours from a short measurement on this machine.
pub(super) fn tell(ready: &Ready, device: &str, machine: Machine, shell: &Shell) -> Result<()> {
    let cost = Cost::of(&ready.recipe);
    shell.print(format_args!("{}", ready.recipe.title))?;
    if let Some(scale) = ready.recipe.scale {
        shell.print(format_args!("a rehearsal at {scale} of the photographs and epochs"))?;
    }
    for d in &cost.datasets {
        shell.print(format_args!(
            "dataset {:<22} {:>9.0} photographs read, {:>7.0} train and {:>6.0} test kept, {:>7.2} GB",
            d.name,
            d.listed,
            d.train,
            d.test,
            d.bytes / 1e9
        ))?;
    }
    for name in &cost.unknown {
        shell
            .print(format_args!("dataset {name:<22} not counted: the recipe does not say what to expect"))?;
    }
    let [train, test, probes] = cost.passes();
    let bytes: f64 = cost.datasets.iter().map(|d| d.bytes).sum();
    shell.print(format_args!("{} trainings, {train:.3e} pictures forward and back", cost.trainings))?;
    shell.print(format_args!("{test:.3e} forward passes in tests, at most {probes:.3e} passes in probes"))?;
    shell.print(format_args!("{:.1} GB of datasets", bytes / 1e9))?;
    shell.say(format_args!("measuring on this machine, about two minutes …"));
    hours(ready, &cost, device, machine, shell)
}

/// Hours of each kind of work on this machine.
fn hours(ready: &Ready, cost: &Cost, device: &str, machine: Machine, shell: &Shell) -> Result<()> {
    let jobs = machine.threads().to_string();
    let building: Building = ask(ready, &["measure-build", "--jobs", &jobs])?;
    let read = |cuts_out: bool| -> f64 {
        cost.datasets.iter().filter(|d| d.cuts_out == cuts_out).map(|d| d.listed).sum()
    };
    let build = PHOTOGRAPH
        * (read(true) / building.pixels_per_second + read(false) / building.plain_pixels_per_second)
        / 3600.0;
    let mut stages = [0.0; 3];
    let each = (SECONDS / cost.pictures.len().max(1) as f64).max(1.0).to_string();
    for (work, pictures) in &cost.pictures {
        let speed = speed(ready, work, device, &each, &jobs)?;
        let way = if work.gradients { "forward and back" } else { "forward" };
        shell.print(format_args!(
            "{:<26} {:>4} px {way:<17} {:>9.1} pictures a second",
            work.arch, work.size, speed
        ))?;
        stages.iter_mut().zip(pictures).for_each(|(sum, n)| *sum += n / speed / 3600.0);
    }
    let rows = [("datasets", build), ("training", stages[0]), ("tests", stages[1]), ("probes", stages[2])];
    for (name, hours) in rows {
        shell.print(format_args!("{name:<9} {hours:>12.1} hours"))?;
    }
    let total: f64 = rows.iter().map(|(_, hours)| hours).sum();
    shell.print(format_args!("all       {total:>12.1} hours on this machine ({jobs} threads, {device})"))?;
    shell.print(
        "assumed: photographs of 500 by 375 pixels, all stages one after another, adversarial searches that try every pair",
    )?;
    Ok(())
}

fn speed(ready: &Ready, work: &Work, device: &str, seconds: &str, jobs: &str) -> Result<f64> {
    let size = work.size.to_string();
    let mut words =
        vec!["measure", "--arch", &work.arch, "--size", &size, "--device", device, "--seconds", seconds];
    if work.gradients {
        words.push("--gradients");
    }
    words.extend(["--jobs", jobs]);
    let speed: Speed = ask(ready, &words)?;
    Ok(speed.pictures_per_second)
}

/// The answer of one of `in9`'s commands that measure.
fn ask<T: for<'de> Deserialize<'de>>(ready: &Ready, words: &[&str]) -> Result<T> {
    let program = ready.programs.path();
    let output = Command::new(program).args(words).output();
    let output = output.with_context(|| format!("{}: cannot be started", program.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {}", words[..1].join(" "), said.lines().last().unwrap_or("failed"));
    serde_json::from_slice(&output.stdout).with_context(|| format!("{}: makes no sense", words[0]))
}
