//! The command line of `in9-report`.

mod leaderboard;

use crate::make;
use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use in9_base::shell::{self, Machine, Outcome, Program, Shell};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Reports on how much classifiers lean on the background.
#[derive(Debug, Parser)]
#[command(version, after_help = "Example:\n  in9-report report --spec report.toml --out report")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    machine: Machine,
}

#[derive(Debug, Subcommand)]
enum Command {
    Report(Report),
    Leaderboard(leaderboard::Leaderboard),
}

/// One self-contained HTML page from a list of data sets, predictions, runs and probes
///
/// Also writes results.json, CSV files and settings.toml beside index.html. Identical inputs give
/// identical bytes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  in9-report report --spec report.toml --out report")]
struct Report {
    /// The list of inputs (TOML); its paths are relative to itself.
    #[arg(long, value_name = "TOML")]
    spec: PathBuf,
    /// Folder to write; an earlier report there is replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs the program on the arguments of this process.
pub fn main() -> ExitCode {
    shell::main::<Cli>()
}

/// Runs the program on `arguments`, of which the first is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    shell::run(Cli::parse_from(arguments))
}

impl Program for Cli {
    fn machine(&self) -> Machine {
        self.machine
    }

    fn run(self, shell: &Shell) -> Result<Outcome> {
        match self.command {
            Command::Report(report) => report.run(shell),
            Command::Leaderboard(leaderboard) => leaderboard.run(shell),
        }
    }
}

impl Report {
    fn run(self, shell: &Shell) -> Result<Outcome> {
        let summary = make(&self.spec, &self.out)?;
        for line in &summary.skipped {
            shell.say(format_args!("skipped: {}", shown(line)));
        }
        let page = self.out.join("index.html");
        let (page, claims) = (page.display(), summary.claims);
        let claims = match claims.judged {
            0 => "none can be judged from these inputs".to_owned(),
            _ => claims.to_string(),
        };
        shell.print(format_args!("{page}: {} sections; the paper's claims: {claims}", summary.sections))?;
        Ok(if summary.skipped.is_empty() { Outcome::Done } else { Outcome::Skips })
    }
}

/// A line whose control characters, which a hostile file may hold, are shown as escapes.
fn shown(line: &str) -> String {
    shell::one_line(&anyhow::Error::msg(line.to_owned()))
}
