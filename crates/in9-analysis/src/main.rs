//! The `in9-analysis` program: parses arguments and calls the library.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = cli::Cli::parse();
    match command.run() {
        Ok(outcome) => ExitCode::from(outcome.code()),
        Err(error) if cli::out::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            cli::out::complain(&error);
            ExitCode::FAILURE
        }
    }
}
