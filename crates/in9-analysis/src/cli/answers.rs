//! Prediction tables as they come: whole, or bare answers beside their dataset.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use in9_base::shell::Shell;
use in9_data::Dataset;
use in9_data::predictions::{Completed, Labels, complete};

use crate::Frame;

/// What completes a table of bare answers.
#[derive(Debug, Args)]
pub(super) struct Answers {
    /// The dataset that the pictures came from: the tables then need the columns image, view and predicted only.
    #[arg(long, value_name = "DATASET")]
    data: Option<PathBuf>,
    /// What numbers in the column predicted stand for: dataset (its classes from 0), imagenet (the thousand classes),
    /// or auto (imagenet if any number is too large for the dataset).
    #[arg(long, value_name = "LABELS", default_value = "auto", requires = "data")]
    labels: Labels,
}

impl Answers {
    /// Reads the tables.
    pub(super) fn frame(&self, tables: &[PathBuf], shell: &Shell) -> Result<Frame> {
        let Some(data) = &self.data else { return Ok(Frame::read(tables)?) };
        let dataset = Dataset::open(data)?;
        let mut whole = Vec::with_capacity(tables.len());
        for path in tables {
            let Completed { table, numbers, partial } = complete(path, &dataset, self.labels)?;
            if let (Some(numbers), Labels::Auto) = (numbers, self.labels) {
                let other = if numbers == Labels::Dataset { "imagenet" } else { "dataset" };
                shell.say(format_args!(
                    "{}: numbers in predicted are taken for classes of {numbers} (else give --labels {other})",
                    path.display()
                ));
            }
            for lack in partial {
                shell.say(format_args!("{}: {lack}; figures are of these alone", path.display()));
            }
            whole.push(table);
        }
        Ok(Frame::new(&whole)?)
    }
}
