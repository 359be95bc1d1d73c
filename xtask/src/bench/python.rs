//! `cargo xtask bench python`: the package's batches beside a PyTorch DataLoader and the Rust loader, the time of an
//! import, and memory over many epochs.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Deserialize;

use super::data::{LOADER_PEER, Rates, WORKS, bench_loader, world};
use super::peer::{Timing, build_release, median, python_with, stdout_of};

const OURS: &str = "tests/oracles/python_rates.py";

/// Time the Python package's batches beside a PyTorch DataLoader and the Rust loader
///
/// The Python of $IN9_PYTHON needs torch and the package, as built by `cargo xtask wheel`.
#[derive(Args)]
pub(crate) struct Python {
    #[command(flatten)]
    timing: Timing,
}

#[derive(Deserialize)]
struct Memory {
    early_mib: f64,
    late_mib: f64,
}

impl Python {
    pub(crate) fn run(self) -> Result<()> {
        std::fs::create_dir_all(&self.timing.out).with_context(|| self.timing.out.display().to_string())?;
        let Some(python) = python_with(&["numpy", "torch", "in9"]) else { return Ok(()) };
        build_release(&[
            "--workspace",
            "--exclude",
            "in9-python",
            "--bin",
            "in9",
            "--example",
            "bench_loader",
        ])?;
        let (dataset, arrays) = world(&self.timing.out)?;
        println!("work | package pictures/s | DataLoader | ratio | Rust loader | share of it");
        println!("--- | --- | --- | --- | --- | ---");
        let numbers = [self.timing.batch, self.timing.threads, self.timing.epochs].map(|n| n.to_string());
        for work in WORKS {
            let [mut package, mut peer, mut rust] = [const { Vec::new() }; 3];
            for _ in 0..self.timing.rounds {
                let mut ours = Command::new(&python);
                ours.args([OURS, "load"]).arg(&dataset).arg(work).args(&numbers);
                package.push(rate(&mut ours)?);
                let mut theirs = Command::new(&python);
                peer.push(rate(theirs.arg(LOADER_PEER).arg(&arrays).arg(work).args(&numbers))?);
                let mut loader = Command::new(bench_loader());
                rust.push(rate(loader.arg(&dataset).args(["train", work]).args(&numbers))?);
            }
            let [package, peer, rust] = [package, peer, rust].map(|mut rates| median(&mut rates));
            println!(
                "{work} | {package:.0} | {peer:.0} | {:.1} | {rust:.0} | {:.2}",
                package / peer,
                package / rust
            );
        }
        println!("\nimport in9 | {:.3} s more than an empty script", self.import(&python)?);
        let mut memory = Command::new(&python);
        let text = stdout_of(memory.args([OURS, "memory"]).arg(&dataset).arg("1000"))?;
        let memory: Memory = serde_json::from_str(&text)?;
        println!(
            "peak of memory | {:.1} MiB after 100 epochs, {:.1} MiB after 1000",
            memory.early_mib, memory.late_mib
        );
        Ok(())
    }

    /// Seconds that the import takes, beside a script that does nothing.
    fn import(&self, python: &Path) -> Result<f64> {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        // One more of each first, so that the files are in memory.
        for round in 0..=5 * self.timing.rounds {
            for (script, seconds) in [("import in9", &mut with), ("", &mut without)] {
                let begun = Instant::now();
                stdout_of(Command::new(python).args(["-c", script]))?;
                if round > 0 {
                    seconds.push(begun.elapsed().as_secs_f64());
                }
            }
        }
        Ok(median(&mut with) - median(&mut without))
    }
}

fn rate(command: &mut Command) -> Result<f64> {
    let rates: Rates = serde_json::from_str(&stdout_of(command)?)?;
    Ok(rates.pictures_per_s)
}
