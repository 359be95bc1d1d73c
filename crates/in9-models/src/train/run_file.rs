//! `run.toml`: every effective setting of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use in9_data::Normalization;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::files::{self, ModelHeader};
use crate::train::Settings;

/// The contents of `run.toml`; equal runs have equal bytes (no times, no absolute paths).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunFile {
    /// The run's name, used for the model in prediction tables.
    pub name: String,
    /// Version of the program.
    pub version: String,
    /// Seed of every random choice.
    pub seed: u64,
    /// Kind of device: results differ between kinds in their last digits.
    pub device: String,
    /// The model.
    pub model: ModelSection,
    /// What it is trained on.
    pub data: DataSection,
    /// How it is trained.
    pub training: Settings,
}

/// What is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelSection {
    /// The architecture.
    pub arch: String,
    /// Trained values in it.
    pub parameters: usize,
    /// Class names in the order of the outputs.
    pub classes: Vec<String>,
    /// BLAKE3 of the weights it starts from; empty when they are drawn from the seed.
    pub initial_weights: String,
}

/// What it is trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSection {
    /// The dataset's name.
    pub dataset: String,
    /// The dataset's digest.
    pub digest: String,
    /// The split that is trained on.
    pub split: String,
    /// The view that is trained on.
    pub view: String,
    /// Samples that are trained on.
    pub samples: usize,
    /// Share of each class's samples that is trained on, when it is not all.
    #[serde(default = "whole", skip_serializing_if = "is_whole")]
    pub fraction: f64,
    /// Fine labels a training class, when the training classes are finer than the dataset's; else 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub group: usize,
    /// Side of the square pictures in pixels.
    pub size: usize,
    /// The split evaluated while training; empty for none.
    pub eval_split: String,
    /// Mean that is subtracted from each channel, of values in 0..=1.
    pub mean: [f32; 3],
    /// What each channel is divided by.
    pub std: [f32; 3],
}

impl DataSection {
    /// How the network's inputs are normalised.
    pub fn normalization(&self) -> Normalization {
        Normalization { mean: self.mean, std: self.std }
    }
}

fn whole() -> f64 {
    1.0
}

// The signatures are serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_whole(fraction: &f64) -> bool {
    *fraction == 1.0
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(group: &usize) -> bool {
    *group == 0
}

impl RunFile {
    /// What the network was trained on, as prediction tables say it: the view, and in brackets what
    /// else sets the training apart, such as `original (25 %)`, `original (42 classes)` or
    /// `original (against L2 0.5)`.
    pub fn trained_on(&self) -> String {
        let mut apart = Vec::new();
        if !is_whole(&self.data.fraction) {
            apart.push(format!("{} %", (1e8 * self.data.fraction).round() / 1e6));
        }
        if !is_zero(&self.data.group) {
            apart.push(format!("{} classes", self.model.classes.len()));
        }
        if let Some(attack) = &self.training.attack {
            let epsilon = (1e4 * attack.epsilon).round() / 1e4;
            apart.push(format!("against {} {epsilon}", attack.norm.symbol()));
        }
        match apart.is_empty() {
            true => self.data.view.clone(),
            false => format!("{} ({})", self.data.view, apart.join(", ")),
        }
    }

    /// Reads the `run.toml` at `path`.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::File`] when it is not one.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        toml::from_str(&text).map_err(|e| {
            let what = format!("not a run.toml: {}", e.message());
            Error::file(path, what, "the settings of a run", "something else")
        })
    }

    /// The file's text.
    ///
    /// # Errors
    /// When a setting cannot be written as TOML.
    pub fn text(&self) -> Result<String> {
        toml::to_string(self).map_err(|e| Error::setting("run.toml", "settings that TOML can hold", e))
    }

    /// What the final weights say about themselves.
    pub(crate) fn header(&self) -> ModelHeader {
        ModelHeader {
            arch: self.model.arch.clone(),
            classes: self.model.classes.clone(),
            size: self.data.size,
            mean: self.data.mean,
            std: self.data.std,
            trained_on: self.trained_on(),
            name: self.name.clone(),
        }
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        files::write_whole(path, self.text()?.as_bytes())
    }

    /// The first difference to `other` in words, if there is one; settings are compared by their names, so
    /// one that is left out on either side shifts nothing.
    ///
    /// # Errors
    /// When a setting cannot be written as TOML.
    pub fn difference(&self, other: &RunFile) -> Result<Option<String>> {
        let (ours, theirs) = (self.by_name()?, other.by_name()?);
        let names: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
        let differ = |name: &&&String| ours.get(**name) != theirs.get(**name);
        Ok(names.iter().find(differ).map(|name| match (ours.get(*name), theirs.get(*name)) {
            (Some(a), Some(b)) => format!("`{name} = {a}` there, `{name} = {b}` asked for"),
            (Some(a), None) => format!("`{name} = {a}` there, no {name} asked for"),
            (None, b) => {
                format!("no {name} there, `{name} = {}` asked for", b.cloned().unwrap_or_default())
            }
        }))
    }

    /// Every setting as it is written, by its name with the sections' before it: `training.epochs`.
    fn by_name(&self) -> Result<BTreeMap<String, String>> {
        let unwritable = |e: toml::ser::Error| Error::setting("run.toml", "settings that TOML can hold", e);
        let mut settings = BTreeMap::new();
        flatten("", &toml::Value::try_from(self).map_err(unwritable)?, &mut settings);
        Ok(settings)
    }
}

fn flatten(name: &str, value: &toml::Value, settings: &mut BTreeMap<String, String>) {
    let toml::Value::Table(table) = value else {
        settings.insert(name.to_owned(), value.to_string());
        return;
    };
    for (key, inner) in table {
        let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
        flatten(&name, inner, settings);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> RunFile {
        RunFile {
            name: "r".into(),
            version: "1".into(),
            seed: 3,
            device: "cpu".into(),
            model: ModelSection {
                arch: "resnet-tiny".into(),
                parameters: 9,
                classes: vec!["cat".into(), "dog".into()],
                initial_weights: String::new(),
            },
            data: DataSection {
                dataset: "d".into(),
                digest: "0".into(),
                split: "train".into(),
                view: "original".into(),
                samples: 8,
                fraction: 1.0,
                group: 0,
                size: 32,
                eval_split: String::new(),
                mean: [0.5; 3],
                std: [0.25; 3],
            },
            training: Settings::small(),
        }
    }

    /// `change` makes the difference that is named, in this direction and in the other.
    fn check(change: impl Fn(&mut RunFile), there: &str, back: &str) {
        let (plain, mut changed) = (run(), run());
        change(&mut changed);
        assert_eq!(plain.difference(&changed).unwrap().as_deref(), Some(there));
        assert_eq!(changed.difference(&plain).unwrap().as_deref(), Some(back));
    }

    #[test]
    fn a_difference_is_named_whatever_else_is_left_out() {
        assert_eq!(run().difference(&run()).unwrap(), None);
        check(
            |r| r.training.epochs = 3,
            "`training.epochs = 15` there, `training.epochs = 3` asked for",
            "`training.epochs = 3` there, `training.epochs = 15` asked for",
        );
        check(
            |r| r.data.view = "no-fg".into(),
            r#"`data.view = "original"` there, `data.view = "no-fg"` asked for"#,
            r#"`data.view = "no-fg"` there, `data.view = "original"` asked for"#,
        );
        // A whole training set and plain classes are left out of the file, here on one side only.
        check(
            |r| r.data.fraction = 0.5,
            "no data.fraction there, `data.fraction = 0.5` asked for",
            "`data.fraction = 0.5` there, no data.fraction asked for",
        );
        check(
            |r| r.data.group = 1,
            "no data.group there, `data.group = 1` asked for",
            "`data.group = 1` there, no data.group asked for",
        );
        // A setting that only some schedules have.
        check(
            |r| r.training.schedule = Settings::paper().schedule,
            "no training.schedule.epochs there, `training.schedule.epochs = 50` asked for",
            "`training.schedule.epochs = 50` there, no training.schedule.epochs asked for",
        );
    }

    #[test]
    fn what_is_left_out_reads_back_as_its_default() {
        let text = run().text().unwrap();
        assert!(!text.contains("fraction") && !text.contains("group"), "{text}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &text).unwrap();
        let back = RunFile::read(file.path()).unwrap();
        assert_eq!(back.difference(&run()).unwrap(), None);
        assert_eq!(back, run());
    }
}
