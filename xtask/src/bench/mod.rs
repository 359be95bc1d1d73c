//! `cargo xtask bench`: each crate beside its peer, in the same run, as ratios.
//!
//! A peer that cannot be imported is named and left out; our own times are printed all the same.
//! One file a crate; what they share stands in [`peer`].

mod data;
mod grabcut;
mod kernels;
mod machine;
mod peer;
mod python;
mod table;
mod zoo;

use anyhow::Result;
use clap::Subcommand;
pub(crate) use peer::release_dir;

#[derive(Subcommand)]
pub(crate) enum Bench {
    Data(data::Data),
    Grabcut(grabcut::GrabCut),
    Kernels(kernels::Kernels),
    Python(python::Python),
    Table(table::Args),
    Zoo(zoo::Args),
}

impl Bench {
    pub(crate) fn run(self) -> Result<()> {
        match self {
            Self::Data(data) => data.run(),
            Self::Grabcut(grabcut) => grabcut.run(),
            Self::Kernels(kernels) => kernels.run(),
            Self::Python(python) => python.run(),
            Self::Table(args) => table::run(&args),
            Self::Zoo(args) => zoo::run(args),
        }
    }
}
