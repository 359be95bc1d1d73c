//! `score`: every measure of one or more prediction tables.

use super::answers::Answers;
use super::{Outcome, SCORES, Statistics};
use crate::groups::{self, Grouped, Grouping};
use crate::metrics::summarise;
use crate::output::{csv_files, json, text};
use crate::stats::Bootstrap;
use crate::{Cards, Frame};
use anyhow::Result;
use clap::Args;
use in9_base::files::OutputFolder;
use in9_base::shell::Shell;
use std::path::{Path, PathBuf};

/// Accuracy, BG-gap and attribution with intervals, from prediction tables
///
/// Prints aligned tables on stdout; with --out also writes results.json, CSV files and settings.toml. results.json repeats the
/// cards (TABLE.card.toml) beside the tables: what was measured with what.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  in9-analysis score original.csv mixed-rand.csv --out scores\n  \
    in9-analysis score answers.csv --data in9        (columns image,view,predicted)\n  \
    in9-analysis score waterbirds.csv --groups waterbirds/metadata.csv")]
pub struct Score {
    /// Prediction tables; all must name the same classes.
    #[arg(required = true, value_name = "PREDICTIONS.csv")]
    tables: Vec<PathBuf>,
    /// Folder for results.json and the CSV files.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Metadata with the group of each photograph: also gives accuracy by class and group, of the worst group, and weighted by
    /// the groups' shares of the training photographs. CSV with columns photograph and group, and class and split if it has
    /// them; or those of Waterbirds and WILDS: img_filename, place, y, split. Or the word backgrounds: a group is a class on
    /// backgrounds of one class, in the mixed views.
    #[arg(long, value_name = "METADATA.csv|backgrounds")]
    groups: Option<PathBuf>,
    #[command(flatten)]
    answers: Answers,
    #[command(flatten)]
    statistics: Statistics,
}

impl Score {
    pub(crate) fn run(self, shell: &Shell) -> Result<Outcome> {
        let bootstrap = Bootstrap::from(self.statistics);
        let inputs: Vec<&Path> =
            self.tables.iter().chain(metadata(&self.groups)).map(PathBuf::as_path).collect();
        // Before the work, so that a folder that may not be replaced is named at once.
        let folder = self.out.as_deref().map(|out| OutputFolder::begin(out, &SCORES, &inputs)).transpose()?;
        let frame = self.answers.frame(&self.tables, shell)?;
        let grouping = self.groups.as_deref().map(Grouping::read).transpose()?;
        let grouped = grouping.map(|by| groups::of_frame(&frame, &by, bootstrap.level)).transpose()?;
        if grouped.as_ref().is_some_and(Vec::is_empty) {
            shell.say(
                "no groups: backgrounds tell them in the mixed views only, and there is no answer on one",
            );
        }
        let summaries = summarise(&frame, &bootstrap)?;
        if let Some(folder) = folder {
            let cards = Cards::of(&self.tables)?;
            cards.notes.iter().for_each(|note| shell.say(note));
            let mut results =
                json::Results { cards: &cards.cards, ..json::Results::new(&frame, &summaries, &bootstrap) };
            if let Some(grouped) = &grouped {
                results.more.insert("groups".to_owned(), json::value(grouped)?);
                folder.write("groups.csv", groups::csv(grouped)?)?;
            }
            folder.write("results.json", json::pretty(&results)?)?;
            for (name, bytes) in csv_files::files(&frame, &summaries)? {
                folder.write(name, bytes)?;
            }
            folder.write("settings.toml", settings(&bootstrap))?;
            folder.finish()?;
        }
        let mut text = text::scores(&frame, &summaries, &bootstrap);
        if let Some(grouped) = grouped.as_ref().filter(|grouped| !grouped.is_empty()) {
            text += &by_group(&frame, grouped, bootstrap.level);
        }
        shell.print(text.trim_end())?;
        Ok(Outcome::Done)
    }
}

/// The file of `--groups`, if it names one.
pub(super) fn metadata(groups: &Option<PathBuf>) -> impl Iterator<Item = &PathBuf> {
    groups.iter().filter(|path| path.as_os_str() != Grouping::BACKGROUNDS)
}

/// The groups of every test set as tables.
fn by_group(frame: &Frame, grouped: &[Grouped], level: f64) -> String {
    let mut text = String::new();
    for (dataset, split) in frame.test_sets() {
        let of: Vec<&Grouped> =
            grouped.iter().filter(|one| one.key.dataset == dataset && one.key.split == split).collect();
        let title = format!(
            "{dataset} · {split}: accuracy by group (class · group), {:.0} % intervals; the worst group's holds the lowest of \
             the true accuracies",
            100.0 * level
        );
        text += &format!("{}\n", groups::table(&title, &of).markdown());
    }
    text
}

/// The effective settings as TOML.
pub(crate) fn settings(b: &Bootstrap) -> String {
    format!("level = {:?}\nreplicates = {}\nseed = {}\n", b.level, b.replicates, b.seed)
}
