//! Time of one architecture, for `cargo xtask bench zoo`.
//!
//!     bench_zoo ARCH infer|train BATCH ITERATIONS THREADS
//!
//! Prints one JSON line: {"arch": …, "work": …, "ms": median, "peak_mb": of the process}. The
//! input has the architecture's own size, the head 1000 classes; `infer` is a frozen model,
//! `train` forward, cross entropy, backward and a step of SGD with momentum.

#![allow(clippy::print_stdout, reason = "a program")]

use std::time::Instant;

use anyhow::{Context, bail};
use candle_core::{DType, Device, Tensor};
use in9_models::train::{Decay, Sgd};
use in9_models::{Mode, Params, build, registry};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [arch, work, batch, iterations, threads] = arguments.as_slice() else {
        bail!("usage: bench_zoo ARCH infer|train BATCH ITERATIONS THREADS");
    };
    in9_kernels::runtime::init(Some(threads.parse()?));
    let (batch, iterations): (usize, usize) = (batch.parse()?, iterations.parse()?);
    let side = registry::find(arch)?.input_size;
    let model = build(arch, 1000, &Params::random(0, DType::F32, &Device::Cpu))?;
    // Values do not matter to the time, as long as they are neither zeros nor denormal.
    let values: Vec<f32> = (0..batch * 3 * side * side).map(|i| (i % 255) as f32 / 64.0 - 2.0).collect();
    let x = Tensor::from_vec(values, (batch, 3, side, side), &Device::Cpu)?;

    let mut run: Box<dyn FnMut() -> anyhow::Result<()>> = match work.as_str() {
        "infer" => {
            let model = model.frozen()?;
            Box::new(move || {
                model.forward(&x, Mode::Eval)?;
                Ok(())
            })
        }
        "train" => {
            let labels: Vec<u32> = (0..batch as u32).map(|i| i % 1000).collect();
            let labels = Tensor::from_vec(labels, batch, &Device::Cpu)?;
            let mut sgd = Sgd::new(&model.parameters(), 0.9, false, 1e-4, Decay::All)?;
            let mut step = 0;
            Box::new(move || {
                let mode = Mode::Train { seed: 0, step };
                let (loss, _, gradients) = model.gradients(&x, &labels, 0.0, 1.0, mode)?;
                sgd.step(&gradients, 0.01)?;
                loss.to_scalar::<f32>()?;
                step += 1;
                Ok(())
            })
        }
        _ => bail!("{work}: no such work (expected infer or train)"),
    };
    run()?;
    let mut times = Vec::new();
    for _ in 0..iterations {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    let ms = times.get(times.len() / 2).context("ITERATIONS: expected at least 1")?;
    println!(r#"{{"arch":"{arch}","work":"{work}","ms":{ms:.2},"peak_mb":{}}}"#, peak_mb());
    Ok(())
}

/// The process's largest resident size, or 0 where the system does not tell it.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}
