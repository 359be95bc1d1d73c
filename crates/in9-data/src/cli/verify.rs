//! `in9-data verify`.

use std::path::PathBuf;

use clap::Args;
use in9_data::{Limits, verify};

use super::progress::Bar;
use super::{Context, Outcome, say};

#[derive(Args)]
#[command(after_help = "Example:\n  in9-data verify out/data/toy-r90")]
pub(super) struct Verify {
    /// Dataset to check.
    dataset: PathBuf,
}

impl Verify {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let bar = Bar::new(context.quiet);
        let checked =
            verify(&self.dataset, &Limits::default(), &|done, total| bar.tell("shards", done, total))?;
        bar.finish();
        let (samples, shards) = (checked.samples, checked.shards);
        say(format_args!("{}: sound: {samples} samples in {shards} shards", self.dataset.display()))?;
        say(format_args!("digest {}", checked.digest))?;
        Ok(Outcome::Done)
    }
}
