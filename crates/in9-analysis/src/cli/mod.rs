//! The command line of `in9-analysis`, one sub-command a file.

#[cfg(feature = "probes")]
pub(crate) mod adversarial;
#[cfg(feature = "probes")]
pub(crate) mod bar;
pub(crate) mod compare;
#[cfg(feature = "probes")]
pub(crate) mod counterfactual;
#[cfg(feature = "probes")]
pub(crate) mod out;
#[cfg(feature = "probes")]
pub(crate) mod pieces;
pub(crate) mod progress;
#[cfg(feature = "probes")]
pub(crate) mod saliency;
pub(crate) mod score;
#[cfg(feature = "probes")]
pub(crate) mod target;

use crate::stats::Bootstrap;
use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use in9_base::files::Owner;
pub(crate) use in9_base::shell::Outcome;
use in9_base::shell::{self, Machine, Program, Shell};
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

#[derive(Debug, Subcommand)]
enum Command {
    Score(score::Score),
    Compare(compare::Compare),
    Progress(progress::Progress),
    #[cfg(feature = "probes")]
    Adversarial(Box<adversarial::Adversarial>),
    #[cfg(feature = "probes")]
    Saliency(Box<saliency::Saliency>),
    #[cfg(feature = "probes")]
    Counterfactual(Box<counterfactual::Counterfactual>),
}

impl Program for Cli {
    fn machine(&self) -> Machine {
        self.machine
    }

    fn run(self, shell: &Shell) -> Result<Outcome> {
        #[cfg(feature = "probes")]
        let log = out::Log { quiet: shell.is_quiet() };
        match self.command {
            Command::Score(c) => c.run(shell),
            Command::Compare(c) => c.run(shell),
            Command::Progress(c) => c.run(shell),
            #[cfg(feature = "probes")]
            Command::Adversarial(c) => c.run(log),
            #[cfg(feature = "probes")]
            Command::Saliency(c) => c.run(log),
            #[cfg(feature = "probes")]
            Command::Counterfactual(c) => c.run(log),
        }
    }
}

/// Settings of every interval.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Statistics {
    /// Confidence level of every interval.
    #[arg(long, default_value_t = 0.95, value_parser = level)]
    level: f64,
    /// Bootstrap resamples.
    #[arg(long, default_value_t = 2000, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    replicates: u32,
    /// Seed of the resamples.
    #[arg(long, default_value_t = 0)]
    seed: u64,
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
    ],
};

/// The settings of a probe for settings.toml.
#[cfg(feature = "probes")]
pub(crate) fn probe_settings(target: &target::Target, opened: &target::Opened, more: &str) -> String {
    format!("{}{more}", target.settings(opened))
}

fn level(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(level) if level > 0.0 && level < 1.0 => Ok(level),
        _ => Err(format!("expected a number between 0 and 1, such as 0.95, found {text}")),
    }
}
