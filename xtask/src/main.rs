//! Automation of the workspace: `cargo xtask COMMAND`.
//!
//! Parses, changes to the workspace's root, and dispatches; each command is a module of its own.
//! Please keep this crate quick to compile: no Candle, no image codecs. The pipeline is a library, and what runs
//! its stages is spawned.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod bench;
mod check_cuda;
mod pipeline;
mod sbom;
mod taxonomy;
mod validate;
mod wheel;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use in9_base::shell::Machine;
use in9_pipeline::cli::{Reproduce, Status};
use pipeline::{Door, Pipeline};

/// Runs the paper from photographs to a report, and everything else that is done to this workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

// A command of the pipeline, and how it goes about its work: no help text of its own.
#[derive(clap::Args)]
struct Of<C: clap::Args> {
    #[command(flatten)]
    command: C,
    #[command(flatten)]
    machine: Machine,
}

#[derive(Subcommand)]
enum Command {
    Reproduce(Box<Of<Reproduce>>),
    Status(Box<Of<Status>>),
    Validate(validate::Validate),
    CheckCuda(check_cuda::CheckCuda),
    /// Time our crates beside their peers (OpenCV, PyTorch, NumPy) in the same run, as ratios.
    #[command(subcommand)]
    Bench(bench::Bench),
    Sbom(sbom::Sbom),
    /// Derive `data-manifests/taxonomies/imagenet-9.toml` from WordNet.
    Taxonomy(taxonomy::Taxonomy),
    Wheel(wheel::Wheel),
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(args.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let here = std::env::current_dir().context("the current folder is gone")?;
    // A program that was copied to another machine finds no workspace there, and needs none.
    let root = root()?;
    if root.exists() {
        std::env::set_current_dir(root).context("changing to the workspace's root")?;
    }
    match command {
        Command::Reproduce(of) => {
            let command = Pipeline::Reproduce(Box::new(of.command));
            return Ok(Door { command, machine: of.machine, here: &here }.enter());
        }
        Command::Status(of) => {
            let command = Pipeline::Status(Box::new(of.command));
            return Ok(Door { command, machine: of.machine, here: &here }.enter());
        }
        Command::Validate(validate) => validate.run()?,
        Command::CheckCuda(check) => check.run(&here)?,
        Command::Bench(bench) => bench.run()?,
        Command::Sbom(sbom) => sbom.run(&here)?,
        Command::Taxonomy(taxonomy) => taxonomy.run(&here)?,
        Command::Wheel(wheel) => wheel.run()?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder of the workspace's manifest, so that every path is the same wherever cargo was called.
fn root() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(manifest.parent().context("the xtask crate has no parent folder")?.to_path_buf())
}
