//! The command line of `in9-analysis`, one sub-command a file.

#[cfg(feature = "probes")]
mod additivity;
#[cfg(feature = "probes")]
mod adversarial;
mod answers;
mod compare;
#[cfg(feature = "probes")]
mod counterfactual;
mod mask_datasets;
#[cfg(feature = "probes")]
mod mask_error;
mod mask_quality;
#[cfg(feature = "probes")]
mod mask_sources;
#[cfg(feature = "probes")]
mod pieces;
mod progress;
#[cfg(feature = "probes")]
mod saliency;
mod score;
#[cfg(feature = "probes")]
mod surface;
#[cfg(feature = "probes")]
mod target;

use crate::stats::Bootstrap;
use anyhow::Result;
use clap::{Parser, Subcommand};
use in9_base::files::Owner;
use in9_base::shell::{self, Machine, Program, Shell};
pub(crate) use in9_base::shell::{Outcome, Statistics};
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the program on the arguments of this process.
pub fn main() -> ExitCode {
    shell::main::<Cli>()
}

/// Runs the program on `arguments`, of which the first is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    shell::run(Cli::parse_from(arguments))
}

/// How much does a classifier lean on the background?
///
/// Reads prediction tables (CSV) of any origin, answers with numbers that carry their uncertainty.
#[derive(Debug, Parser)]
#[command(version, after_help = "Example:\n  in9-analysis score predictions.csv --out scores")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    machine: Machine,
}

/// The sub-commands.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "each is documented where its arguments are, which is what the help shows")]
pub enum Command {
    Score(score::Score),
    Compare(compare::Compare),
    Progress(progress::Progress),
    #[cfg(feature = "probes")]
    Additivity(Box<additivity::Additivity>),
    #[cfg(feature = "probes")]
    Adversarial(Box<adversarial::Adversarial>),
    #[cfg(feature = "probes")]
    Saliency(Box<saliency::Saliency>),
    #[cfg(feature = "probes")]
    Counterfactual(Box<counterfactual::Counterfactual>),
    #[cfg(feature = "probes")]
    MaskError(Box<mask_error::MaskError>),
    MaskQuality(mask_quality::MaskQuality),
    #[cfg(feature = "probes")]
    MaskSources(Box<mask_sources::MaskSources>),
    #[cfg(feature = "probes")]
    Surface(Box<surface::Surface>),
}

impl Command {
    /// Runs the command; errors name the flags that settle them.
    ///
    /// # Errors
    /// Whatever stops the command.
    pub fn run(self, shell: &Shell) -> Result<Outcome> {
        let result = match self {
            Self::Score(c) => c.run(shell),
            Self::Compare(c) => c.run(shell),
            Self::Progress(c) => c.run(shell),
            #[cfg(feature = "probes")]
            Self::Additivity(c) => c.run(shell),
            #[cfg(feature = "probes")]
            Self::Adversarial(c) => c.run(shell),
            #[cfg(feature = "probes")]
            Self::Saliency(c) => c.run(shell),
            #[cfg(feature = "probes")]
            Self::Counterfactual(c) => c.run(shell),
            #[cfg(feature = "probes")]
            Self::MaskError(c) => c.run(shell),
            Self::MaskQuality(c) => c.run(shell),
            #[cfg(feature = "probes")]
            Self::MaskSources(c) => c.run(shell),
            #[cfg(feature = "probes")]
            Self::Surface(c) => c.run(shell),
        };
        #[cfg(feature = "probes")]
        let result = result.map_err(in9_models::cli::name_flags);
        result
    }
}

impl Program for Cli {
    fn machine(&self) -> Machine {
        self.machine
    }

    // Networks run on kernels that want more of the process than a pool of threads.
    #[cfg(feature = "probes")]
    fn start(&self, threads: usize) -> Result<()> {
        match self.command {
            Command::Additivity(_)
            | Command::Adversarial(_)
            | Command::Saliency(_)
            | Command::Counterfactual(_)
            | Command::MaskError(_)
            | Command::MaskSources(_)
            | Command::Surface(_) => {
                in9_models::runtime::init(Some(threads));
                Ok(())
            }
            Command::Score(_) | Command::Compare(_) | Command::Progress(_) | Command::MaskQuality(_) => {
                shell::start_pool(threads)
            }
        }
    }

    fn run(self, shell: &Shell) -> Result<Outcome> {
        self.command.run(shell)
    }
}

impl From<Statistics> for Bootstrap {
    fn from(s: Statistics) -> Self {
        Self { replicates: s.replicates, level: s.level, seed: s.seed }
    }
}

/// What the statistics' commands write.
pub(crate) const SCORES: Owner = Owner {
    made_by: "in9-analysis",
    names: &[
        "results.json",
        "settings.toml",
        "accuracy.csv",
        "categories.csv",
        "classes.csv",
        "confusion.csv",
        "gaps.csv",
        "groups.csv",
        "ladder.csv",
    ],
};
