//! `in9-models list`: the architectures.

use std::io::{self, Write};
use std::process::ExitCode;

use in9_models::registry::ARCHITECTURES;

/// Show the architectures
#[derive(clap::Args)]
#[command(after_help = "Example: in9-models list resnet")]
pub(crate) struct Args {
    /// Show only names that contain this
    pattern: Option<String>,
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let pattern = args.pattern.unwrap_or_default();
    let mut out = io::stdout().lock();
    for entry in ARCHITECTURES.iter().filter(|e| e.name.contains(&pattern)) {
        writeln!(out, "{:<24} {}", entry.name, entry.summary)?;
    }
    Ok(ExitCode::SUCCESS)
}
