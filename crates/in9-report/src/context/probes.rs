//! Outputs of the probe commands, as far as they can be read.

use crate::error::{Error, Result};
use crate::spec::{ProbeEntry, ProbeKind};
use in9_analysis::probes::adversarial::write::{read_rates, read_verdicts};
use in9_analysis::probes::adversarial::{self, Rule};
use in9_analysis::probes::counterfactual::read_effects;
use in9_analysis::probes::saliency::write::read_masses;
use in9_analysis::probes::written::{Counterfactual, Saliency};
use in9_base::files;
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

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = files::read_text(path, LONGEST)?;
    serde_json::from_str(&text).map_err(|source| Error::Json { path: path.to_owned(), source })
}
