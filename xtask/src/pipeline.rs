//! `cargo xtask reproduce` and `cargo xtask status`: the door to the pipeline, which builds the program `in9` first.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};
use in9_base::shell::{self, Machine, Outcome, Program, Shell};
use in9_pipeline::Recipe;
use in9_pipeline::cli::{Reproduce, Setting, Status};

use crate::bench::release_dir;

/// One of the pipeline's commands.
pub(crate) enum Pipeline {
    Reproduce(Box<Reproduce>),
    Status(Box<Status>),
}

/// A command, how it goes about its work, and where the user stands.
pub(crate) struct Door<'a> {
    pub(crate) command: Pipeline,
    pub(crate) machine: Machine,
    pub(crate) here: &'a Path,
}

impl Door<'_> {
    pub(crate) fn enter(self) -> ExitCode {
        shell::run(self)
    }
}

impl Program for Door<'_> {
    fn machine(&self) -> Machine {
        self.machine
    }

    fn start(&self, _threads: usize) -> Result<()> {
        Ok(())
    }

    fn run(self, shell: &Shell) -> Result<Outcome> {
        let home = std::env::current_dir()?;
        // The program that `build` makes for the stages has no explorer.
        let look = ["cargo", "run", "--release", "--package", "in9", "--", "serve"];
        let setting = Setting { here: self.here, home: &home, program: &build, look: Some(&look) };
        match self.command {
            Pipeline::Reproduce(reproduce) => reproduce.run(&setting, self.machine, shell),
            Pipeline::Status(status) => status.run(&setting, shell),
        }
    }
}

/// Builds the program `in9` in release, with what the recipe and the device need.
fn build(recipe: &Recipe, device: &str) -> Result<PathBuf> {
    let mut features = vec!["networks"];
    if device.starts_with("cuda") {
        features.push("cuda");
    }
    let trained = recipe.trainings.iter().map(|training| &training.arch);
    let mut architectures = trained.chain(recipe.models.iter().map(|model| &model.arch));
    // Candle's transformers take a fifth of the whole build, and few recipes have any.
    if architectures.any(|arch| arch.starts_with("vit") || arch.starts_with("convnext")) {
        features.push("transformers");
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Stages need no explorer.
    cargo.args(["build", "--release", "--package", "in9", "--bin", "in9", "--no-default-features"]);
    cargo.args(["--features", &features.join(",")]);
    ensure!(cargo.status().context("starting cargo")?.success(), "the program does not compile; see above");
    Ok(release_dir().join("in9").with_extension(std::env::consts::EXE_EXTENSION))
}
