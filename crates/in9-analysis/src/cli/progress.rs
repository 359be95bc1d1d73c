//! `progress`: accuracy on each view against accuracy on ImageNet.

use super::{Outcome, SCORES, Statistics, score};
use crate::Frame;
use crate::metrics::progress::{Point, ours, published, trends};
use crate::metrics::summarise;
use crate::output::{json, tables};
use crate::paper::Paper;
use crate::stats::Bootstrap;
use anyhow::Result;
use clap::Args;
use in9_base::files::OutputFolder;
use in9_base::shell::Shell;
use std::path::{Path, PathBuf};

/// Benchmark progress: regression of each view's accuracy on ImageNet accuracy
///
/// The paper's five pre-trained networks are built in. Others enter by a prediction table and a CSV
/// with columns model,imagenet (accuracy in percent).
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  in9-analysis progress predictions.csv --imagenet top1.csv")]
pub struct Progress {
    /// Prediction tables of further models.
    #[arg(value_name = "PREDICTIONS.csv", requires = "imagenet")]
    tables: Vec<PathBuf>,
    /// ImageNet accuracy of those models: CSV with columns model,imagenet.
    #[arg(long, value_name = "CSV")]
    imagenet: Option<PathBuf>,
    /// Leaves out the paper's five networks.
    #[arg(long)]
    without_paper: bool,
    /// Folder for results.json.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    statistics: Statistics,
}

impl Progress {
    pub(crate) fn run(self, shell: &Shell) -> Result<Outcome> {
        let bootstrap = Bootstrap::from(self.statistics);
        let inputs: Vec<&Path> = self.tables.iter().chain(&self.imagenet).map(PathBuf::as_path).collect();
        let folder = self.out.as_deref().map(|out| OutputFolder::begin(out, &SCORES, &inputs)).transpose()?;
        let mut points: Vec<Point> =
            if self.without_paper { Vec::new() } else { published(&Paper::embedded()?) };
        if let Some(imagenet) = &self.imagenet {
            let frame = Frame::read(&self.tables)?;
            let summaries = summarise(&frame, &bootstrap)?;
            points.extend(ours(&summaries, imagenet)?);
        }
        let trends = trends(&points, bootstrap.level);
        if let Some(folder) = folder {
            folder.write("results.json", json::pretty(&(&points, &trends))?)?;
            folder.write("settings.toml", score::settings(&bootstrap))?;
            folder.finish()?;
        }
        let title = format!("Accuracy on each view against ImageNet accuracy, {} models", points.len());
        shell.print(tables::trends(&title, &trends).markdown().trim_end())?;
        Ok(Outcome::Done)
    }
}
