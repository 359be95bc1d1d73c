//! The program `in9`: every command of the workspace's crates under one name.
//!
//! A library so that the same program can be started from elsewhere: the Python package's command is [`run`].
#![deny(missing_docs)]

mod arguments;
mod generated;
mod part;
mod pipeline;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use in9_base::shell::{Machine, complain};

use part::Part;

/// The crates whose commands these are, in the order in which data flows through them.
fn parts() -> Vec<Part> {
    vec![
        Part::alone::<in9_toy::cli::Arguments>("toy", in9_toy::IDENTITY),
        Part::of::<in9_data::cli::Arguments>(in9_data::IDENTITY),
        #[cfg(feature = "networks")]
        Part::of::<in9_models::cli::Cli>(in9_models::IDENTITY),
        Part::of::<in9_analysis::cli::Cli>(in9_analysis::IDENTITY),
        Part::of::<in9_report::cli::Cli>(in9_report::IDENTITY),
        #[cfg(feature = "explorer")]
        Part::of::<in9_explorer::cli::Cli>(""),
        Part::of::<pipeline::Cli>(""),
        Part::of::<generated::Cli>(""),
    ]
}

/// Every command, for help and mistakes.
fn command(parts: &[Part]) -> clap::Command {
    let command = clap::Command::new("in9")
        .version(env!("CARGO_PKG_VERSION"))
        .about("How much does an image classifier lean on the background?")
        .long_about(
            "How much does an image classifier lean on the background?\n\n\
             Takes photographs apart into foreground and background, puts them together again in the ways of \
             ImageNet-9, trains or loads classifiers, and answers with numbers that carry their uncertainty. \
             `in9 reproduce` does all of it.\n\n\
             Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, \
             2 wrong usage, 3 done but some input was left out, 130 and 143 stopped.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true);
    let command = <Machine as clap::Args>::augment_args(command);
    // Each part counts its commands from nought; here they stand in the order of the parts.
    let all = commands(parts).into_iter().enumerate();
    command.subcommands(all.map(|(place, (command, _))| command.display_order(place)))
}

/// Each command with its part; of two of the same name the first.
fn commands(parts: &[Part]) -> Vec<(clap::Command, &Part)> {
    let mut found: Vec<(clap::Command, &Part)> = Vec::new();
    for part in parts {
        for command in part.commands() {
            if !found.iter().any(|(other, _)| other.get_name() == command.get_name()) {
                found.push((command, part));
            }
        }
    }
    found
}

/// Runs the program on `words`, of which the first is its name.
///
/// `program` is what starts this program again, for stages that run as processes of their own; `None` is the running
/// executable. Help and mistakes end the process.
pub fn run(words: Vec<OsString>, program: Option<PathBuf>) -> ExitCode {
    pipeline::started_by(program);
    #[cfg(feature = "transformers")]
    in9_data::cli::sam_is_opened_by(|path, limits| Ok(in9_models::sam::open(path, limits)?));
    let parts = parts();
    // For the pipeline; people are not shown these two.
    match words.get(1).and_then(|word| word.to_str()) {
        Some("identity") => return print(&identities(&parts)),
        Some("check-arguments") => {
            return match arguments::check(&parts, std::io::stdin()) {
                Ok(answers) => print(&answers),
                Err(error) => {
                    complain(&error);
                    ExitCode::FAILURE
                }
            };
        }
        _ => {}
    }
    // Prints help and mistakes itself, and ends.
    let matches = command(&parts).get_matches_from(&words);
    let name = matches.subcommand_name().unwrap_or_default();
    match parts.iter().find(|part| part.has(name)) {
        Some(part) => part.run(&words),
        None => ExitCode::from(2),
    }
}

/// What each command was built from, a line each. A command's results are out of date when it changes.
fn identities(parts: &[Part]) -> String {
    let known = commands(parts).into_iter().filter(|(_, part)| !part.identity().is_empty());
    let lines: Vec<String> =
        known.map(|(command, part)| format!("{} {}", command.get_name(), part.identity())).collect();
    lines.join("\n")
}

fn print(text: &str) -> ExitCode {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
