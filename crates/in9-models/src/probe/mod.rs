//! Probes of features: classifiers that are learnt on what a frozen network sees in the photographs of one view, and asked
//! about every view.
//!
//! *Linear*: multinomial logistic regression on features brought to mean 0 and deviation 1. What is minimised, by L-BFGS in
//! double precision from zero, is the mean cross-entropy plus `l2 / 2` times the squared weights (biases are free). The
//! strength is given, or chosen among [`STRENGTHS`] by the cross-entropy on photographs that are held out of the training
//! split; then all of them are learnt from.
//!
//! *Nearest neighbours*: the `k` nearest by cosine vote for their classes with the weight `exp(cosine / temperature)`, as DINO
//! does (Caron et al. 2021, arXiv 2104.14294). A score is a class's share of the votes.
//!
//! *Reweighted* (DFR): logistic regressions on as many photographs of each group, averaged ([`Grouped`]).
//!
//! The Python package's `in9.probe` has the first two, with a given strength.

mod choose;
mod features;
mod lbfgs;
mod linear;
mod nearest;
mod record;
mod reweighted;

pub use choose::{Chosen, HELD_OUT, STRENGTHS};
pub use features::{Features, FeaturesOf};
pub use linear::Linear;
pub use nearest::Nearest;
pub use record::{Fit, GroupCount, ProbeRecord, TrainingData};
pub use reweighted::{ChosenByGroup, Grouped, RETRAININGS};

use crate::error::{Error, Result};
use crate::mapping::Answer;

/// How the strength of the linear probe's penalty is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strength {
    /// On photographs held out of the training split, drawn by this seed.
    Chosen {
        /// The seed.
        seed: u64,
    },
    /// It is given.
    Given(f64),
}

/// Which probe, with its settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Settings {
    /// Logistic regression.
    Linear(Strength),
    /// Nearest neighbours.
    Nearest {
        /// How many.
        k: usize,
        /// Of their votes.
        temperature: f64,
    },
    /// Deep feature reweighting.
    Reweighted {
        /// Strength of the penalty; chosen by the worst group if it is not given.
        l2: Option<f64>,
        /// Seed of the draws.
        seed: u64,
        /// How many balanced sets are drawn.
        retrainings: u32,
    },
}

impl Settings {
    /// What tables call it: `linear` or `knn`, as the Python package does, or `dfr`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Linear(_) => "linear",
            Self::Nearest { .. } => "knn",
            Self::Reweighted { .. } => "dfr",
        }
    }

    /// Refuses settings that no probe has.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn check(&self) -> Result<()> {
        let above_0 = |name: &str, value: f64| match value.is_finite() && value > 0.0 {
            true => Ok(()),
            false => Err(Error::setting(name, "a number above 0", value)),
        };
        match self {
            Self::Linear(Strength::Given(l2)) => above_0("l2", *l2),
            Self::Linear(Strength::Chosen { .. }) => Ok(()),
            Self::Nearest { k: 0, .. } => Err(Error::setting("k", "at least 1", 0)),
            Self::Nearest { temperature, .. } => above_0("temperature", *temperature),
            Self::Reweighted { retrainings: 0, .. } => Err(Error::setting("retrainings", "at least 1", 0)),
            Self::Reweighted { l2, .. } => l2.map_or(Ok(()), |l2| above_0("l2", l2)),
        }
    }
}

/// A classifier that was learnt on features.
#[derive(Debug, Clone)]
pub enum Probe {
    /// Logistic regression, or several averaged.
    Linear(Linear),
    /// Nearest neighbours.
    Nearest(Nearest),
}

impl Probe {
    /// The answers on features, one a picture.
    ///
    /// # Errors
    /// [`Error::Tensor`] for features of another width.
    pub fn answers(&self, features: &Features) -> Result<Vec<Answer>> {
        match self {
            Self::Linear(linear) => linear.answers(features),
            Self::Nearest(nearest) => nearest.answers(features),
        }
    }
}

/// The answer whose scores are these, the first of the largest winning.
fn answer(scores: &[f64]) -> Answer {
    let mut best = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = class;
        }
    }
    Answer { class: Some(best), scores: scores.iter().map(|score| *score as f32).collect() }
}
