//! `compare`: paired tests of two models.

use super::answers::Answers;
use super::{Outcome, SCORES, Statistics, score};
use crate::metrics::compare;
use crate::output::{json, tables};
use crate::{Frame, ModelFrame, stats::Bootstrap};
use anyhow::{Result, bail};
use clap::Args;
use in9_base::files::OutputFolder;
use in9_base::shell::Shell;
use std::path::{Path, PathBuf};

/// Paired tests of two models on the same images: McNemar and paired bootstrap
///
/// A table that holds several models is narrowed by --first and --second.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  in9-analysis compare original.csv mixed-rand.csv")]
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
    #[command(flatten)]
    answers: Answers,
    #[command(flatten)]
    statistics: Statistics,
}

impl Compare {
    pub(crate) fn run(self, shell: &Shell) -> Result<Outcome> {
        let bootstrap = Bootstrap::from(self.statistics);
        let inputs = [self.a.as_path(), self.b.as_path()];
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
        let mut done = Vec::new();
        for first in chosen(&a, &self.a, self.first.as_deref())? {
            for second in chosen(&b, &self.b, self.second.as_deref())? {
                let test = |m: &ModelFrame| (m.key.dataset.clone(), m.key.split.clone());
                if test(first) == test(second) {
                    done.push((test(first), compare(first, second, &bootstrap)?));
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
        for ((dataset, split), comparison) in &done {
            text += &format!("## {dataset} · {split}\n\n{}\n", tables::comparison(comparison).markdown());
        }
        if let Some(folder) = folder {
            let comparisons: Vec<_> = done.iter().map(|(_, c)| c).collect();
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
