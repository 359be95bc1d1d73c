//! What results say about a probe.

use in9_data::predictions::Training;
use serde::{Deserialize, Serialize};

use super::choose::{Chosen, HELD_OUT, STRENGTHS};
use super::reweighted::ChosenByGroup;
use super::{Settings, Strength};
use crate::encoder::Encoder;

/// Everything beside the encoder that decides a probe's answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeRecord {
    /// Which activation the features are.
    pub features: String,
    /// How many there are.
    pub width: usize,
    /// The probe and its settings.
    #[serde(flatten)]
    pub fit: Fit,
    /// What it was learnt from.
    pub data: TrainingData,
}

/// A probe and its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Fit {
    /// Logistic regression.
    Linear {
        /// Strength of the penalty.
        l2: f64,
        /// How it was chosen; none if it was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chosen: Option<Chosen>,
    },
    /// Nearest neighbours.
    Knn {
        /// How many.
        k: usize,
        /// Of their votes.
        temperature: f64,
    },
    /// Deep feature reweighting.
    Dfr {
        /// Strength of the penalty.
        l2: f64,
        /// How it was chosen; none if it was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chosen: Option<ChosenByGroup>,
        /// Seed of the draws.
        seed: u64,
        /// Balanced sets that were drawn and learnt from.
        retrainings: u32,
        /// BLAKE3 of which photograph is of which group.
        groups_digest: String,
        /// The groups; of each as many photographs were drawn as the smallest has.
        groups: Vec<GroupCount>,
    },
}

/// How many photographs there are of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCount {
    /// The class.
    pub class: String,
    /// The kind of background.
    pub group: String,
    /// Photographs.
    pub samples: usize,
}

/// What a probe was learnt from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingData {
    /// The dataset's name.
    pub dataset: String,
    /// The dataset's digest.
    pub digest: String,
    /// The split.
    pub split: String,
    /// The view.
    pub view: String,
    /// Photographs.
    pub samples: usize,
    /// Side of the pictures as the encoder saw them, in pixels.
    pub size: usize,
}

impl Fit {
    /// What tables call it, as [`Settings::name`].
    pub fn name(&self) -> &'static str {
        match self {
            Self::Linear { .. } => "linear",
            Self::Knn { .. } => "knn",
            Self::Dfr { .. } => "dfr",
        }
    }
}

impl std::fmt::Display for Fit {
    /// The settings that decide the answers, in a few words.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Linear { l2, .. } => write!(f, "l2 {l2}"),
            Self::Knn { k, temperature } => write!(f, "k {k}, temperature {temperature}"),
            Self::Dfr { l2, retrainings, groups, .. } => {
                write!(f, "l2 {l2}, {} groups balanced {retrainings} times", groups.len())
            }
        }
    }
}

impl ProbeRecord {
    /// What decides the answers, without names.
    pub fn identity(&self) -> String {
        let TrainingData { digest, split, view, size, .. } = &self.data;
        let fit = match &self.fit {
            Fit::Linear { l2, .. } => format!("linear {l2}"),
            Fit::Knn { k, temperature } => format!("knn {k} {temperature}"),
            Fit::Dfr { l2, seed, retrainings, groups_digest, .. } => {
                format!("dfr {l2} {seed} {retrainings} {groups_digest}")
            }
        };
        format!("{fit} on {} of {digest} {split} {view} at {size}", self.features)
    }

    /// Which training the probe is: that of its encoder, and everything that was set for the probe. Probes with the same
    /// settings of encoders that are repeats of one training are repeats too.
    pub fn training(&self, encoder: &Encoder, settings: &Settings) -> Training {
        let TrainingData { dataset, digest, split, view, size, .. } = &self.data;
        let of_encoder = &encoder.network().training;
        let (fit, seed) = match settings {
            Settings::Linear(Strength::Given(l2)) => (format!("linear, l2 {l2}"), None),
            Settings::Linear(Strength::Chosen { seed }) => {
                (format!("linear, l2 of {STRENGTHS:?} by {HELD_OUT} held out"), Some(*seed))
            }
            Settings::Nearest { k, temperature } => (format!("knn, k {k}, temperature {temperature}"), None),
            Settings::Reweighted { l2, seed, retrainings } => {
                let groups = match &self.fit {
                    Fit::Dfr { groups_digest, .. } => groups_digest,
                    _ => "",
                };
                let l2 = l2.map_or_else(|| format!("l2 of {STRENGTHS:?}"), |l2| format!("l2 {l2}"));
                (format!("dfr, {l2}, {retrainings} retrainings, groups {groups}"), Some(*seed))
            }
        };
        let normalization = encoder.normalization();
        let mut lines = vec![
            format!("encoder = {} {}", of_encoder.dataset, of_encoder.digest),
            format!("arch = {}", encoder.network().model.name()),
            format!("normalization = {:?} {:?}", normalization.mean, normalization.std),
            format!("features = {}", self.features),
            format!("fit = {fit}"),
            format!("data = {digest} {split} {view} {size}"),
        ];
        // An encoder without a seed is the same in every repeat, so that the draw of the probe is what repeats differ by.
        let seed = match (of_encoder.seed, seed) {
            (Some(own), Some(drawn)) => {
                lines.push(format!("seed = {drawn}"));
                Some(own)
            }
            (own, drawn) => own.or(drawn),
        };
        let text = blake3::hash(lines.join("\n").as_bytes()).to_hex();
        Training { dataset: dataset.clone(), digest: format!("p-{}", &text[..12]), seed }
    }
}
