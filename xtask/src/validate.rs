//! `cargo xtask validate`: what to run before a change is handed in, cheapest first. CI runs the same.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use clap::Args;

/// The README's own test command.
const TEST: &[&str] = &["test", "--workspace"];

/// (what it shows, arguments of cargo, further environment)
const CHECKS: [(&str, &[&str], (&str, &str)); 6] = [
    ("formatting", &["fmt", "--all", "--check"], ("", "")),
    ("dependency policy", &["deny", "check", "bans", "licenses", "sources"], ("", "")),
    ("lints", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"], ("", "")),
    ("documentation", &["doc", "--workspace", "--no-deps", "--locked"], ("RUSTDOCFLAGS", "-D warnings")),
    (
        "each library without its program",
        &[
            "check",
            "--locked",
            "--no-default-features",
            "-p",
            "in9-data",
            "-p",
            "in9-models",
            "-p",
            "in9-analysis",
            "-p",
            "in9-report",
            "--lib",
        ],
        ("", ""),
    ),
    ("tests", TEST, ("", "")),
];

/// Runs formatting, dependency policy, lints, documentation and tests, and stops at the first that fails.
#[derive(Args)]
pub(crate) struct Validate {
    /// Leave out the tests.
    #[arg(long)]
    no_tests: bool,
}

impl Validate {
    pub(crate) fn run(self) -> Result<()> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        for (what, args, (variable, value)) in CHECKS {
            if self.no_tests && args == TEST {
                continue;
            }
            eprintln!("== {what}: cargo {}", args.join(" "));
            let started = Instant::now();
            let mut command = Command::new(&cargo);
            command.args(args);
            if !variable.is_empty() && !value.is_empty() {
                command.env(variable, value);
            }
            let status = command.status().with_context(|| format!("starting cargo {}", args[0]))?;
            if !status.success() {
                bail!("{what}: `cargo {}` failed", args.join(" "));
            }
            eprintln!("== {what}: fine, {:.0} s", started.elapsed().as_secs_f64());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_names_the_same_test_command() {
        let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
        assert!(readme.contains(&format!("\ncargo {}\n", TEST.join(" "))));
    }
}
