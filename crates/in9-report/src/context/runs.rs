//! What a report's training runs say about themselves in their `run.toml`.

use crate::error::{Error, Result};
use crate::spec::RunEntry;
use in9_base::files;
use in9_base::table::{Limits, Table};
use in9_data::facts::RunFile;
use in9_data::predictions::Training;
use std::collections::BTreeMap;
use std::path::Path;

/// A run's facts are no longer than this many bytes.
const LONGEST: u64 = 1 << 20;

/// A training run, as far as the report needs to know it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    /// Name of the network in prediction tables.
    pub(crate) model: String,
    /// Which training it is, as prediction tables say it.
    pub(crate) training: Training,
    /// Architecture.
    pub(crate) arch: String,
    /// Name of the data set.
    pub(crate) dataset: String,
    /// View that was trained on.
    pub(crate) view: String,
    /// Photographs that were trained on.
    pub(crate) samples: u64,
    /// Share of the training set that these are, in `0..=1`.
    pub(crate) fraction: f64,
    /// Classes that were told apart.
    pub(crate) classes: usize,
    /// Whether these are finer than the data set's.
    pub(crate) fine: bool,
    /// Seed of every random choice.
    pub(crate) seed: u64,
    /// Whether it is an adversarial training.
    pub(crate) adversarial: bool,
    /// Every other setting that can change the network, by its name with the sections' before it, such as
    /// `training.epochs`.
    pub(crate) settings: BTreeMap<String, String>,
}

/// Settings that have fields of their own, follow from those, or change no weight but in its last digits.
const APART: [&str; 13] = [
    "name",
    "version",
    "seed",
    "device",
    "model.classes",
    "model.parameters",
    "data.view",
    "data.samples",
    "data.fraction",
    "data.group",
    "data.eval_split",
    "training.eval_every",
    "training.checkpoint_every",
];

/// Beginning of the names of an adversarial training's own settings.
const ATTACK: &str = "training.attack.";

impl Run {
    /// Reads the `run.toml` of an entry; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be read or holds something else.
    pub(crate) fn read(entry: &RunEntry) -> Result<Option<Self>> {
        let path = entry.path.join("run.toml");
        if !is_there(&path) {
            return Ok(None);
        }
        let text = files::read_text(&path, LONGEST)?;
        let bad = |e: toml::de::Error| Error::toml(&path, e.message());
        let file: RunFile = RunFile::parse(&text).map_err(bad)?;
        let mut settings = BTreeMap::new();
        for (key, value) in &toml::from_str::<toml::Table>(&text).map_err(bad)? {
            flatten(key, value, &mut settings);
        }
        let fraction = file.data.fraction;
        if !(fraction > 0.0 && fraction <= 1.0) {
            let (what, expected) = ("fraction", "above 0, at most 1");
            return Err(Error::OutOfRange { path, what, expected, found: fraction });
        }
        let training = file.identity().map_err(|e| Error::toml(&path, &e.to_string()))?;
        settings.retain(|name, _| !APART.contains(&name.as_str()));
        Ok(Some(Self {
            training,
            model: file.name,
            arch: file.model.arch,
            dataset: file.data.dataset,
            view: file.data.view,
            samples: file.data.samples as u64,
            fraction,
            classes: file.model.classes.len(),
            fine: file.data.group > 0,
            seed: file.seed,
            adversarial: settings.keys().any(|name| name.starts_with(ATTACK)),
            settings,
        }))
    }

    /// The first setting in which `other` was trained differently, in words: `training.epochs = 15 instead of 8`.
    /// Seed, view, share and granularity of the training set are no such settings.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let names = self.settings.keys().chain(other.settings.keys());
        let differ = |name: &&String| self.settings.get(*name) != other.settings.get(*name);
        let name = names.filter(differ).min()?;
        let value = |run: &Self| run.settings.get(name).cloned().unwrap_or_else(|| "nothing".into());
        Some(format!("{name} = {} instead of {}", value(other), value(self)))
    }

    /// Whether `other` is the same training, seed included, but for the attack.
    pub(crate) fn is_adversarial_form_of(&self, other: &Self) -> bool {
        let mut plain = self.clone();
        plain.settings.retain(|name, _| !name.starts_with(ATTACK));
        let same = |a: &Self, b: &Self| {
            (&a.dataset, &a.view, a.fraction, a.classes, a.seed)
                == (&b.dataset, &b.view, b.fraction, b.classes, b.seed)
        };
        self.adversarial && !other.adversarial && same(&plain, other) && plain.difference(other).is_none()
    }
}

/// What a run's `log.csv` says of each epoch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Log {
    /// Name of the run in the list.
    pub(crate) run: String,
    /// Name of the data set that it was trained on; empty if nobody says.
    pub(crate) dataset: String,
    /// Columns as (name, values); cells that are no number are NaN.
    pub(crate) columns: Vec<(String, Vec<f64>)>,
}

impl Log {
    /// Reads the log of an entry; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be read or is no table.
    pub(crate) fn read(entry: &RunEntry) -> Result<Option<Self>> {
        let path = entry.path.join("log.csv");
        if !is_there(&path) {
            return Ok(None);
        }
        let limits = Limits { bytes: 64 << 20, columns: 1000, ..Limits::default() };
        let mut table = Table::open(&path, limits)?;
        let mut columns: Vec<(String, Vec<f64>)> =
            table.header().iter().map(|name| (name.to_owned(), Vec::new())).collect();
        while let Some((_, row)) = table.next_row()? {
            for (column, cell) in columns.iter_mut().zip(row.iter()) {
                column.1.push(cell.parse().unwrap_or(f64::NAN));
            }
        }
        table.finish()?;
        Ok(Some(Self { run: entry.name.clone(), dataset: String::new(), columns }))
    }
}

/// Whether anything is there, also what cannot be read: that is an error to be told, not an absence.
fn is_there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

fn flatten(name: &str, value: &toml::Value, settings: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, inner) in table {
                flatten(&format!("{name}.{key}"), inner, settings);
            }
        }
        value => {
            settings.insert(name.to_owned(), value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_a_setting_that_changes_the_network() {
        let dir = tempfile::tempdir().unwrap();
        let read = |seed: u32, more: &str, training: &str| {
            let text = format!(
                "name = \"r{seed}\"\nseed = {seed}\n[model]\narch = \"a\"\nclasses = [\"x\"]\n\
                 [data]\ndataset = \"d\"\nview = \"original\"\nsamples = 7\n{more}\n\
                 [training]\neval_every = {seed}\n{training}\n"
            );
            std::fs::write(dir.path().join("run.toml"), text).unwrap();
            Run::read(&RunEntry { name: "r".into(), path: dir.path().to_owned() }).unwrap().unwrap()
        };
        let plain = read(0, "", "epochs = 8");
        assert_eq!(plain.difference(&read(1, "fraction = 0.5", "epochs = 8")), None);
        assert_eq!(read(1, "group = 2", "epochs = 8").seed, 1);
        let longer = plain.difference(&read(0, "", "epochs = 15")).unwrap();
        assert_eq!(longer, "training.epochs = 15 instead of 8");
        let hard = read(0, "", "epochs = 8\nattack = { norm = \"l2\", epsilon = 0.5 }");
        assert!(
            hard.is_adversarial_form_of(&plain)
                && !plain.is_adversarial_form_of(&hard)
                && !plain.is_adversarial_form_of(&plain)
        );
        assert!(
            !hard.is_adversarial_form_of(&read(1, "", "epochs = 8"))
                && !hard.is_adversarial_form_of(&read(0, "", "epochs = 9"))
        );
        let other = plain.difference(&read(0, "", "epochs = 8\nschedule = { kind = \"cosine\" }")).unwrap();
        assert_eq!(other, "training.schedule.kind = \"cosine\" instead of nothing");
    }

    #[test]
    fn settings_that_were_left_out_have_their_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let entry = RunEntry { name: "r".into(), path: dir.path().to_owned() };
        assert_eq!(Run::read(&entry).unwrap(), None);
        let text = "name = \"r\"\n[model]\narch = \"a\"\nclasses = [\"x\", \"y\"]\n\
                    [data]\ndataset = \"d\"\nview = \"original\"\nsamples = 7\n";
        std::fs::write(dir.path().join("run.toml"), text).unwrap();
        let run = Run::read(&entry).unwrap().unwrap();
        assert_eq!((run.fraction, run.classes, run.fine, run.samples), (1.0, 2, false, 7));
        std::fs::write(dir.path().join("run.toml"), format!("{text}fraction = 0.25\ngroup = 1\n")).unwrap();
        let run = Run::read(&entry).unwrap().unwrap();
        assert_eq!((run.fraction, run.fine), (0.25, true));
        std::fs::write(dir.path().join("run.toml"), "name = 3").unwrap();
        assert!(Run::read(&entry).unwrap_err().to_string().contains("run.toml"));
    }
}
