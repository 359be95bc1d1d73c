//! `in9-data complete`.

use std::path::PathBuf;

use clap::Args;
use in9_base::shell::{Outcome, Shell};

use crate::Dataset;
use crate::predictions::{Completed, Labels, check_form, complete};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  in9-data complete answers.csv --data in9 --out predictions.csv\n\n\
    The columns image, view and predicted have to be there; PREDICTIONS.md has the rest.")]
pub(super) struct Complete {
    /// Table of answers.
    answers: PathBuf,
    /// The dataset that the pictures came from.
    #[arg(long)]
    data: PathBuf,
    /// What numbers in the column predicted stand for: dataset (its classes from 0), imagenet (the
    /// thousand classes), or auto (imagenet if any number is too large for the dataset).
    #[arg(long, default_value = "auto")]
    labels: Labels,
    /// The prediction table to write: CSV, or Parquet if the name ends in .parquet (feature `parquet`).
    #[arg(long)]
    out: PathBuf,
}

impl Complete {
    pub(super) fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        check_form(&self.out)?;
        let dataset = Dataset::open(&self.data)?;
        let Completed { table, numbers, partial } = complete(&self.answers, &dataset, self.labels)?;
        table.write_atomic(&self.out)?;
        if let Some(numbers) = numbers {
            shell.say(format_args!("numbers in predicted were taken for classes of {numbers}"));
        }
        for lack in partial {
            shell.say(format_args!("{lack}"));
        }
        shell.print(format_args!("{}: {} predictions", self.out.display(), table.rows.len()))?;
        Ok(Outcome::Done)
    }
}
