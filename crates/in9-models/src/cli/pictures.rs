//! Which pictures a command answers, as `predict` and `probe` are told.

use std::path::PathBuf;

use anyhow::bail;
use in9_data::{Dataset, Split, View};

use crate::predict::Answered;

/// Pictures of a dataset to be answered.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct PicturesArgs {
    /// Side to resize pictures to before the network sees them, in pixels [default: leave them as they are]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(super) size: Option<u16>,
    /// Dataset folder that `in9-data build` wrote
    #[arg(long, value_name = "DATASET")]
    pub(super) data: PathBuf,
    /// Splits to predict, separated by commas [default: test, else the only one]
    #[arg(long, value_delimiter = ',')]
    split: Vec<String>,
    /// Views to predict, separated by commas; `all` are fifteen, `paper` the paper's eight, `controls` the six that
    /// separate what pasting does from what a background says; of these three, those that cannot be had are left out, such
    /// as all but `original` of a dataset of photographs only
    #[arg(long, value_delimiter = ',', default_value = "all")]
    views: Vec<String>,
    /// Name of the dataset in the table [default: the folder's name]
    #[arg(long)]
    dataset_name: Option<String>,
    /// Pictures a batch
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..))]
    batch_size: u16,
}

impl PicturesArgs {
    /// The views, each once, in the order given.
    pub(super) fn views(&self) -> anyhow::Result<Vec<View>> {
        let mut views = Vec::new();
        for name in &self.views {
            let more = match name.as_str() {
                "all" => View::ALL.to_vec(),
                "paper" => View::PAPER.to_vec(),
                "controls" => View::CONTROLS.to_vec(),
                name => vec![name.parse()?],
            };
            for view in more {
                if !views.contains(&view) {
                    views.push(view);
                }
            }
        }
        if views.is_empty() {
            bail!("--views: no view given (expected all, paper, controls, or names separated by commas)");
        }
        Ok(views)
    }

    /// Of `views`, those to be answered and those that are left out because they are not `there`. What is named is wanted,
    /// and its absence told when it is read.
    pub(super) fn wanted(&self, views: &[View], there: impl Fn(&View) -> bool) -> (Vec<View>, Vec<View>) {
        let named = |view: &View| self.views.iter().any(|name| name == view.name());
        views.iter().copied().partition(|view| named(view) || there(view))
    }

    /// The splits.
    pub(super) fn splits(&self, dataset: &Dataset) -> in9_data::Result<Vec<Split>> {
        match self.split.as_slice() {
            [] => Ok(vec![dataset.split_or_usual(None)?]),
            names => names.iter().map(|name| dataset.split(name)).collect(),
        }
    }

    /// What the dataset is called in the table.
    pub(super) fn name(&self, dataset: &Dataset) -> String {
        self.dataset_name.clone().unwrap_or_else(|| dataset.name())
    }

    /// Pictures a batch.
    pub(super) fn batch_size(&self) -> usize {
        usize::from(self.batch_size)
    }

    /// Side that pictures are resized to, in pixels.
    pub(super) fn side(&self) -> Option<usize> {
        self.size.map(usize::from)
    }
}

/// How many of the answers on a view are right, in words.
pub(super) fn right(split: &Split, view: View, answers: &[Answered]) -> String {
    let class = |place: u32| split.sample(place as usize).class;
    let right = answers.iter().filter(|answer| answer.predicted == Some(class(answer.place))).count();
    let share = 100.0 * right as f64 / answers.len().max(1) as f64;
    format!("{} {view}: {share:.1} % of {} right", split.name(), answers.len())
}
