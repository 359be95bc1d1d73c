//! The command line of `in9-analysis`, one sub-command a file.

#[cfg(feature = "probes")]
pub(crate) mod adversarial;
#[cfg(feature = "probes")]
pub(crate) mod bar;
pub(crate) mod compare;
#[cfg(feature = "probes")]
pub(crate) mod counterfactual;
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
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the program on the arguments of this process.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

/// Runs the program on `arguments`, of which the first is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Cli::parse_from(arguments).run() {
        Ok(outcome) => ExitCode::from(outcome.code()),
        Err(error) if out::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            out::complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// How much does a classifier lean on the background?
///
/// Reads prediction tables (CSV) of any origin, answers with numbers that carry their uncertainty.
#[derive(Debug, Parser)]
#[command(version, after_help = "Example:\n  in9-analysis score predictions.csv --out scores")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Worker threads; all cores if absent.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    jobs: Option<u32>,
    /// Says nothing but errors on stderr.
    #[arg(long, global = true)]
    quiet: bool,
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

/// How a command that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done.
    Done,
    /// Something was reported and left out.
    Skips,
}

impl Outcome {
    /// Exit code of the program.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Skips => 3,
        }
    }
}

impl Cli {
    /// Runs the command.
    pub fn run(self) -> Result<Outcome> {
        if let Some(jobs) = self.jobs {
            rayon::ThreadPoolBuilder::new().num_threads(jobs as usize).build_global()?;
        }
        #[cfg(feature = "probes")]
        let log = out::Log { quiet: self.quiet };
        match self.command {
            Command::Score(c) => c.run(),
            Command::Compare(c) => c.run(),
            Command::Progress(c) => c.run(),
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
