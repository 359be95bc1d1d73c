//! The command line of `in9-toy`, and of `in9-data toy`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Parser};
use in9_base::shell::{Machine, Outcome, Program, Shell};

use crate::{BoxForm, Form, StandIn, WorldConfig, render, render_stand_in};

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
    /// A rehearsal: draw this share of the photographs of each class.
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    scale: f64,
    /// Instead, a stand-in for ILSVRC-2012: the same objects under the 370 WordNet ids of ImageNet-9, train and val, with
    /// the odd files and boxes that the real set has.
    #[arg(long)]
    ilsvrc: bool,
    /// Of a stand-in: training photographs of each id.
    #[arg(long, default_value_t = 20, requires = "ilsvrc")]
    train_per_label: u32,
    /// Of a stand-in: validation photographs of each id, at most 100; the real set has 50.
    #[arg(long, default_value_t = 10, requires = "ilsvrc")]
    val_per_label: u32,
    /// Of a stand-in: photographs in folders, as Kaggle has them, or in the archives of image-net.org.
    #[arg(long, value_enum, default_value_t = Form::Folders, requires = "ilsvrc")]
    form: Form,
    /// Of a stand-in: boxes in XML, in Kaggle's CSV, or both.
    #[arg(long, value_enum, default_value_t = BoxForm::Both, requires = "ilsvrc")]
    boxes: BoxForm,
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
        if self.ilsvrc {
            return self.stand_in(shell);
        }
        if !(self.scale > 0.0 && self.scale <= 1.0) {
            bail!("--scale: expected above 0, at most 1, found {}", self.scale);
        }
        let share = |count: u32| match count {
            0 => 0,
            count => (f64::from(count) * self.scale).round().max(1.0) as u32,
        };
        let config = WorldConfig {
            seed: self.seed,
            rho: self.rho,
            train_per_class: share(self.train_per_class),
            test_per_class: share(self.test_per_class),
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

impl Render {
    fn stand_in(self, shell: &Shell) -> anyhow::Result<Outcome> {
        let settings = StandIn {
            seed: self.seed,
            rho: self.rho,
            train_per_label: self.train_per_label,
            val_per_label: self.val_per_label,
            form: self.form,
            boxes: self.boxes,
        };
        let bar = shell.progress("rendering", "photographs", 0);
        let made = render_stand_in(&settings, &self.out, &|done, total| bar.tell("rendering", done, total))?;
        bar.finish();
        let out = self.out.display();
        if made.already_there {
            shell.say(format_args!("{out}: already complete"));
        }
        shell
            .print(format_args!("{out}: {} training and {} validation photographs", made.train, made.val))?;
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
