//! The command line of the program `in9-models`: one sub-command a file.

pub mod encoder;
pub mod network;

mod card;
#[cfg(feature = "cuda")]
mod check_gpu;
mod convert;
mod fetch;
mod flags;
mod forward;
mod imagenet;
mod inspect;
mod list;
mod measure;
mod pictures;
mod predict;
mod probe;
mod train;
mod train_progress;
mod train_settings;

use clap::{Parser, Subcommand};
use in9_base::shell::{Machine, Outcome, Program, Shell};

pub use flags::name_flags;

/// Networks of the ImageNet-9 paper: train them, load them, let them predict.
#[derive(Parser)]
#[command(name = "in9-models", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    machine: Machine,
}

/// The sub-commands.
#[derive(Subcommand)]
#[allow(missing_docs, reason = "each is documented where its arguments are, which is what the help shows")]
pub enum Command {
    Train(Box<train::Args>),
    Predict(Box<predict::Args>),
    Probe(Box<probe::Args>),
    List(list::Args),
    Inspect(inspect::Args),
    Forward(forward::Args),
    Imagenet(imagenet::Args),
    Measure(measure::Args),
    Fetch(fetch::Args),
    #[cfg(feature = "cuda")]
    CheckGpu(check_gpu::Args),
    Convert(convert::Args),
}

impl Command {
    /// Runs the command; errors name the flags that settle them.
    ///
    /// # Errors
    /// Whatever stops the command.
    pub fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        let result = match self {
            Self::Train(args) => train::run(*args, shell),
            Self::Predict(args) => predict::run(&args, shell),
            Self::Probe(args) => probe::run(&args, shell),
            Self::List(args) => list::run(args, shell),
            Self::Inspect(args) => inspect::run(args, shell),
            Self::Forward(args) => forward::run(args, shell),
            Self::Imagenet(args) => imagenet::run(args, shell),
            Self::Measure(args) => measure::run(args, shell),
            Self::Fetch(args) => fetch::run(args, shell),
            #[cfg(feature = "cuda")]
            Self::CheckGpu(args) => check_gpu::run(args, shell),
            Self::Convert(args) => convert::run(args, shell),
        };
        result.map(|()| Outcome::Done).map_err(name_flags)
    }
}

impl Program for Cli {
    fn machine(&self) -> Machine {
        self.machine
    }

    fn start(&self, threads: usize) -> anyhow::Result<()> {
        in9_kernels::runtime::init(Some(threads));
        Ok(())
    }

    fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        self.command.run(shell)
    }
}

/// The device of a command line: `cpu`, `cuda:N` or `auto`, and how it computes.
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(next_help_heading = "Machine")]
pub struct DeviceArgs {
    /// Where to compute: cpu, cuda:N, or auto for a GPU if there is one
    #[arg(long, default_value = "cpu", value_parser = device)]
    pub device: crate::DeviceName,
    /// What products and activations are rounded to [default: f32 on a processor, tf32 on a GPU]
    #[arg(long, value_enum)]
    pub precision: Option<crate::Precision>,
    /// Let a GPU use algorithms whose last digits differ from one time to the next
    #[arg(long)]
    pub fast: bool,
}

impl DeviceArgs {
    /// What the flags ask for, with the device that `auto` stands for; says why that is the processor where it is.
    pub fn compute(&self, shell: &Shell) -> crate::Compute {
        let asked = crate::Compute { device: self.device, precision: self.precision, fast: self.fast };
        let (compute, why) = asked.resolved();
        if let Some(why) = why {
            shell.say(format_args!("computing on the processor: {why}"));
        }
        compute
    }

    /// The device that the flags ask for, and what results call it; says which GPU it is.
    ///
    /// # Errors
    /// As [`Compute::open`](crate::Compute::open).
    pub fn open(&self, shell: &Shell) -> crate::Result<(candle_core::Device, String)> {
        let compute = self.compute(shell);
        let device = compute.open()?;
        if let Some(gpu) = crate::device::description(&device) {
            shell.say(format_args!("computing on {gpu}"));
        }
        let kind = compute.kind(&device);
        Ok((device, kind))
    }
}

fn device(text: &str) -> Result<crate::DeviceName, String> {
    text.parse().map_err(|_| "expected cpu, cuda:N or auto".to_owned())
}
