//! `in9-models convert`: any weight file to safetensors.

use std::path::PathBuf;
use std::process::ExitCode;

use in9_models::weights::{self, Limits};

/// Turn a weight file of any kind into safetensors
///
/// Wrappers and prefixes of training programs are removed, and names of other projects become
/// torchvision's or timm's; each such step is printed.
#[derive(clap::Args)]
#[command(after_help = "Example: in9-models convert --in legacy.pth --out w.safetensors")]
pub(crate) struct Args {
    /// The file to read: torch zip, torch legacy, safetensors
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// The safetensors file to write
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let file = weights::read(&args.input, &Limits::default())?;
    for note in &file.notes {
        eprintln!("{}: {note}", args.input.display());
    }
    weights::write(&args.out, &file.tensors, file.metadata.as_ref().map(|metadata| metadata.text.as_str()))?;
    let (count, bytes) = (file.tensors.len(), file.tensors.bytes());
    eprintln!("{}: {count} tensors, {bytes} bytes, from {}", args.out.display(), file.format);
    Ok(ExitCode::SUCCESS)
}
