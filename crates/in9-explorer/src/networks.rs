//! Networks named on the command line, which answer in the mixer.

use anyhow::{Context as _, Result};
use clap::Args;
use in9_base::shell::Shell;
use in9_models::Classifier;
use in9_models::mapping::Mapping;
use in9_models::open::{Options, open};

use crate::{Answerer, Collection, Probed};

/// The networks to ask.
#[derive(Debug, Clone, Args)]
pub(crate) struct Networks {
    /// Networks that answer in the mixer: runs' folders, weight files or names of published weights
    #[arg(long, value_name = "RUN|FILE|TAG", num_args = 1..)]
    weights: Vec<String>,
    /// Architecture, for weights that do not name theirs
    #[arg(long, value_name = "ARCH")]
    arch: Option<String>,
    /// How a thousand ImageNet classes become the dataset's: a or b, as in `in9-models predict`
    #[arg(long, default_value = "a")]
    mapping: Mapping,
}

impl Networks {
    /// Opens them and asks them about the classes of the first dataset with masks.
    pub(crate) fn open(&self, collection: &Collection, shell: &Shell) -> Result<Vec<Box<dyn Answerer>>> {
        if self.weights.is_empty() {
            return Ok(Vec::new());
        }
        let taxonomy =
            collection.taxonomy().context("networks need a dataset with masks to put pictures together")?;
        let classes: Vec<String> = taxonomy.classes.iter().map(|class| class.name.clone()).collect();
        let mut answerers: Vec<Box<dyn Answerer>> = Vec::new();
        for weights in &self.weights {
            let options = Options { arch: self.arch.as_deref(), ..Options::default() };
            let opened = open(weights, &options).with_context(|| weights.clone())?;
            for note in &opened.provenance.notes {
                shell.say(format_args!("{weights}: {note}"));
            }
            let name = opened.name.clone();
            let classifier = Classifier::new(opened, taxonomy, self.mapping)?;
            answerers.push(Box::new(Probed::new(name, classes.clone(), classifier)));
        }
        Ok(answerers)
    }
}
