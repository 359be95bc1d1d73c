//! `cargo xtask validate`: what to run before a change is handed in, cheapest first. CI runs the same.

mod features;
mod oldest;
mod tests_run;
mod unused;

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use clap::Args;

/// Runs formatting, dependency policy, lints, documentation, the oldest Rust and the tests, and stops at the first
/// that fails.
#[derive(Args)]
pub(crate) struct Validate {
    /// Leave out the tests.
    #[arg(long)]
    no_tests: bool,
    /// Also build every feature of every crate alone, which compiles most dependencies again.
    #[arg(long)]
    features_alone: bool,
}

impl Validate {
    pub(crate) fn run(self) -> Result<()> {
        step("formatting", || cargo(&["fmt", "--all", "--check"]).run())?;
        step("dependency policy", || cargo(&["deny", "check", "bans", "licenses", "sources"]).run())?;
        step("dependencies that nothing uses", unused::check)?;
        let lints = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
        step("lints", || cargo(&lints).run())?;
        step("documentation", || {
            cargo(&["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings").run()
        })?;
        if self.features_alone {
            step("every feature of every crate alone", features::check)?;
        }
        step("the oldest Rust", oldest::check)?;
        if !self.no_tests {
            step("tests", tests_run::check)?;
        }
        Ok(())
    }
}

fn step(what: &str, check: impl FnOnce() -> Result<()>) -> Result<()> {
    eprintln!("== {what}");
    let started = Instant::now();
    check().with_context(|| format!("{what}: failed"))?;
    eprintln!("== {what}: fine, {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Cargo, as this program was called by it.
fn cargo(args: &[&str]) -> Cargo {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args);
    Cargo(command)
}

struct Cargo(Command);

impl Cargo {
    fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// Runs it, and fails if it does.
    fn run(mut self) -> Result<()> {
        let words: Vec<_> = self.0.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        eprintln!("   cargo {}", words.join(" "));
        if !self.0.status().context("starting cargo")?.success() {
            bail!("`cargo {}`", words.join(" "));
        }
        Ok(())
    }

    /// What it prints.
    fn output(mut self) -> Result<String> {
        let output = self.0.output().context("starting cargo")?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// What cargo knows of the workspace's crates, and if `whole`, of all that they depend on.
pub(crate) fn metadata(whole: bool) -> Result<serde_json::Value> {
    let mut args = vec!["metadata", "--format-version", "1", "--locked"];
    args.extend((!whole).then_some("--no-deps"));
    let text = cargo(&args).output()?;
    serde_json::from_str(&text).context("cargo metadata")
}
