//! The machine-readable results.

use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::metrics::ModelSummary;
use crate::metrics::{SeedGroup, seed_groups};
use crate::stats::Bootstrap;
use in9_data::predictions::Card;
use serde::Serialize;
use serde_json::Value;

/// Contents of `results.json`. Fractions are in `0..=1`; an undefined number is `null`.
#[derive(Debug, Serialize)]
pub struct Results<'a> {
    /// Version of the program that wrote it.
    pub version: &'static str,
    /// Confidence level of every interval.
    pub level: f64,
    /// Bootstrap resamples.
    pub replicates: u32,
    /// Seed of the resamples.
    pub seed: u64,
    /// Class names in order.
    pub classes: &'a [String],
    /// Everything measured on each model.
    pub models: &'a [ModelSummary],
    /// Models that differ only in their seed, summed up.
    pub seeds: Vec<SeedGroup>,
    /// What the tables were measured with, as far as cards beside them say it, in the order of the tables.
    #[serde(skip_serializing_if = "<[Card]>::is_empty")]
    pub cards: &'a [Card],
    /// What only some commands add, such as the verdicts of a report.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub more: serde_json::Map<String, Value>,
}

impl<'a> Results<'a> {
    /// Results of the models of a frame.
    pub fn new(frame: &'a Frame, models: &'a [ModelSummary], bootstrap: &Bootstrap) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            level: bootstrap.level,
            replicates: bootstrap.replicates,
            seed: bootstrap.seed,
            classes: &frame.classes,
            models,
            seeds: seed_groups(models, bootstrap.level),
            cards: &[],
            more: serde_json::Map::new(),
        }
    }
}

/// Any results as a value of a larger JSON.
///
/// # Errors
/// As [`pretty`].
pub fn value(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(Error::encode("JSON"))
}

/// Any results as indented JSON with a final line break.
///
/// # Errors
/// If the value cannot be represented, such as a map with keys that are not texts.
pub fn pretty(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(value).map_err(Error::encode("JSON"))?;
    Ok(text + "\n")
}
