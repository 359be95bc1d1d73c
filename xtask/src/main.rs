//! Automation of the workspace: `cargo xtask COMMAND`.
//!
//! Parses, changes to the workspace's root, and dispatches; each command is a module of its own.
//! Please keep this crate quick to compile: no Candle, no image codecs. It spawns the programs.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

mod bench;
mod taxonomy;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

/// Runs the paper from photographs to a report, and everything else that is done to this workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Time our crates beside their peers (OpenCV, PyTorch, NumPy) in the same run, as ratios.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Derive `data-manifests/taxonomies/imagenet-9.toml` from WordNet.
    Taxonomy(taxonomy::Taxonomy),
}

fn main() -> Result<()> {
    let args = Args::parse();
    std::env::set_current_dir(root()?).context("changing to the workspace's root")?;
    match args.command {
        Command::Bench(bench) => bench.run(),
        Command::Taxonomy(taxonomy) => taxonomy.run(),
    }
}

/// The folder of the workspace's manifest, so that every path is the same wherever cargo was called.
fn root() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(manifest.parent().context("the xtask crate has no parent folder")?.to_path_buf())
}
