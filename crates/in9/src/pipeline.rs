//! `in9 reproduce`, `in9 status` and `in9 pieces`, whose stages this same program runs.

use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use in9_base::shell::{Machine, Outcome, Program, Shell};
use in9_pipeline::cli::{Pieces, Reproduce, Setting, Status};

/// What starts this program, where that is not the running executable.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Notes what starts this program.
pub(crate) fn started_by(program: Option<PathBuf>) {
    if let Some(program) = program {
        // A process is one program: whoever starts it twice starts it alike.
        let _ = PROGRAM.set(program);
    }
}

/// The whole paper from one recipe.
#[derive(Parser)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    machine: Machine,
}

#[derive(Subcommand)]
enum Command {
    Reproduce(Reproduce),
    Status(Status),
    Pieces(Pieces),
}

impl Program for Cli {
    fn machine(&self) -> Machine {
        self.machine
    }

    fn start(&self, _threads: usize) -> Result<()> {
        // The stages compute, not this process.
        Ok(())
    }

    fn run(self, shell: &Shell) -> Result<Outcome> {
        let here = std::env::current_dir().context("the current folder is gone")?;
        let program = |_: &in9_pipeline::Recipe, _: &str| match PROGRAM.get() {
            Some(program) => Ok(program.clone()),
            None => std::env::current_exe().context("this program does not know where it is"),
        };
        let look: Option<&[&str]> = cfg!(feature = "explorer").then_some(&["in9", "serve"]);
        let setting = Setting { here: &here, home: &here, program: &program, look };
        match self.command {
            Command::Reproduce(reproduce) => reproduce.run(&setting, self.machine, shell),
            Command::Status(status) => status.run(&setting, shell),
            Command::Pieces(pieces) => pieces.run(&setting, self.machine, shell),
        }
    }
}
