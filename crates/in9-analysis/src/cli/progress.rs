//! `progress`: accuracy on each view against accuracy on ImageNet.

use super::{Outcome, Statistics, out, score};
use anyhow::Result;
use clap::Args;
use crate::metrics::progress::{Point, ours, published, trends};
use crate::metrics::summarise;
use crate::output::{Folder, json, tables};
use crate::paper::Paper;
use crate::stats::Bootstrap;
use std::path::PathBuf;

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
    pub(crate) fn run(self) -> Result<Outcome> {
        let bootstrap = Bootstrap::from(self.statistics);
        let mut points: Vec<Point> =
            if self.without_paper { Vec::new() } else { published(&Paper::embedded()?) };
        if let Some(imagenet) = &self.imagenet {
            let frame = score::read(&self.tables)?;
            let summaries = summarise(&frame, &bootstrap)?;
            points.extend(ours(&summaries, imagenet)?);
        }
        let trends = trends(&points, bootstrap.level);
        if let Some(destination) = &self.out {
            let folder = Folder::begin(destination)?;
            folder.write("results.json", json::pretty(&(&points, &trends))?)?;
            folder.write("settings.toml", score::settings(&bootstrap))?;
            folder.finish()?;
        }
        let title = format!("Accuracy on each view against ImageNet accuracy, {} models", points.len());
        out::print(&tables::trends(&title, &trends).markdown())?;
        Ok(Outcome::Done)
    }
}
