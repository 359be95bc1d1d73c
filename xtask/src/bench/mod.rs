//! `cargo xtask bench`: each crate beside its peer, in the same run, as ratios.
//!
//! A peer that cannot be imported is named and left out; our own times are printed all the same.
//! One file a crate; what they share stands in [`peer`].

mod grabcut;
mod kernels;
mod peer;
mod zoo;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Bench {
    Grabcut(grabcut::GrabCut),
    Kernels(kernels::Kernels),
    Zoo(zoo::Args),
}

impl Bench {
    pub(crate) fn run(self) -> Result<()> {
        match self {
            Self::Grabcut(grabcut) => grabcut.run(),
            Self::Kernels(kernels) => kernels.run(),
            Self::Zoo(args) => zoo::run(args),
        }
    }
}
