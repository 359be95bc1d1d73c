//! `in9-models convert`: any weight file to safetensors.

use std::path::PathBuf;

use in9_base::shell::Shell;
use in9_data::Normalization;
use in9_data::facts::NetworkFacts;

use super::network::normalization;
use crate::error::Error;
use crate::model_file;
use crate::open::{Identified, Source};
use crate::weights::{self, Limits};

/// Turn a weight file of any kind into safetensors
///
/// Wrappers and prefixes of training programs are removed, and names of other projects become
/// torchvision's or timm's; each such step is printed. What is known about the network goes into the
/// file's header: its architecture, how inputs are normalised, and of which published weights it is.
#[derive(clap::Args)]
#[command(after_help = "Example: in9-models convert --in legacy.pth --out w.safetensors")]
pub struct Args {
    /// The file to read: torch zip, torch legacy, safetensors
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// The safetensors file to write
    #[arg(long)]
    out: PathBuf,
    /// Architecture, for weights that do not name theirs
    #[arg(long)]
    arch: Option<String>,
    /// What inputs are normalised with, for weights that do not say it (see `predict`)
    #[arg(long, value_name = "NAME", value_parser = normalization)]
    normalization: Option<Normalization>,
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<()> {
    let source = Source::File(args.input.clone());
    // What nobody knows is no reason not to convert, but the file will have to be opened with flags.
    let (file, metadata) = match Identified::read(&source, args.arch.as_deref(), &mut |_| {}) {
        Ok(known) => match known.normalization(args.normalization) {
            Ok((normalization, known_from)) => {
                let facts = facts(&known, normalization);
                shell.say(format_args!("{}: inputs are normalised as by {known_from}", facts.arch));
                (Some(known.file), Some(model_file::header(&args.out, &facts)?))
            }
            Err(why @ Error::NormalizationUnknown { .. }) => {
                shell.say(format_args!("{why}; the new file will not either: give --normalization"));
                (Some(known.file), None)
            }
            Err(other) => return Err(other.into()),
        },
        Err(why @ Error::ArchitectureUnknown(_)) => {
            shell.say(format_args!("{why}; the new file will not either: give --arch"));
            (None, None)
        }
        Err(other) => return Err(other.into()),
    };
    let file = match file {
        Some(file) => file,
        None => weights::read(&args.input, &Limits::default())?,
    };
    for note in &file.notes {
        shell.say(format_args!("{}: {note}", args.input.display()));
    }
    weights::write(&args.out, &file.tensors, metadata.as_deref())?;
    let (count, bytes) = (file.tensors.len(), file.tensors.bytes());
    shell.say(format_args!("{}: {count} tensors, {bytes} bytes, from {}", args.out.display(), file.format));
    Ok(())
}

/// What the new file says about itself: what the old one said, and what is known of it.
fn facts(known: &Identified, normalization: Normalization) -> NetworkFacts {
    let published = known.published;
    let mut facts = known.facts.clone().unwrap_or_else(|| NetworkFacts {
        arch: known.architecture.name.to_owned(),
        classes: Vec::new(),
        size: published.map_or(0, |published| published.preprocessing.size),
        mean: normalization.mean,
        std: normalization.std,
        trained_on: String::new(),
        name: String::new(),
        origin: published.map(|published| published.name()).unwrap_or_default(),
    });
    (facts.mean, facts.std) = (normalization.mean, normalization.std);
    facts
}
