//! Outputs of the probe commands, as far as they can be read.

use crate::error::{Error, Result};
use crate::spec::{ProbeEntry, ProbeKind};
use in9_analysis::probes::adversarial::write::{read_rates, read_verdicts};
use in9_analysis::probes::adversarial::{self, Rule};
use in9_analysis::probes::counterfactual::read_effects;
use in9_analysis::probes::saliency::write::read_masses;
use in9_analysis::probes::written::{Additivity, Counterfactual, MaskError, MaskSources, Saliency, Surface};
use in9_base::files;
use in9_data::View;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A summary is no longer than this many bytes: a search of every pair lists each background's success.
const LONGEST: u64 = 64 << 20;

/// Everything that was read, each with its folder.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    /// Adversarial backgrounds.
    pub(crate) adversarial: Vec<(PathBuf, adversarial::Summary)>,
    /// Saliency.
    pub(crate) saliency: Vec<(PathBuf, Saliency)>,
    /// Counterfactual attribution.
    pub(crate) counterfactual: Vec<(PathBuf, Counterfactual)>,
    /// Errors of the masks.
    pub(crate) mask_error: Vec<(PathBuf, MaskError)>,
    /// Sources of masks.
    pub(crate) mask_sources: Vec<(PathBuf, MaskSources)>,
    /// Accuracy and gap over how objects are pasted.
    pub(crate) surface: Vec<(PathBuf, Surface)>,
    /// What features owe to objects and backgrounds.
    pub(crate) additivity: Vec<(PathBuf, Additivity)>,
}

impl Probes {
    /// Reads every listed output; those that cannot be read are named in `skipped`.
    pub(crate) fn load(entries: &[ProbeEntry], skipped: &mut Vec<String>) -> Self {
        let mut probes = Self::default();
        for entry in entries {
            if let Err(e) = probes.add(entry) {
                skipped.push(format!("probe {}: {e}", entry.kind.name()));
            }
        }
        let order = |trained: &str| in9_analysis::training_order(trained);
        probes.adversarial.sort_by_key(|(_, s)| (s.dataset.clone(), order(&s.trained_on)));
        probes.saliency.sort_by_key(|(_, s)| (s.source.dataset.clone(), order(&s.source.trained_on)));
        probes.counterfactual.sort_by_key(|(_, s)| (s.source.dataset.clone(), order(&s.source.trained_on)));
        probes.mask_error.sort_by_key(|(_, s)| (s.source.dataset.clone(), order(&s.source.trained_on)));
        probes.mask_sources.sort_by_key(|(_, s)| (s.source.dataset.clone(), order(&s.source.trained_on)));
        probes.surface.sort_by_key(|(_, s)| (s.source.dataset.clone(), order(&s.source.trained_on)));
        probes.additivity.sort_by_key(|(_, s)| (s.source.dataset.clone(), order(&s.source.trained_on)));
        probes
    }

    /// Reads a probe's summary and, once, the tables that claims and figures take numbers from: one that is damaged
    /// must cost this probe, and not the whole report.
    fn add(&mut self, entry: &ProbeEntry) -> Result<()> {
        let (folder, path) = (entry.path.clone(), entry.path.join("summary.json"));
        match entry.kind {
            ProbeKind::Adversarial => {
                let summary: adversarial::Summary = read(&path)?;
                read_verdicts(&folder.join("foregrounds.csv"), Rule::Untargeted)?;
                if !summary.rates.is_empty() {
                    read_rates(&folder.join("backgrounds.csv"), Rule::Untargeted)?;
                }
                self.adversarial.push((folder, summary));
            }
            ProbeKind::Saliency => {
                let summary: Saliency = read(&path)?;
                for found in &summary.methods {
                    read_masses(&folder.join("maps.csv"), found.method, &found.tap)?;
                }
                self.saliency.push((folder, summary));
            }
            ProbeKind::Counterfactual => {
                let summary: Counterfactual = read(&path)?;
                read_effects(&folder)?;
                self.counterfactual.push((folder, summary));
            }
            ProbeKind::MaskError => {
                let summary: MaskError = read(&path)?;
                self.mask_error.push((folder, summary));
            }
            ProbeKind::MaskSources => {
                let summary: MaskSources = read(&path)?;
                self.mask_sources.push((folder, summary));
            }
            ProbeKind::Surface => {
                let summary: Surface = read(&path)?;
                self.surface.push((folder, summary));
            }
            ProbeKind::Additivity => {
                let summary: Additivity = read(&path)?;
                self.additivity.push((folder, summary));
            }
        }
        Ok(())
    }
}

/// Summaries of one kind for `results.json`, without their folders; nothing if the probe was not run.
///
/// # Errors
/// If a summary cannot be represented as JSON.
pub(crate) fn results<T: Serialize>(
    kind: &'static str,
    list: &[(PathBuf, T)],
) -> Result<Vec<(String, Value)>> {
    let summaries = list.iter().map(|(_, summary)| serde_json::to_value(summary));
    let summaries = summaries.collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(if summaries.is_empty() { Vec::new() } else { vec![(kind.to_owned(), Value::Array(summaries))] })
}

/// A name for each of several probed networks, no two alike, from their (model, trained on): the view that a network was
/// trained on, of all others the model's own name.
pub(crate) fn names<'a>(networks: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let networks: Vec<(&str, &str)> = networks.collect();
    let alike = |view: &str| networks.iter().filter(|(_, other)| *other == view).count() > 1;
    let mut names: Vec<String> = Vec::new();
    for (model, trained_on) in &networks {
        let is_view = View::ALL.iter().any(|view| view.name() == *trained_on);
        let name = match (is_view, alike(trained_on)) {
            (true, false) => format!("trained on {trained_on}"),
            (true, true) => format!("trained on {trained_on} · {model}"),
            (false, _) => (*model).to_owned(),
        };
        let again =
            names.iter().filter(|other| **other == name || other.starts_with(&format!("{name} ("))).count();
        names.push(if again == 0 { name } else { format!("{name} ({})", again + 1) });
    }
    names
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = files::read_text(path, LONGEST)?;
    serde_json::from_str(&text).map_err(|source| Error::Json { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_probed_networks_have_the_same_name() {
        let probed =
            [("m-s0", "original"), ("m-s1", "mixed-rand"), ("a", "imagenet"), ("b", "imagenet"), ("b", "")];
        let expected = ["trained on original", "trained on mixed-rand", "a", "b", "b (2)"];
        assert_eq!(names(probed.into_iter()), expected);
        let alike = [("m-s0", "original"), ("m-s1", "original")];
        assert_eq!(names(alike.into_iter()), ["trained on original · m-s0", "trained on original · m-s1"]);
    }
}
