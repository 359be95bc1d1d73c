//! Arguments, progress, exit codes.

mod build;
mod export;
mod import_release;
mod merge;
mod options;
mod progress;
mod show;
mod taxonomy;
mod toy;
mod verify;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

/// ImageNet-9 datasets: photographs with boxes or masks to layered shards, composed into the eight
/// variants when read.
///
/// Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 failed,
/// 2 wrong usage, 3 done but some inputs were skipped.
#[derive(Parser)]
#[command(name = "in9-data", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Say nothing but errors.
    #[arg(long, global = true)]
    quiet: bool,
    /// Worker threads; 0 is one a core.
    #[arg(long, global = true, default_value_t = 0, value_name = "N")]
    jobs: usize,
}

#[derive(Subcommand)]
enum Command {
    /// Render the toy world: nine kinds of object in nine kinds of scene, in the ILSVRC layout.
    Toy(toy::Toy),
    /// Build a dataset from photographs.
    Build(build::Build),
    /// Put the pieces of a build together.
    Merge(merge::Merge),
    /// Import the official test release (JPEG folders and .npy masks).
    ImportRelease(import_release::ImportRelease),
    /// Check every byte of a dataset.
    Verify(verify::Verify),
    /// Print what a dataset or one of its samples holds; draw a contact sheet of the views.
    Show(show::Show),
    /// Write a view as pictures, NumPy arrays or a WebDataset archive.
    Export(export::Export),
    /// Print a taxonomy, or derive the groupings of IN-9LB from one.
    Taxonomy(taxonomy::TaxonomyCommand),
}

/// Writes a line to standard output; a full disk behind it is an error, not a panic.
pub(crate) fn say(line: std::fmt::Arguments<'_>) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("cannot write to standard output")
}

/// What a command that did its work says.
pub(crate) enum Outcome {
    Done,
    Skipped,
}

/// What every command may use.
pub(crate) struct Context {
    pub(crate) quiet: bool,
}

/// Parses the arguments and runs the command.
pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let context = Context { quiet: arguments.quiet };
    if let Err(error) = rayon::ThreadPoolBuilder::new().num_threads(arguments.jobs).build_global() {
        eprintln!("error: cannot start {} threads: {error}; use fewer --jobs", arguments.jobs);
        return ExitCode::from(1);
    }
    let outcome = match arguments.command {
        Command::Toy(command) => command.run(&context),
        Command::Build(command) => command.run(&context),
        Command::Merge(command) => command.run(&context),
        Command::Verify(command) => command.run(&context),
        Command::Show(command) => command.run(&context),
        Command::ImportRelease(command) => command.run(&context),
        Command::Export(command) => command.run(&context),
        Command::Taxonomy(command) => command.run(),
    };
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Skipped) => ExitCode::from(3),
        Err(error) if broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let line: Vec<String> = error.chain().map(ToString::to_string).collect();
            // Our own errors already print their causes.
            let text = if error.downcast_ref::<in9_data::Error>().is_some() { &line[..1] } else { &line[..] };
            eprintln!("error: {}", text.join(": "));
            ExitCode::from(1)
        }
    }
}

/// Whoever read our output has had enough: that is no failure.
fn broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
