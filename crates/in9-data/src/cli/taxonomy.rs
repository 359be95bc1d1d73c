//! `in9-data taxonomy`.

use clap::Args;

use in9_base::shell::{Outcome, Shell};

use super::options;

#[derive(Debug, Args)]
#[command(after_help = "Example (the 36 classes of IN-9LB):\n  \
    in9-data taxonomy imagenet-9 --fine-per-class 16 --group 4 > in9lb-36.toml")]
pub(super) struct TaxonomyCommand {
    /// imagenet-9, toy, or a TOML file.
    taxonomy: String,
    /// Keep only the first N fine labels of each class, in sorted order.
    #[arg(long, value_name = "N")]
    fine_per_class: Option<usize>,
    /// Split each class into groups of N fine labels.
    #[arg(long, value_name = "N")]
    group: Option<usize>,
}

impl TaxonomyCommand {
    pub(super) fn run(self, shell: &Shell) -> anyhow::Result<Outcome> {
        let mut taxonomy = options::taxonomy(&self.taxonomy)?;
        if let Some(count) = self.fine_per_class {
            taxonomy = taxonomy.first_fine(count);
        }
        if let Some(count) = self.group {
            taxonomy = taxonomy.grouped(count)?;
        }
        shell.print(taxonomy.to_toml().trim_end())?;
        Ok(Outcome::Done)
    }
}
