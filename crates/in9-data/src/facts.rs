//! What a training run and a network's weights say about themselves: `run.toml` and the header of
//! `model.safetensors`, in one place for those who write them and those who read them.
//!
//! Nothing here needs a tensor: a report reads a run's facts without the library that trained it.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::normalization::Normalization;
use crate::predictions::Training;

/// The contents of `run.toml`: every effective setting of a run. Equal runs have equal bytes (no times,
/// no absolute paths).
///
/// `T` are the settings of the training: typed for the library that trains, a plain table for everybody else.
///
/// ```
/// use in9_data::facts::RunFile;
/// let text = r#"
///     name = "resnet-tiny-original"
///     [model]
///     arch = "resnet-tiny"
///     classes = ["dog", "bird"]
///     [data]
///     dataset = "toy"
///     view = "original"
///     samples = 7
///     mean = [0.5, 0.5, 0.5]
///     std = [0.5, 0.5, 0.5]
///     [training]
///     epochs = 15
///     attack = { norm = "l2", epsilon = 0.5 }
/// "#;
/// let run: RunFile = RunFile::parse(text)?;
/// assert_eq!(run.trained_on(), "original (against L2 0.5)");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunFile<T = toml::Table> {
    /// The run's name, used for the model in prediction tables.
    pub name: String,
    /// Version of the program.
    #[serde(default)]
    pub version: String,
    /// Seed of every random choice.
    #[serde(default)]
    pub seed: u64,
    /// Kind of device: results differ between kinds in their last digits.
    #[serde(default)]
    pub device: String,
    /// The model.
    pub model: ModelSection,
    /// What it is trained on.
    pub data: DataSection,
    /// How it is trained.
    #[serde(default)]
    pub training: T,
}

/// What is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelSection {
    /// The architecture.
    pub arch: String,
    /// Trained values in it.
    #[serde(default)]
    pub parameters: usize,
    /// Class names in the order of the outputs.
    pub classes: Vec<String>,
    /// BLAKE3 of the weights it starts from; empty when they are drawn from the seed.
    #[serde(default)]
    pub initial_weights: String,
}

/// What it is trained on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSection {
    /// The dataset's name.
    pub dataset: String,
    /// The dataset's digest.
    #[serde(default)]
    pub digest: String,
    /// The split that is trained on.
    #[serde(default)]
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
    #[serde(default)]
    pub size: usize,
    /// The split evaluated while training; empty for none.
    #[serde(default)]
    pub eval_split: String,
    /// Mean that is subtracted from each channel, of values in 0..=1.
    #[serde(default)]
    pub mean: [f32; 3],
    /// What each channel is divided by; zeros, which nothing can be normalised with, where a file does not say it.
    #[serde(default)]
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

/// Settings of a training, as far as its name in tables depends on them.
pub trait TrainingSettings {
    /// Norm and radius of the attack of an adversarial training, such as `L2 0.5`; `None` for a plain one.
    fn attack(&self) -> Option<String>;

    /// What is minimised, such as [`GROUP_DRO`]; `None` for the mean loss.
    fn objective(&self) -> Option<String> {
        None
    }
}

/// What tables call a training by group DRO.
pub const GROUP_DRO: &str = "group DRO";

/// Norm, by its symbol, and radius (of pixel values in 0..=1) of an attack, as tables show them.
pub fn attack_name(symbol: &str, epsilon: f64) -> String {
    format!("{symbol} {}", (1e4 * epsilon).round() / 1e4)
}

impl TrainingSettings for toml::Table {
    fn attack(&self) -> Option<String> {
        let attack = self.get("attack")?.as_table()?;
        let symbol = match attack.get("norm")?.as_str()? {
            "l2" => "L2",
            "linf" => "L∞",
            other => other,
        };
        let epsilon = attack.get("epsilon")?;
        let epsilon = epsilon.as_float().or(epsilon.as_integer().map(|whole| whole as f64))?;
        Some(attack_name(symbol, epsilon))
    }

    fn objective(&self) -> Option<String> {
        self.get("group_dro")?.as_table().map(|_| GROUP_DRO.to_owned())
    }
}

impl<T: TrainingSettings> RunFile<T> {
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
        apart.extend(self.training.attack().map(|attack| format!("against {attack}")));
        apart.extend(self.training.objective());
        match apart.is_empty() {
            true => self.data.view.clone(),
            false => format!("{} ({})", self.data.view, apart.join(", ")),
        }
    }

    /// What the final weights say about themselves.
    pub fn network(&self) -> NetworkFacts {
        NetworkFacts {
            arch: self.model.arch.clone(),
            classes: self.model.classes.clone(),
            size: self.data.size,
            mean: self.data.mean,
            std: self.data.std,
            trained_on: self.trained_on(),
            name: self.name.clone(),
            origin: String::new(),
        }
    }
}

impl<T: Serialize + DeserializeOwned + Default> RunFile<T> {
    /// Reads the text of a `run.toml`.
    ///
    /// # Errors
    /// If it is not one; the message names the line.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The file's text.
    ///
    /// # Errors
    /// When a setting cannot be written as TOML.
    pub fn text(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// The first difference to `other` in words, if there is one; settings are compared by their names, so
    /// one that is left out on either side shifts nothing.
    ///
    /// # Errors
    /// When a setting cannot be written as TOML.
    pub fn difference(&self, other: &Self) -> Result<Option<String>, toml::ser::Error> {
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

    /// Which training this is: two runs with the same are repeats of each other, their seeds aside.
    ///
    /// What changes no weight is no part of it: names, the version of the program, the kind of device (which changes
    /// last digits), what was evaluated and how often a state was kept.
    ///
    /// # Errors
    /// When a setting cannot be written as TOML.
    pub fn identity(&self) -> Result<Training, toml::ser::Error> {
        let mut hasher = blake3::Hasher::new();
        for (name, value) in self.by_name()? {
            if !APART.contains(&name.as_str()) {
                hasher.update(format!("{name} = {value}\n").as_bytes());
            }
        }
        let digest = hasher.finalize().to_hex()[..12].to_owned();
        Ok(Training { dataset: self.data.dataset.clone(), digest, seed: Some(self.seed) })
    }

    /// Every setting as it is written, by its name with the sections' before it: `training.epochs`.
    ///
    /// # Errors
    /// When a setting cannot be written as TOML.
    pub fn by_name(&self) -> Result<BTreeMap<String, String>, toml::ser::Error> {
        let mut settings = BTreeMap::new();
        flatten("", &toml::Value::try_from(self)?, &mut settings);
        Ok(settings)
    }
}

/// Settings that change no weight but in its last digits, and the seed.
const APART: [&str; 7] = [
    "name",
    "version",
    "seed",
    "device",
    "data.eval_split",
    "training.eval_every",
    "training.checkpoint_every",
];

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

/// What a weight file says about its network: the header of `model.safetensors` and of converted files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkFacts {
    /// The architecture; empty if whoever converted the file did not say.
    #[serde(default)]
    pub arch: String,
    /// Class names in the order of the outputs; empty if nobody said.
    #[serde(default)]
    pub classes: Vec<String>,
    /// Side of the square pictures it was trained on, in pixels; 0 if nobody said.
    #[serde(default)]
    pub size: usize,
    /// Mean that is subtracted from each channel, of values in 0..=1.
    pub mean: [f32; 3],
    /// What each channel is divided by.
    pub std: [f32; 3],
    /// What it was trained on, as prediction tables say it; empty if nobody said.
    #[serde(default)]
    pub trained_on: String,
    /// The run's name; empty for the weights of others.
    #[serde(default)]
    pub name: String,
    /// Published weights that these are, such as `resnet50.gluon`; empty for a run's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub origin: String,
}

impl NetworkFacts {
    /// How the network's inputs are normalised.
    pub fn normalization(&self) -> Normalization {
        Normalization { mean: self.mean, std: self.std }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(more: &str, training: &str) -> RunFile {
        RunFile::parse(&format!(
            "name = \"r\"\n[model]\narch = \"a\"\nclasses = [\"cat\", \"dog\"]\n[data]\ndataset = \"d\"\n\
             view = \"original\"\nsamples = 8\nmean = [0.5, 0.5, 0.5]\nstd = [0.25, 0.25, 0.25]\n{more}\n\
             [training]\nepochs = 15\n{training}\n"
        ))
        .unwrap()
    }

    #[test]
    fn the_name_of_a_training_tells_what_sets_it_apart() {
        assert_eq!(run("", "").trained_on(), "original");
        assert_eq!(run("fraction = 0.25", "").trained_on(), "original (25 %)");
        let attack = "attack = { norm = \"linf\", epsilon = 1, steps = 7 }";
        assert_eq!(run("group = 1", attack).trained_on(), "original (2 classes, against L∞ 1)");
        assert_eq!(run("", "group_dro = { step_size = 0.01 }").trained_on(), "original (group DRO)");
    }

    #[test]
    fn repeats_of_a_training_have_one_digest_and_others_do_not() {
        let plain = run("", "").identity().unwrap();
        assert_eq!((plain.dataset.as_str(), plain.seed, plain.digest.len()), ("d", Some(0), 12));
        let again =
            RunFile { name: "other".into(), seed: 7, ..run("eval_split = \"val\"", "eval_every = 2") };
        let again = again.identity().unwrap();
        assert_eq!((&again.digest, again.seed), (&plain.digest, Some(7)));
        for other in [run("digest = \"9\"", ""), run("fraction = 0.5", ""), run("", "lr = 0.1")] {
            assert_ne!(other.identity().unwrap().digest, plain.digest);
        }
        let mut tuned = run("", "");
        tuned.model.initial_weights = "1f".into();
        assert_ne!(tuned.identity().unwrap().digest, plain.digest);
    }

    #[test]
    fn settings_left_out_have_their_defaults_and_stay_out() {
        let plain = run("", "");
        assert_eq!((plain.data.fraction, plain.data.group, plain.seed), (1.0, 0, 0));
        let text = plain.text().unwrap();
        assert!(!text.contains("fraction") && !text.contains("group"), "{text}");
        assert_eq!(RunFile::<toml::Table>::parse(&text).unwrap(), plain);
        let longer = run("", "warmup = 2.0");
        let said = "no training.warmup there, `training.warmup = 2.0` asked for";
        assert_eq!(plain.difference(&longer).unwrap().as_deref(), Some(said));
        assert_eq!(plain.difference(&plain).unwrap(), None);
    }
}
