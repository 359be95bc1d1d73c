//! `score`: every measure of one or more prediction tables.

use super::answers::Answers;
use super::{Outcome, SCORES, Statistics};
use crate::metrics::{ModelSummary, summarise};
use crate::output::{csv_files, json, tables};
use crate::{Frame, stats::Bootstrap};
use anyhow::Result;
use clap::Args;
use in9_base::files::OutputFolder;
use in9_base::shell::Shell;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Accuracy, BG-gap and attribution with intervals, from prediction tables
///
/// Prints aligned tables on stdout; with --out also writes results.json, CSV files and settings.toml.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  in9-analysis score original.csv mixed-rand.csv --out scores\n  \
    in9-analysis score answers.csv --data in9        (columns image,view,predicted)")]
pub struct Score {
    /// Prediction tables; all must name the same classes.
    #[arg(required = true, value_name = "PREDICTIONS.csv")]
    tables: Vec<PathBuf>,
    /// Folder for results.json and the CSV files.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    answers: Answers,
    #[command(flatten)]
    statistics: Statistics,
}

impl Score {
    pub(crate) fn run(self, shell: &Shell) -> Result<Outcome> {
        let bootstrap = Bootstrap::from(self.statistics);
        let inputs: Vec<&Path> = self.tables.iter().map(PathBuf::as_path).collect();
        // Before the work, so that a folder that may not be replaced is named at once.
        let folder = self.out.as_deref().map(|out| OutputFolder::begin(out, &SCORES, &inputs)).transpose()?;
        let frame = self.answers.frame(&self.tables, shell)?;
        let summaries = summarise(&frame, &bootstrap)?;
        if let Some(folder) = folder {
            let results = json::Results::new(&frame, &summaries, &bootstrap);
            folder.write("results.json", json::pretty(&results)?)?;
            for (name, bytes) in csv_files::files(&frame, &summaries)? {
                folder.write(name, bytes)?;
            }
            folder.write("settings.toml", settings(&bootstrap))?;
            folder.finish()?;
        }
        shell.print(printed(&frame, &summaries, &bootstrap).trim_end())?;
        Ok(Outcome::Done)
    }
}

/// The effective settings as TOML.
pub(crate) fn settings(b: &Bootstrap) -> String {
    format!("level = {:?}\nreplicates = {}\nseed = {}\n", b.level, b.replicates, b.seed)
}

fn printed(frame: &Frame, summaries: &[ModelSummary], bootstrap: &Bootstrap) -> String {
    let mut text = String::new();
    let level = 100.0 * bootstrap.level;
    for (dataset, split) in frame.test_sets() {
        let models: Vec<&ModelSummary> =
            summaries.iter().filter(|m| m.key.dataset == dataset && m.key.split == split).collect();
        let photographs = models.iter().map(|m| m.foregrounds).max().unwrap_or(0);
        let _ = writeln!(text, "## {dataset} · {split} · {photographs} foregrounds\n");
        let grids = [
            tables::matrix("Accuracy % (balanced accuracy %)", &models),
            tables::gaps(&format!("BG-gap in points, {level:.0} % interval over foregrounds"), &models),
            tables::categories("Categories, % of images", &models),
            tables::intervals(&format!("Accuracy with {level:.0} % intervals"), &models),
        ];
        for grid in grids.iter().filter(|g| !g.rows.is_empty()) {
            let _ = writeln!(text, "{}", grid.markdown());
        }
        let missing = tables::missing(&models);
        if !missing.is_empty() {
            let _ = writeln!(
                text,
                "Not computed:\n{}",
                missing.iter().map(|line| format!("- {line}\n")).collect::<String>()
            );
        }
    }
    let groups = crate::metrics::seed_groups(summaries, bootstrap.level);
    if !groups.is_empty() {
        let title = format!("Means over training seeds, {level:.0} % Student's t interval");
        let _ = writeln!(text, "{}", tables::seeds(&title, &groups).markdown());
    }
    text
}
