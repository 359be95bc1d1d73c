//! The command line of `in9-report`.

use crate::make;
use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Reports on how much classifiers lean on the background.
#[derive(Debug, Parser)]
#[command(version, after_help = "Example:\n  in9-report report --spec report.toml --out report")]
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
    Report(Report),
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
    /// Folder to write.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs the program on the arguments of this process.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

/// Runs the program on `arguments`, of which the first is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Cli::parse_from(arguments).run() {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Cli {
    /// Runs the command.
    fn run(self) -> Result<ExitCode> {
        if let Some(jobs) = self.jobs {
            rayon::ThreadPoolBuilder::new().num_threads(jobs as usize).build_global()?;
        }
        let Command::Report(report) = self.command;
        report.run(self.quiet)
    }
}

impl Report {
    fn run(self, quiet: bool) -> Result<ExitCode> {
        let summary = make(&self.spec, &self.out)?;
        if !quiet {
            for line in &summary.skipped {
                let _ = writeln!(std::io::stderr(), "skipped: {line}");
            }
        }
        let page = self.out.join("index.html");
        let (page, claims) = (page.display(), summary.claims);
        let line = format!("{page}: {} sections; the paper's claims: {claims}\n", summary.sections);
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(line.as_bytes())?;
        stdout.flush()?;
        Ok(if summary.skipped.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) })
    }
}

/// Whether the reader of our output went away, which is not an error.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |e: &std::io::Error| e.kind() == ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref().is_some_and(broken))
}
