//! Times training steps (forward, loss, backward, SGD) of an architecture on random pictures.
//!
//! `cargo run --release -p in9-models --example training_speed -- [ARCH [BATCH [SIDE [STEPS]]]]`
//! prints the median time of a step in milliseconds and the images per second it makes.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use candle_core::{DType, Device, Tensor};
use in9_models::train::{Decay, Sgd};
use in9_models::{Mode, Params, build};

fn main() -> anyhow::Result<()> {
    in9_kernels::runtime::init(None);
    let args: Vec<String> = std::env::args().skip(1).collect();
    let arch = args.first().map_or("resnet-small", String::as_str);
    let number = |at: usize, default: usize| args.get(at).map_or(Ok(default), |text| text.parse());
    let (batch, side, steps) = (number(1, 64)?, number(2, 64)?, number(3, 20)?);

    let model = build(arch, 9, &Params::random(0, DType::F32, &Device::Cpu))?;
    let mut sgd = Sgd::new(&model.parameters(), 0.9, true, 5e-4, Decay::All)?;
    let pixels: Vec<f32> =
        (0..batch * 3 * side * side).map(|i| (i * 7919 % 1000) as f32 / 500.0 - 1.0).collect();
    let x = Tensor::from_vec(pixels, (batch, 3, side, side), &Device::Cpu)?;
    let labels: Vec<u32> = (0..batch as u32).map(|i| i % 9).collect();
    let labels = Tensor::from_vec(labels, batch, &Device::Cpu)?;

    let mut times = Vec::new();
    let mut update = 0.0;
    for step in 0..steps + 3 {
        let start = Instant::now();
        let mode = Mode::Train { seed: 0, step: step as u64 };
        let (_, _, gradients) = model.gradients(&x, &labels, 0.0, 1.0, mode)?;
        let passes = start.elapsed();
        sgd.step(&gradients, 0.01)?;
        let whole = start.elapsed();
        // The first steps fill caches and the allocator.
        if step >= 3 {
            times.push(whole.as_secs_f64());
            update += (whole - passes).as_secs_f64();
        }
    }
    times.sort_by(f64::total_cmp);
    let median = times.get(times.len() / 2).copied().unwrap_or(f64::NAN);
    let update = 1e3 * update / times.len().max(1) as f64;
    println!(
        "{arch} {batch}x3x{side}x{side}: {:.1} ms a step, {:.0} images/s (of it SGD {update:.1} ms)",
        1e3 * median,
        batch as f64 / median
    );
    Ok(())
}
