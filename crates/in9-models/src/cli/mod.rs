//! The command line: one sub-command a file.

mod convert;
mod fetch;
mod forward;
mod inspect;
mod list;
mod predict;
mod progress;
mod train;
mod weights;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Networks of the ImageNet-9 paper: train them, load them, let them predict.
#[derive(Parser)]
#[command(name = "in9-models", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Train(Box<train::Args>),
    Predict(predict::Args),
    List(list::Args),
    Inspect(inspect::Args),
    Forward(forward::Args),
    Fetch(fetch::Args),
    Convert(convert::Args),
}

/// What computes, and how much is said.
#[derive(clap::Args)]
#[command(next_help_heading = "Machine")]
struct Machine {
    /// Where to compute: cpu or cuda:N
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Worker threads [default: all cores]; changes no byte of the results
    #[arg(long, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
    /// Say nothing but results and errors
    #[arg(long)]
    quiet: bool,
}

impl Machine {
    /// Parses the device, and applies --jobs and the settings of the process.
    fn device(&self) -> anyhow::Result<in9_models::DeviceName> {
        in9_kernels::runtime::init(self.jobs.map(std::num::NonZeroUsize::get));
        Ok(self.device.parse()?)
    }
}

/// The last part of a path, as a name for what lies there.
fn folder_name(path: &Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    whole.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Prints one line of results.
fn print_line(line: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

/// Runs the program. Exit codes: 0 done, 1 failed, 2 usage, 3 done with skips.
pub(crate) fn main() -> ExitCode {
    // Prints help or a usage error by itself, with code 0 or 2.
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Train(args) => train::run(*args),
        Command::Predict(args) => predict::run(args),
        Command::List(args) => list::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Forward(args) => forward::run(args),
        Command::Fetch(args) => fetch::run(args),
        Command::Convert(args) => convert::run(args),
    };
    match result {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// Whoever read our output has seen enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
}

/// The error and its causes on one line; a cause that its parent already quotes is left out.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if line.is_empty() {
            line = text;
        } else if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
    }
    line.replace('\n', " ")
}
