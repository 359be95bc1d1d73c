//! `report`: one self-contained page.

use super::{Outcome, out};
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;

/// One self-contained HTML page from a list of data sets, predictions, runs and probes
///
/// Also writes results.json, CSV files and settings.toml beside index.html. Identical inputs give
/// identical bytes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  in9-analysis report --spec report.toml --out report")]
pub(crate) struct Report {
    /// The list of inputs (TOML); its paths are relative to itself.
    #[arg(long, value_name = "TOML")]
    spec: PathBuf,
    /// Folder to write.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Report {
    pub(crate) fn run(self, log: out::Log) -> Result<Outcome> {
        let summary = in9_analysis::report::make(&self.spec, &self.out)?;
        for line in &summary.skipped {
            log.say(&format!("skipped: {line}"));
        }
        out::print(&format!(
            "{}: {} sections; the paper's claims: {}\n",
            self.out.join("index.html").display(),
            summary.sections,
            summary.claims
        ))?;
        Ok(if summary.skipped.is_empty() { Outcome::Done } else { Outcome::Skips })
    }
}
