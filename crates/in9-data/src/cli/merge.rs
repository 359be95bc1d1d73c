//! `in9-data merge`.

use std::path::PathBuf;

use clap::Args;
use in9_data::merge;

use super::progress::Bar;
use super::{Context, Outcome, build};

#[derive(Args)]
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
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let bar = Bar::new(context.quiet);
        let report = merge(&self.pieces, &self.out, &|p| bar.tell(build::stage(p.stage), p.done, p.total))?;
        bar.finish();
        build::tell(&report)
    }
}
