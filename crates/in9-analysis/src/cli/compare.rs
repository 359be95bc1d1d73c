//! `compare`: paired tests of two models.

use super::answers::Answers;
use super::{Outcome, SCORES, Statistics, score};
use crate::groups::{Grouping, WorstDifference, paired, paired_table};
use crate::metrics::{Comparison, compare};
use crate::output::{json, tables};
use crate::{Frame, ModelFrame, stats::Bootstrap};
use anyhow::{Result, bail};
use clap::Args;
use in9_base::files::OutputFolder;
use in9_base::shell::Shell;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Paired tests of two models on the same images: McNemar and paired bootstrap
///
/// A table that holds several models is narrowed by --first and --second.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  in9-analysis compare original.csv mixed-rand.csv\n  \
    in9-analysis compare dfr.csv erm.csv --groups waterbirds/metadata.csv")]
pub struct Compare {
    /// Predictions of the first model.
    #[arg(value_name = "A.csv")]
    a: PathBuf,
    /// Predictions of the second model.
    #[arg(value_name = "B.csv")]
    b: PathBuf,
    /// Name of the model to take from the first table.
    #[arg(long, value_name = "MODEL")]
    first: Option<String>,
    /// Name of the model to take from the second table.
    #[arg(long, value_name = "MODEL")]
    second: Option<String>,
    /// Folder for results.json.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Metadata with the group of each photograph, or the word backgrounds, as score takes them: also compares the models on
    /// each group, and on the worst group of each, on the same photographs.
    #[arg(long, value_name = "METADATA.csv|backgrounds")]
    groups: Option<PathBuf>,
    #[command(flatten)]
    answers: Answers,
    #[command(flatten)]
    statistics: Statistics,
}

/// What is written of two models on one test set.
#[derive(Serialize)]
struct Written {
    #[serde(flatten)]
    comparison: Comparison,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<WorstDifference>,
}

impl Compare {
    pub(crate) fn run(self, shell: &Shell) -> Result<Outcome> {
        let bootstrap = Bootstrap::from(self.statistics);
        let inputs: Vec<&Path> = [&self.a, &self.b]
            .into_iter()
            .chain(score::metadata(&self.groups))
            .map(PathBuf::as_path)
            .collect();
        let folder = self.out.as_deref().map(|out| OutputFolder::begin(out, &SCORES, &inputs)).transpose()?;
        let frame = |path: &PathBuf| self.answers.frame(std::slice::from_ref(path), shell);
        let (a, b) = (frame(&self.a)?, frame(&self.b)?);
        if a.classes != b.classes {
            bail!(
                "{}: classes differ from {} (expected {}, found {}); compare models of one taxonomy",
                self.b.display(),
                self.a.display(),
                a.classes.join(" "),
                b.classes.join(" ")
            );
        }
        let grouping = self.groups.as_deref().map(Grouping::read).transpose()?;
        let mut done = Vec::new();
        for first in chosen(&a, &self.a, self.first.as_deref())? {
            for second in chosen(&b, &self.b, self.second.as_deref())? {
                let test = |m: &ModelFrame| (m.key.dataset.clone(), m.key.split.clone());
                if test(first) == test(second) {
                    let comparison = compare(first, second, &bootstrap)?;
                    let by = |grouping| paired(first, second, &a.classes, grouping, &bootstrap);
                    let groups = grouping.as_ref().map_or(Ok(Vec::new()), by)?;
                    done.push((test(first), Written { comparison, groups }));
                }
            }
        }
        if done.is_empty() {
            bail!(
                "{}: no test set in common with {}; predict both on the same data set and split",
                self.b.display(),
                self.a.display()
            );
        }
        let mut text = String::new();
        for ((dataset, split), Written { comparison, groups }) in &done {
            text += &format!("## {dataset} · {split}\n\n{}\n", tables::comparison(comparison).markdown());
            if !groups.is_empty() {
                text += &format!("{}\n", paired_table(groups).markdown());
            }
        }
        if grouping.is_some() && done.iter().all(|(_, one)| one.groups.is_empty()) {
            shell.say("no groups to compare: backgrounds tell them in the mixed views only, and both must have the photographs");
        }
        if let Some(folder) = folder {
            let comparisons: Vec<&Written> = done.iter().map(|(_, written)| written).collect();
            folder.write("results.json", json::pretty(&comparisons)?)?;
            folder.write("settings.toml", score::settings(&bootstrap))?;
            folder.finish()?;
        }
        shell.print(text.trim_end())?;
        Ok(Outcome::Done)
    }
}

/// The one model of a table, on each of its test sets.
fn chosen<'a>(frame: &'a Frame, path: &Path, name: Option<&str>) -> Result<Vec<&'a ModelFrame>> {
    let mut names: Vec<&str> = frame.models.iter().map(|m| m.key.model.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let name = match (name, names.as_slice()) {
        (Some(name), _) if names.contains(&name) => name,
        (None, [only]) => only,
        _ => bail!(
            "{}: name one model with --first or --second (expected one of: {}, found {})",
            path.display(),
            names.join(", "),
            name.unwrap_or("no choice")
        ),
    };
    Ok(frame.models.iter().filter(|m| m.key.model == name).collect())
}
