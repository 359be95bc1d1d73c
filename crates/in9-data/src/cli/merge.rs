//! `in9-data merge`.

use std::path::PathBuf;

use clap::Args;
use in9_base::shell::{Outcome, Shell};

use super::build;
use crate::merge;

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  for i in 1 2 3; do in9-data build … --shard $i/3 --out piece-$i; done\n  \
    in9-data merge piece-1 piece-2 piece-3 --out in9"
)]
pub(super) struct Merge {
    /// All pieces of one build.
    #[arg(required = true)]
    pieces: Vec<PathBuf>,
    /// Dataset to make.
    #[arg(long)]
    out: PathBuf,
}

impl Merge {
    pub(super) fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        let bar = shell.progress("opening pieces", "shards", 0);
        let report = build::with_faults(merge(&self.pieces, &self.out, &|p| {
            bar.tell(build::stage(p.stage), p.done, p.total)
        }))?;
        bar.finish();
        build::tell(shell, &self.out, &report)
    }
}
