//! The command line: one sub-command a file.

mod convert;
mod fetch;
mod forward;
mod inspect;
mod list;
mod weights;

use std::io;
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
    List(list::Args),
    Inspect(inspect::Args),
    Forward(forward::Args),
    Fetch(fetch::Args),
    Convert(convert::Args),
}

/// Runs the program. Exit codes: 0 done, 1 failed, 2 usage, 3 done with skips.
pub(crate) fn main() -> ExitCode {
    // Prints help or a usage error by itself, with code 0 or 2.
    let cli = Cli::parse();
    let result = match cli.command {
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
