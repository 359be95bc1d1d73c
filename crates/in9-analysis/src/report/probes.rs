//! Outputs of the probe commands, as far as they can be read.

use crate::error::{Error, Result};
use crate::probes::adversarial;
use crate::probes::counterfactual::MeanEffects;
use crate::probes::saliency::summary::MethodSummary;
use crate::report::spec::ProbeEntry;
use in9_data::View;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What all probe outputs say about themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Name of the classifier.
    pub model: String,
    /// What it was trained on.
    pub trained_on: String,
    /// Data set.
    pub dataset: String,
    /// Split.
    pub split: String,
}

/// summary.json of the saliency command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saliency {
    /// Of what.
    #[serde(flatten)]
    pub source: Source,
    /// View the photographs were shown in.
    pub view: View,
    /// Tap of the class activation maps, the first if there are several.
    pub tap: String,
    /// Means of each method and tap.
    pub methods: Vec<MethodSummary>,
}

/// summary.json of the counterfactual command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counterfactual {
    /// Of what.
    #[serde(flatten)]
    pub source: Source,
    /// Partners of each image.
    pub partners: usize,
    /// Means over all images.
    pub mean: MeanEffects,
    /// Means over the images of each class, by class.
    pub classes: Vec<(u16, MeanEffects)>,
}

/// Everything that was read, each with its folder.
#[derive(Debug, Default)]
pub struct Probes {
    /// Adversarial backgrounds.
    pub adversarial: Vec<(PathBuf, adversarial::Summary)>,
    /// Saliency.
    pub saliency: Vec<(PathBuf, Saliency)>,
    /// Counterfactual attribution.
    pub counterfactual: Vec<(PathBuf, Counterfactual)>,
}

impl Probes {
    /// Reads every listed output; those that cannot be read are named in `skipped`.
    pub fn load(entries: &[ProbeEntry], skipped: &mut Vec<String>) -> Self {
        let mut probes = Self::default();
        for entry in entries {
            if let Err(e) = probes.add(entry) {
                skipped.push(format!("probe {}: {e}", entry.kind));
            }
        }
        let order = |trained: &str| crate::frame::training_order(trained);
        probes.adversarial.sort_by_key(|(_, s)| (s.dataset.clone(), order(&s.trained_on)));
        probes.saliency.sort_by_key(|(_, s)| (s.source.dataset.clone(), order(&s.source.trained_on)));
        probes.counterfactual.sort_by_key(|(_, s)| (s.source.dataset.clone(), order(&s.source.trained_on)));
        probes
    }

    /// The summaries for `results.json`, by kind, without folders; a kind that was not run is left out.
    ///
    /// # Errors
    /// If a summary cannot be represented as JSON.
    pub fn json(&self) -> Result<serde_json::Map<String, Value>> {
        let kinds = [
            ("adversarial", summaries(&self.adversarial)?),
            ("saliency", summaries(&self.saliency)?),
            ("counterfactual", summaries(&self.counterfactual)?),
        ];
        let run = kinds.into_iter().filter(|(_, list)| !list.is_empty());
        Ok(run.map(|(kind, list)| (kind.to_owned(), Value::Array(list))).collect())
    }

    fn add(&mut self, entry: &ProbeEntry) -> Result<()> {
        let path = entry.path.join("summary.json");
        match entry.kind.as_str() {
            "adversarial" => self.adversarial.push((entry.path.clone(), read(&path)?)),
            "saliency" => self.saliency.push((entry.path.clone(), read(&path)?)),
            "counterfactual" => self.counterfactual.push((entry.path.clone(), read(&path)?)),
            other => {
                let expected = "adversarial, saliency or counterfactual";
                return Err(Error::Usage(format!("unknown kind (expected {expected}, found {other})")));
            }
        }
        Ok(())
    }
}

fn summaries<T: Serialize>(list: &[(PathBuf, T)]) -> Result<Vec<Value>> {
    let value =
        |(_, summary): &(PathBuf, T)| serde_json::to_value(summary).map_err(|e| Error::Usage(e.to_string()));
    list.iter().map(value).collect()
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    serde_json::from_str(&text).map_err(|e| Error::input(path, e.to_string()))
}
