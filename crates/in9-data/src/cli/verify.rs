//! `in9-data verify`.

use std::path::PathBuf;

use clap::Args;
use in9_base::shell::{Outcome, Shell};

use crate::{Limits, verify};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  in9-data verify out/data/toy-r90")]
pub(super) struct Verify {
    /// Dataset to check.
    dataset: PathBuf,
}

impl Verify {
    pub(super) fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        let bar = shell.progress("shards", "shards", 0);
        let checked =
            verify(&self.dataset, &Limits::default(), &|done, total| bar.tell("shards", done, total))?;
        bar.finish();
        let (samples, shards) = (checked.samples, checked.shards);
        shell
            .print(format_args!("{}: sound: {samples} samples in {shards} shards", self.dataset.display()))?;
        shell.print(format_args!("digest {}", checked.digest))?;
        Ok(Outcome::Done)
    }
}
