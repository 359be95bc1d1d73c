//! `in9-data outline` and `in9-data rebuild`.

use std::path::PathBuf;

use clap::Args;
use in9_base::shell::{Outcome, Shell, complain};

use super::build;
use crate::{Dataset, Limits, Rebuild as Config, rebuild, write_outline};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  in9-data outline in9 --out in9.outline\n\n\
    The outline holds masks, boxes, pairings, tables and the manifest, and of the photographs only names, sizes and\n\
    checksums. Who has the photographs makes the same dataset of it with `in9-data rebuild`.")]
pub(super) struct Outline {
    /// Dataset to read.
    dataset: PathBuf,
    /// File to write.
    #[arg(long)]
    out: PathBuf,
}

impl Outline {
    pub(super) fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        let dataset = Dataset::open(&self.dataset)?;
        let bar = shell.progress("shards", "shards", 0);
        let made = write_outline(&dataset, &self.out, &|done, total| bar.tell("shards", done, total))?;
        bar.finish();
        shell.print(format_args!(
            "{}: {} samples without their pixels, {:.1} MB for a dataset of {:.1} MB",
            self.out.display(),
            made.samples,
            megabytes(made.bytes),
            megabytes(made.dataset_bytes)
        ))?;
        shell.print(format_args!("digest {}", made.digest))?;
        Ok(Outcome::Done)
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  in9-data rebuild in9.outline --root imagenet --out in9\n\n\
    Each photograph must be the file that the dataset was built from, byte by byte; those that are not are named, and\n\
    nothing is made then. A killed run continues where it stopped.")]
pub(super) struct Rebuild {
    /// Outline of the dataset.
    outline: PathBuf,
    /// Folder of the photographs, of the kind of source that the dataset was built from.
    #[arg(long)]
    root: PathBuf,
    /// Dataset to make.
    #[arg(long)]
    out: PathBuf,
}

impl Rebuild {
    pub(super) fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        let bar = shell.progress("listing photographs", "photographs", 0);
        let config =
            Config { outline: self.outline, root: self.root, out: self.out, limits: Limits::default() };
        let made = rebuild(&config, &|p| bar.tell(build::stage(p.stage), p.done, p.total))?;
        bar.finish();
        for one in &made.differing {
            complain(&anyhow::anyhow!("{}: {} {}", one.split, one.source, one.what));
        }
        let (different, samples) = (made.differing.len(), made.samples);
        anyhow::ensure!(
            different == 0,
            "{different} of {samples} photographs are not those of {}; nothing was made, and what could be is kept \
             for the next run",
            config.outline.display()
        );
        if made.already_complete {
            shell.say(format_args!("{}: already complete", config.out.display()));
        }
        shell.print(format_args!("{}: {samples} samples, the same to the last bit", config.out.display()))?;
        shell.print(format_args!("digest {}", made.digest))?;
        Ok(Outcome::Done)
    }
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
