//! `leaderboard`: one table and one page of any number of networks.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use in9_analysis::leaderboard::{Across, Measure, Rules};
use in9_analysis::stats::Bootstrap;
use in9_base::shell::{Outcome, Shell, Statistics};
use in9_data::View;
use in9_data::predictions::Card;

/// One table and one page of any number of networks, ranked where they were measured alike
///
/// What was measured with what stands in the card beside each prediction table (TABLE.card.toml). Networks whose cards
/// agree on dataset, split, views, pictures, pairings, side of the pictures and mapping, and whose tables hold the same
/// pictures, are ranked together; others stand apart, with what differs. A table without a card has an unknown protocol and
/// is not ranked.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  in9-report leaderboard predictions/*.csv --out leaderboard\n  \
    in9-report leaderboard a.csv.card.toml clip.csv --by gap --across mapping --out leaderboard")]
pub(super) struct Leaderboard {
    /// Prediction tables, or their cards (TABLE.card.toml).
    #[arg(required = true, value_name = "CARD|TABLE")]
    tables: Vec<PathBuf>,
    /// Folder for index.html, leaderboard.csv, leaderboard.md and results.json; an earlier one there is replaced.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What to rank by: accuracy on a view, or gap for the BG-gap, of which the smallest is the first.
    #[arg(long, default_value = "mixed-rand", value_name = "VIEW|gap", value_parser = measure)]
    by: Measure,
    /// Rank across differences of these, separated by commas: mapping (how outputs become classes), side (of the pictures
    /// that networks saw).
    #[arg(long, value_delimiter = ',', value_name = "FIELDS", value_parser = across)]
    across: Vec<Across>,
    /// Take a table without a card to be measured as others of its dataset's name with the same rows.
    #[arg(long)]
    trust: bool,
    /// Title of the page.
    #[arg(long, default_value = "Leaderboard")]
    title: String,
    #[command(flatten)]
    statistics: Statistics,
}

impl Leaderboard {
    pub(super) fn run(self, shell: &Shell) -> Result<Outcome> {
        let mut tables: Vec<PathBuf> = Vec::new();
        for path in self.tables {
            let table = Card::table_of(&path);
            if table.is_some() && !path.exists() {
                bail!("{}: there is no such card (expected a card or a prediction table)", path.display());
            }
            let table = table.unwrap_or(path);
            // A table and its card are one.
            if !tables.contains(&table) {
                tables.push(table);
            }
        }
        let Statistics { level, replicates, seed } = self.statistics;
        let bootstrap = Bootstrap { replicates, level, seed };
        let mut across = self.across;
        across.sort_unstable();
        across.dedup();
        let rules = Rules { by: self.by, across, trust: self.trust, bootstrap };
        let made = crate::leaderboard::make(&self.title, &tables, rules, &self.out)?;
        made.notes.iter().for_each(|note| shell.say(note));
        shell.print(made.markdown.trim_end())?;
        Ok(Outcome::Done)
    }
}

fn measure(text: &str) -> Result<Measure, String> {
    match text {
        "gap" => Ok(Measure::Gap),
        view => view.parse::<View>().map(Measure::Accuracy).map_err(|error| error.to_string()),
    }
}

fn across(text: &str) -> Result<Across, String> {
    match text {
        "mapping" => Ok(Across::Mapping),
        "side" => Ok(Across::Side),
        _ => {
            Err("expected mapping or side; networks with other pictures are never ranked together".to_owned())
        }
    }
}
