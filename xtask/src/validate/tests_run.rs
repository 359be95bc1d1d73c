//! The tests, counted: a test that skipped itself is no test that passed.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The README's own test command; what is added here only makes passing tests show why they skipped themselves.
const TEST: [&str; 2] = ["test", "--workspace"];

/// What a run of tests came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
    /// How many tests skipped themselves for each reason.
    skipped: BTreeMap<String, u64>,
}

pub(super) fn check() -> Result<()> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(TEST).args(["--locked", "--", "--show-output"]);
    eprintln!("   cargo {}", TEST.join(" "));
    let mut child = command.stdout(Stdio::piped()).spawn().context("starting cargo")?;
    let stdout = child.stdout.take().context("cargo has no output")?;
    let mut tally = Tally::default();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        tally.read(&line);
        println!("{line}");
    }
    let status = child.wait()?;
    eprintln!("   {tally}");
    if !status.success() {
        bail!("`cargo {}`", TEST.join(" "));
    }
    Ok(())
}

impl Tally {
    /// Reads a line of what cargo's tests print.
    fn read(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            for part in result.split(['.', ';']) {
                let mut words = part.split_whitespace();
                let (Some(count), Some(what)) =
                    (words.next().and_then(|n| n.parse::<u64>().ok()), words.next())
                else {
                    continue;
                };
                match what {
                    "passed" => self.passed += count,
                    "failed" => self.failed += count,
                    "ignored" => self.ignored += count,
                    _ => {}
                }
            }
        } else if let Some(reason) = line.strip_prefix("skipped: ") {
            *self.skipped.entry(reason.to_owned()).or_insert(0_u64) += 1;
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let skipped: u64 = self.skipped.values().sum();
        let ran = self.passed + self.failed;
        write!(
            f,
            "{ran} tests ran, {} failed, {} ignored; {skipped} printed that they skipped themselves",
            self.failed, self.ignored
        )?;
        for (reason, count) in &self.skipped {
            write!(f, "\n   {count} × skipped: {reason}")?;
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

    #[test]
    fn tests_are_counted_and_skips_are_named() {
        let mut tally = Tally::default();
        for line in [
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s",
            "skipped: no Python with numpy",
            "skipped: no Python with numpy",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
        ] {
            tally.read(line);
        }
        let skipped = BTreeMap::from([("no Python with numpy".to_owned(), 2)]);
        assert_eq!(tally, Tally { passed: 15, failed: 2, ignored: 1, skipped });
        assert!(tally.to_string().starts_with("17 tests ran, 2 failed, 1 ignored; 2 printed"));
    }
}
