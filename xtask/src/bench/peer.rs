//! Finding a Python that can run a peer, and building our own programs in release.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::Args;

/// How long batches are timed, and how they are asked for: of ours and of the peers alike.
#[derive(Args)]
pub(crate) struct Timing {
    /// Where worlds, datasets and arrays are kept
    #[arg(long, default_value = "out/bench/data")]
    pub(crate) out: PathBuf,
    /// Rounds of ours and theirs in turn; the median counts
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
    /// Timed epochs of a round
    #[arg(long, default_value_t = 5)]
    pub(crate) epochs: usize,
    /// Threads (and the peers' processes)
    #[arg(long, default_value_t = 2)]
    pub(crate) threads: usize,
    /// Pictures of a batch
    #[arg(long, default_value_t = 64)]
    pub(crate) batch: usize,
}

/// The Python of the peers: `$IN9_PYTHON`, else `python3`; `None`, with one printed line, if it cannot import `modules`.
pub(crate) fn python_with(modules: &[&str]) -> Option<PathBuf> {
    let python = std::env::var_os("IN9_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let import = format!("import {}", modules.join(", "));
    let found = Command::new(&python)
        .args(["-c", &import])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if found {
        return Some(python);
    }
    eprintln!(
        "no peer: {} cannot import {}; name a Python that can in IN9_PYTHON",
        python.display(),
        modules.join(", ")
    );
    None
}

/// Runs `cargo build --release` with `args` and fails with its output's last word if it does.
pub(crate) fn build_release(args: &[&str]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--quiet"])
        .args(args)
        .status()
        .context("starting cargo")?;
    if !status.success() {
        bail!("cargo build --release {} failed", args.join(" "));
    }
    Ok(())
}

/// Where `cargo build --release` puts programs (`examples/NAME` for examples).
pub(crate) fn release_dir() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    target.join("release")
}

/// Runs `command`, passing its standard error through, and returns what it printed.
pub(crate) fn stdout_of(command: &mut Command) -> Result<String> {
    let output =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{command:?} printed something else than UTF-8"))
}

/// The median of `values`, or NaN of none.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}
