//! `in9-models inspect`: what a weight file holds.

use std::path::PathBuf;

use candle_core::Device;
use in9_base::shell::Shell;

use crate::open::Identified;
use crate::registry::recognise;
use crate::weights::{self, Head, Limits};

/// Show what a weight file holds, and whether it fits an architecture
#[derive(clap::Args)]
#[command(after_help = "Example: in9-models inspect w.pth --arch resnet50")]
pub struct Args {
    /// The weight file
    file: PathBuf,
    /// Check the names and shapes against this architecture
    #[arg(long)]
    arch: Option<String>,
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<()> {
    let file = weights::read(&args.file, &Limits::default())?;
    let (count, bytes) = (file.tensors.len(), file.tensors.bytes());
    shell.print(format_args!("{}: {count} tensors, {bytes} bytes", file.format))?;
    for note in &file.notes {
        shell.print(format_args!("note: {note}"))?;
    }
    if let Some(published) = file.sha256.as_deref().and_then(recognise) {
        shell.print(format_args!("published as {}", published.name()))?;
    }
    if let Some(metadata) = &file.metadata {
        let sealed = if metadata.sealed { "sealed, bytes as they were written" } else { "not sealed" };
        shell.print(format_args!("header ({sealed}): {}", metadata.text))?;
    }
    let mut lines = String::new();
    for (name, tensor) in file.tensors.iter() {
        let (dtype, shape) = (format!("{:?}", tensor.dtype()), format!("{:?}", tensor.shape()));
        lines += &format!("{dtype:<5} {shape:<24} {}\n", name.escape_debug());
    }
    shell.print(lines.trim_end())?;
    if let Some(arch) = &args.arch {
        let known = Identified::of(&args.file, file, Some(arch))?;
        let weight = format!("{}.weight", known.architecture.head);
        let (head, of) = match known.file.tensors.get(&weight) {
            Some(_) => (Head::FromFile, "classes"),
            None => (Head::Removed, "features and no classifier"),
        };
        let model = known.model(head, false, &Device::Cpu)?;
        shell.print(format_args!("fits {arch} with {} {of}", model.classes()))?;
    }
    Ok(())
}
