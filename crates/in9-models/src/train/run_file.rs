//! `run.toml`: every effective setting of a run.

use std::path::Path;

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
    /// else sets the training apart, such as `original (25 %)` or `original (42 classes)`.
    pub fn trained_on(&self) -> String {
        let mut apart = Vec::new();
        if !is_whole(&self.data.fraction) {
            apart.push(format!("{} %", (1e8 * self.data.fraction).round() / 1e6));
        }
        if !is_zero(&self.data.group) {
            apart.push(format!("{} classes", self.model.classes.len()));
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

    /// The first difference to `other` in words, if there is one.
    pub fn difference(&self, other: &RunFile) -> Result<Option<String>> {
        let (ours, theirs) = (self.text()?, other.text()?);
        let pair = ours.lines().zip(theirs.lines()).find(|(a, b)| a != b);
        Ok(match pair {
            Some((a, b)) => Some(format!("`{a}` there, `{b}` asked for")),
            None if ours != theirs => Some("one has more settings".to_owned()),
            None => None,
        })
    }
}
