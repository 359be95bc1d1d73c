//! The command line of `in9-toy`, and of `in9-data toy`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser};
use in9_base::shell::{Machine, Outcome, Program, Shell};

use crate::{WorldConfig, render};

/// Photographs that need no download: nine kinds of object in nine kinds of scene, with exact masks and boxes,
/// in the ILSVRC layout.
#[derive(Debug, Parser)]
#[command(name = "in9-toy", version, after_help = "Example:\n  in9-toy --out world --seed 1 --rho 0.9")]
pub struct Arguments {
    #[command(flatten)]
    render: Render,
    #[command(flatten)]
    machine: Machine,
}

/// What is rendered, and where to.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  in9-data toy --out world --seed 1 --rho 0.9")]
pub struct Render {
    /// New folder to write.
    #[arg(long)]
    out: PathBuf,
    /// Seed of everything random.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How often an object stands in its own kind of scene, 0 to 1.
    #[arg(long, default_value_t = 0.9)]
    rho: f64,
    /// Training photographs of each class.
    #[arg(long, default_value_t = 300)]
    train_per_class: u32,
    /// Test photographs of each class.
    #[arg(long, default_value_t = 100)]
    test_per_class: u32,
    /// How often an object has the size of its class, 0 to 1: at 1 its box alone tells the class.
    #[arg(long, default_value_t = 0.0)]
    size_leak: f64,
    /// How often an object stands at the place of its class, 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    place_leak: f64,
}

impl Render {
    /// Renders the world and tells what was made.
    ///
    /// # Errors
    /// If the world cannot be rendered or standard output cannot be written.
    pub fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        let config = WorldConfig {
            seed: self.seed,
            rho: self.rho,
            train_per_class: self.train_per_class,
            test_per_class: self.test_per_class,
            size_leak: self.size_leak,
            place_leak: self.place_leak,
        };
        let bar = shell.progress("rendering", "photographs", 0);
        let made = render(&config, &self.out, &|done, total| bar.tell("rendering", done, total))?;
        bar.finish();
        let out = self.out.display();
        if made.already_there {
            shell.say(format_args!("{out}: already complete"));
        }
        shell.print(format_args!("{out}: {} training and {} test photographs", made.train, made.test))?;
        Ok(Outcome::Done)
    }
}

impl Program for Arguments {
    fn machine(&self) -> Machine {
        self.machine
    }

    fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        self.render.run(shell)
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    in9_base::shell::main::<Arguments>()
}
