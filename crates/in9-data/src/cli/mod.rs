//! The command line of `in9-data`: parses arguments, calls the library, and tells what came of it.

mod build;
mod complete;
mod export;
mod import_release;
mod masks;
mod measure;
mod merge;
mod options;
mod outline;
mod show;
mod taxonomy;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use in9_base::shell::{Machine, Outcome, Program, Shell};

use crate::error::Error;

pub use masks::{OpenMasks, sam_is_opened_by};

/// ImageNet-9 datasets: photographs with boxes or masks to layered shards, composed into the eight
/// variants when read.
///
/// Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 failed,
/// 2 wrong usage, 3 done but some inputs were skipped.
#[derive(Debug, Parser)]
#[command(name = "in9-data", version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    machine: Machine,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Render the toy world: nine kinds of object in nine kinds of scene, in the ILSVRC layout.
    Toy(in9_toy::cli::Render),
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
    /// Write what may be shared of a dataset whose photographs may not: masks, boxes, pairings.
    Outline(outline::Outline),
    /// Make a dataset again from its outline and its photographs.
    Rebuild(outline::Rebuild),
    /// Complete a table of bare answers, image,view,predicted, to a prediction table.
    Complete(complete::Complete),
    /// Measure how fast photographs are taken apart on this machine.
    MeasureBuild(measure::MeasureBuild),
    /// Print a taxonomy, or derive the groupings of IN-9LB from one.
    Taxonomy(taxonomy::TaxonomyCommand),
}

impl Program for Arguments {
    fn machine(&self) -> Machine {
        self.machine
    }

    fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        let outcome = match self.command {
            Command::Toy(command) => command.run(shell),
            Command::Build(command) => command.run(shell),
            Command::Merge(command) => command.run(shell),
            Command::Verify(command) => command.run(shell),
            Command::Show(command) => command.run(shell),
            Command::ImportRelease(command) => command.run(shell),
            Command::Export(command) => command.run(shell),
            Command::Outline(command) => command.run(shell),
            Command::Rebuild(command) => command.run(shell),
            Command::MeasureBuild(command) => command.run(shell),
            Command::Complete(command) => command.run(shell),
            Command::Taxonomy(command) => command.run(shell),
        };
        outcome.map_err(with_flag)
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    in9_base::shell::main::<Arguments>()
}

/// Says by which flag an error of the library is settled, where there is one.
fn with_flag(error: anyhow::Error) -> anyhow::Error {
    let hint = match error.downcast_ref::<Error>() {
        Some(Error::PhotographsOnly { .. }) => "the dataset was built with --photos-only",
        Some(Error::OtherBuild { .. }) => "give another --out",
        Some(Error::NothingKept { rule, .. }) => match rule.as_str() {
            "no-mask" => {
                "masks stand in ROOT/masks/[SPLIT/]CLASS/NAME.png, or beside the photographs as NAME_mask.png"
            }
            "no-box" => "a mask or a row of ROOT/boxes.csv gives each photograph its box; see `build --help`",
            _ => "the rules are in in9-data's README",
        },
        Some(Error::Memory { .. } | Error::Thread { .. }) => "give fewer --jobs",
        _ => return error,
    };
    anyhow::anyhow!("{error} ({hint})")
}
