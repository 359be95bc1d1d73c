//! `score`: every measure of one or more prediction tables.

use super::answers::Answers;
use super::{Outcome, SCORES, Statistics};
use crate::metrics::summarise;
use crate::output::{csv_files, json, text};
use crate::stats::Bootstrap;
use anyhow::Result;
use clap::Args;
use in9_base::files::OutputFolder;
use in9_base::shell::Shell;
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
        shell.print(text::scores(&frame, &summaries, &bootstrap).trim_end())?;
        Ok(Outcome::Done)
    }
}

/// The effective settings as TOML.
pub(crate) fn settings(b: &Bootstrap) -> String {
    format!("level = {:?}\nreplicates = {}\nseed = {}\n", b.level, b.replicates, b.seed)
}
