//! `cargo xtask bench kernels`: networks on in9-kernels beside PyTorch, in interleaved rounds.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Deserialize;

use super::peer::{build_release, median, python_with, release_dir, stdout_of};

/// The works that are timed: training steps and inference of a batch.
const WORKS: [&str; 6] = [
    "train-resnet-small",
    "train-resnet18",
    "train-mobilenet-v2",
    "infer-resnet50",
    "infer-resnet18",
    "infer-mobilenet-v2",
];

/// Training steps and inference on in9-kernels and on PyTorch's faster layout.
#[derive(Args)]
pub(crate) struct Kernels {
    /// Works to time [default: all].
    #[arg(long)]
    work: Vec<String>,
    /// Rounds of ours and theirs in turn; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Timed iterations in a round, after a warm-up.
    #[arg(long, default_value_t = 5)]
    iterations: usize,
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// What both sides print, one line a variant.
#[derive(Deserialize)]
struct Line {
    variant: String,
    ms: f64,
    peak_mb: f64,
}

/// Milliseconds and megabytes of a variant, a round each.
type Times = BTreeMap<String, (Vec<f64>, Vec<f64>)>;

impl Kernels {
    pub(crate) fn run(self) -> Result<()> {
        // The whole workspace's features, so that Candle is not compiled a second time for this.
        build_release(&["--workspace", "--example", "bench_networks"])?;
        let ours = release_dir().join("examples/bench_networks");
        let python = python_with(&["torch", "torchvision"]);
        println!(
            "| work | in9-kernels ms | PyTorch ms | ratio | in9-kernels MB | PyTorch MB | ratio | PyTorch's fastest |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- |"
        );
        let works = if self.work.is_empty() { WORKS.map(str::to_owned).to_vec() } else { self.work.clone() };
        for work in &works {
            let (mut mine, mut theirs) = (Times::new(), Times::new());
            for _ in 0..self.rounds {
                self.round(Command::new(&ours), work, &mut mine)?;
                if let Some(python) = &python {
                    // A process for each variant: the peak of memory is the process's.
                    for variant in variants(work) {
                        let mut peer = Command::new(python);
                        peer.args(["tests/oracles/kernels_peer.py", "--variant", variant]);
                        self.round(peer, work, &mut theirs)?;
                    }
                }
            }
            let (_, ms, mb) = best(mine).with_context(|| format!("{work}: nothing was timed"))?;
            match best(theirs) {
                Some((variant, peer, peer_mb)) => println!(
                    "| {work} | {ms:.1} | {peer:.1} | {:.2} | {mb:.0} | {peer_mb:.0} | {:.2} | {variant} |",
                    ms / peer,
                    mb / peer_mb
                ),
                None => println!("| {work} | {ms:.1} | - | - | {mb:.0} | - | - | - |"),
            }
        }
        Ok(())
    }

    fn round(&self, mut command: Command, work: &str, times: &mut Times) -> Result<()> {
        command.args(["--work", work, "--iterations", &self.iterations.to_string()]);
        command.args(["--threads", &self.threads.to_string()]);
        for text in stdout_of(&mut command)?.lines() {
            let line: Line =
                serde_json::from_str(text).with_context(|| format!("{work}: not a result: {text}"))?;
            let (ms, mb) = times.entry(line.variant).or_default();
            ms.push(line.ms);
            mb.push(line.peak_mb);
        }
        Ok(())
    }
}

/// PyTorch's layouts, and for inference those with batch norm folded.
fn variants(work: &str) -> &'static [&'static str] {
    if work.starts_with("infer") {
        &["nchw", "channels_last", "folded", "channels_last_folded"]
    } else {
        &["nchw", "channels_last"]
    }
}

/// The variant with the lowest median time.
fn best(times: Times) -> Option<(String, f64, f64)> {
    let medians =
        times.into_iter().map(|(variant, (mut ms, mut mb))| (variant, median(&mut ms), median(&mut mb)));
    medians.min_by(|a, b| a.1.total_cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variant_with_the_lowest_median_is_best() {
        let times = BTreeMap::from([
            ("nchw".to_owned(), (vec![3.0, 9.0, 4.0], vec![1.0; 3])),
            ("channels_last".to_owned(), (vec![5.0, 1.0, 5.0], vec![2.0; 3])),
        ]);
        assert_eq!(best(times), Some(("nchw".to_owned(), 4.0, 1.0)));
        assert_eq!(best(Times::new()), None);
    }
}
