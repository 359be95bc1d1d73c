//! Times whole networks, for comparison with tests/oracles/kernels_peer.py.
//!
//! ```text
//! cargo run --release -p in9-kernels --example bench_networks -- --work train-resnet-small [--iterations 5] [--threads 2] [--slice 8]
//! ```
//!
//! `--slice` is the number of images that inference computes at a time. The default is 8, so that activations
//! stay in a cache, and 16 for ResNet-50, whose filters do not fit it anyway.
//!
//! Prints one line of JSON, in the peer's format. `--work hash` prints a hash of the weights after three
//! training steps instead, which must not depend on `--threads`.
#![allow(clippy::print_stdout)]

mod block;
mod data;
mod layers;
mod network;
mod optimizer;

use anyhow::{Context, bail};
use candle_core::{Device, Tensor};
use layers::Layers;
use network::Network;
use optimizer::Sgd;
use std::time::Instant;

/// What is timed.
struct Work {
    name: String,
    network: &'static str,
    /// Images of a batch.
    batch: usize,
    /// Height and width of the images.
    side: usize,
    classes: usize,
    /// Whether a training step is timed, or inference.
    train: bool,
    /// Images that inference computes at a time.
    slice: usize,
}

impl Work {
    fn parse(name: &str) -> anyhow::Result<Self> {
        let (network, batch, side, classes) = match name {
            "infer-resnet18" => ("resnet18", 32, 224, 1000),
            "infer-resnet50" => ("resnet50", 32, 224, 1000),
            "infer-mobilenet-v2" => ("mobilenet-v2", 32, 224, 1000),
            "train-resnet18" => ("resnet18", 64, 64, 1000),
            "train-mobilenet-v2" => ("mobilenet-v2", 16, 96, 1000),
            "train-resnet-small" | "hash" => ("resnet-small", 64, 64, 9),
            other => bail!(
                "unknown work {other:?}; known are infer-resnet18, infer-resnet50, infer-mobilenet-v2, train-resnet18, train-mobilenet-v2, train-resnet-small, hash"
            ),
        };
        let (train, slice) = (!name.starts_with("infer"), if network == "resnet50" { 16 } else { 8 });
        Ok(Self { name: name.to_owned(), network, batch, side, classes, train, slice })
    }
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |flag: &str| {
        let at = arguments.iter().position(|a| a == flag)?;
        arguments.get(at + 1).cloned()
    };
    let number = |flag: &str, default: usize| -> anyhow::Result<usize> {
        match value(flag) {
            Some(text) => text.parse().with_context(|| format!("{flag} {text}")),
            None => Ok(default),
        }
    };
    in9_kernels::runtime::init(Some(number("--threads", 2)?));
    let work = Work::parse(&value("--work").context("--work NAME is missing")?)?;
    let iterations = number("--iterations", 5)?;
    let slice = number("--slice", work.slice)?.max(1);

    let layers = Layers::new();
    let network =
        Network::new(work.network, work.classes, work.train && work.network == "resnet18", &layers)?;
    let images = data::random_values(work.batch * 3 * work.side * work.side, 1);
    let images = Tensor::from_vec(images, (work.batch, 3, work.side, work.side), &Device::Cpu)?;
    let labels: Vec<u32> = (0..work.batch).map(|i| (i * 7 % work.classes) as u32).collect();
    let labels = Tensor::from_vec(labels, work.batch, &Device::Cpu)?;

    let mut optimizer = Sgd::default();
    let mut phases = [0f64; 3];
    let mut run = || -> anyhow::Result<()> {
        if !work.train {
            network.infer(&images, slice)?;
            return Ok(());
        }
        let start = Instant::now();
        let (loss, tape) = network.forward(&images, &labels)?;
        let forward = Instant::now();
        let gradients = network.backward(&loss, tape)?;
        let backward = Instant::now();
        optimizer.step(&gradients)?;
        loss.to_scalar::<f32>()?;
        phases = [forward - start, backward - forward, backward.elapsed()].map(|d| d.as_secs_f64() * 1e3);
        Ok(())
    };
    if work.name == "hash" {
        for _ in 0..3 {
            run()?;
        }
        println!("{:016x}", data::hash(&layers.variables())?);
        return Ok(());
    }
    run()?;
    let processor = processor_ms();
    let mut times = Vec::new();
    for _ in 0..iterations {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let processor = (processor_ms() - processor) / iterations.max(1) as f64;
    times.sort_by(f64::total_cmp);
    let median = times.get(times.len() / 2).context("--iterations must be at least 1")?;
    println!(
        "{{\"work\": \"{}\", \"variant\": \"in9\", \"ms\": {median:.2}, \"min_ms\": {:.2}, \"cpu_ms\": {processor:.2}, \"iterations\": {iterations}, \
         \"peak_mb\": {}, \"forward_ms\": {:.1}, \"backward_ms\": {:.1}, \"update_ms\": {:.1}}}",
        work.name,
        times[0],
        peak_mb(),
        phases[0],
        phases[1],
        phases[2],
    );
    Ok(())
}

/// Processor time of the threads of this process in ms; 0 where there is no /proc.
///
/// Unlike wall-clock time it hardly depends on other programs on the machine.
fn processor_ms() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let on_processor = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    tasks.filter_map(on_processor).sum::<f64>() / 1e6
}

/// The largest resident size of this process so far in MiB; 0 where there is no /proc.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
