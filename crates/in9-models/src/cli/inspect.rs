//! `in9-models inspect`: what a weight file holds.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use candle_core::Device;
use in9_models::weights::{self, Head, Limits};

/// Show what a weight file holds, and whether it fits an architecture
#[derive(clap::Args)]
#[command(after_help = "Example: in9-models inspect w.pth --arch resnet50")]
pub(crate) struct Args {
    /// The weight file
    file: PathBuf,
    /// Check the names and shapes against this architecture
    #[arg(long)]
    arch: Option<String>,
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let file = weights::read(&args.file, &Limits::default())?;
    let mut out = io::stdout().lock();
    let (count, bytes) = (file.tensors.len(), file.tensors.bytes());
    writeln!(out, "{}: {count} tensors, {bytes} bytes", file.format)?;
    for note in &file.notes {
        writeln!(out, "note: {note}")?;
    }
    for (name, tensor) in file.tensors.iter() {
        writeln!(
            out,
            "{:<5} {:<24} {}",
            format!("{:?}", tensor.dtype()),
            format!("{:?}", tensor.shape()),
            name.escape_debug()
        )?;
    }
    if let Some(arch) = &args.arch {
        let model = weights::load_from(arch, &args.file, file.tensors, Head::FromFile, false, &Device::Cpu)?;
        writeln!(out, "fits {arch} with {} classes", model.classes())?;
    }
    Ok(ExitCode::SUCCESS)
}
