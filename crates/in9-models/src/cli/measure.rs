//! `in9-models measure`: how many pictures a second a network takes on this machine.

use std::time::Instant;

use candle_core::{DType, Tensor};
use in9_base::shell::Shell;

use crate::model::{Mode, build};
use crate::params::Params;
use crate::train::{Decay, Sgd};

/// Measure how fast an architecture is on this machine: one line of JSON
#[derive(clap::Args)]
#[command(after_help = "Example: in9-models measure --arch resnet50 --size 224 --gradients --seconds 10")]
pub struct Args {
    /// Architecture; `in9-models list` shows all
    #[arg(long)]
    arch: String,
    /// Side of the pictures, in pixels
    #[arg(long, default_value_t = 224, value_parser = clap::value_parser!(u16).range(1..=4096))]
    size: u16,
    /// Train instead of answer: forward, back, and the optimiser's step
    #[arg(long)]
    gradients: bool,
    /// Pictures a batch
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(2..))]
    batch_size: u16,
    /// Seconds to measure for, about; at least one batch
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    #[command(flatten)]
    device: super::DeviceArgs,
}

pub(super) fn run(args: Args, shell: &Shell) -> anyhow::Result<()> {
    let device = args.device.open(shell)?.0;
    let (n, side) = (usize::from(args.batch_size), usize::from(args.size));
    let model = build(&args.arch, 9, &Params::random(0, DType::F32, &device))?;
    // Any pictures: the time does not depend on what they show.
    let pixels: Vec<f32> = (0..n * 3 * side * side).map(|i| (i * 7919 % 1000) as f32 / 500.0 - 1.0).collect();
    let images = Tensor::from_vec(pixels, (n, 3, side, side), &device)?;
    let labels = Tensor::from_vec((0..n as u32).map(|i| i % 9).collect::<Vec<_>>(), n, &device)?;
    let mut sgd = Sgd::new(&model.parameters(), 0.9, false, 1e-4, Decay::All)?;
    let frozen = model.frozen()?;
    let mut once = |step: u64| -> crate::Result<()> {
        if args.gradients {
            let mode = Mode::Train { seed: 0, step };
            let (loss, _, gradients) = model.gradients(&images, &labels, 0.0, 1.0, mode)?;
            sgd.step(&gradients, 1e-3)?;
            loss.to_scalar::<f32>()?;
        } else {
            // Read back, so that a GPU is waited for.
            frozen.forward(&images, Mode::Eval)?.to_dtype(DType::F32)?.to_vec2::<f32>()?;
        }
        Ok(())
    };
    // The first batch fills caches and the allocator; it alone counts where it takes all the time there is.
    let started = Instant::now();
    once(0)?;
    let first = started.elapsed().as_secs_f64();
    let (mut batches, mut seconds) = (1, first);
    if first < args.seconds / 2.0 {
        (batches, seconds) = (0, 0.0);
        let started = Instant::now();
        while seconds < args.seconds - first {
            batches += 1;
            once(batches)?;
            seconds = started.elapsed().as_secs_f64();
        }
    }
    let speed = batches as f64 * n as f64 / seconds.max(1e-9);
    shell.print(format_args!("{{\"batches\": {batches}, \"pictures_per_second\": {speed}}}"))
}
