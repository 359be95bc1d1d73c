//! Checkpoints: everything that a killed run needs to end with the same bytes.

use std::collections::HashMap;
use std::path::Path;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::Model;
use crate::model_file;
use crate::train::Sgd;
use crate::weights::{self, Limits};

/// The version of the checkpoint's layout.
const FORMAT: u32 = 2;

const MODEL: &str = "model.";
const MOMENTUM: &str = "momentum.";

/// Where a run stands. Random streams need no state: each is keyed by seed and position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    format: u32,
    /// BLAKE3 of `run.toml`: a checkpoint belongs to one set of settings.
    pub run: String,
    /// The epoch that is going on, counted from 0; equals the number of epochs at the end.
    pub epoch: u64,
    /// Batches of that epoch that are done.
    pub batch: u64,
    /// Optimiser steps done in the whole run.
    pub step: u64,
    /// Bits of the f64 sum of the epoch's losses, weighted by pictures: exact, unlike decimals.
    loss_bits: u64,
    /// Pictures of the epoch that were classified rightly while training.
    pub correct: u64,
    /// Pictures of the epoch seen so far.
    pub seen: u64,
    /// Rows of `log.csv` so far.
    pub log: String,
    /// Bits of the weights of the groups, of a training by group DRO.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    group_bits: Vec<u64>,
}

impl Progress {
    /// The start of a run.
    pub(crate) fn start(run: String) -> Self {
        Self {
            format: FORMAT,
            run,
            epoch: 0,
            batch: 0,
            step: 0,
            loss_bits: 0f64.to_bits(),
            correct: 0,
            seen: 0,
            log: String::new(),
            group_bits: Vec::new(),
        }
    }

    /// Sum over the pictures of this epoch of their loss.
    pub fn loss_sum(&self) -> f64 {
        f64::from_bits(self.loss_bits)
    }

    /// Weights of the groups, of a training by group DRO; else none.
    pub fn group_weights(&self) -> Vec<f64> {
        self.group_bits.iter().copied().map(f64::from_bits).collect()
    }

    pub(crate) fn set_group_weights(&mut self, weights: &[f64]) {
        self.group_bits = weights.iter().map(|weight| weight.to_bits()).collect();
    }

    pub(crate) fn add(&mut self, loss_sum: f64, correct: u64, pictures: u64) {
        self.loss_bits = (self.loss_sum() + loss_sum).to_bits();
        self.correct += correct;
        self.seen += pictures;
        self.batch += 1;
    }

    pub(crate) fn next_epoch(&mut self, row: &str) {
        self.log.push_str(row);
        self.epoch += 1;
        self.batch = 0;
        self.loss_bits = 0f64.to_bits();
        self.correct = 0;
        self.seen = 0;
    }
}

/// Writes model, momentum and progress as one sealed file.
pub(crate) fn write(path: &Path, model: &Model, sgd: &Sgd, progress: &Progress) -> Result<()> {
    let values = model.tensors().into_iter().map(|(name, tensor)| (format!("{MODEL}{name}"), tensor));
    let momentum = sgd.state()?.into_iter().map(|(name, tensor)| (format!("{MOMENTUM}{name}"), tensor));
    let progress = serde_json::to_string(progress)
        .map_err(|e| Error::file(path, e.to_string(), "a checkpoint", "none"))?;
    model_file::write_tensors(path, values.chain(momentum), &progress)
}

/// Puts a checkpoint's values into `model` and `sgd` and tells where the run stood. One bit that has changed
/// since it was written, and nothing is taken from it.
pub(crate) fn read(path: &Path, model: &Model, sgd: &mut Sgd, run: &str) -> Result<Progress> {
    let file = weights::read(path, &Limits::default())?;
    let metadata = file
        .metadata
        .ok_or_else(|| Error::file(path, "not a checkpoint", "one that a training wrote", "other weights"))?;
    let progress: Progress = serde_json::from_str(&metadata.text).map_err(|e| {
        let what = format!("not a checkpoint of this version ({e}); start the run anew");
        Error::file(path, what, format!("format {FORMAT}"), "another")
    })?;
    if !metadata.sealed || progress.format != FORMAT {
        let what = "checkpoint of another version; start the run anew";
        return Err(Error::file(path, what, FORMAT, progress.format));
    }
    if progress.run != run {
        let difference = format!("a checkpoint of the run {} instead of {run}", progress.run);
        return Err(Error::OtherRun { path: path.to_owned(), difference });
    }
    let tensors = model_file::tensors(path, &file.tensors)?;
    let part = |prefix: &str| -> HashMap<String, Tensor> {
        let strip = |(name, tensor): (&String, &Tensor)| {
            let name = name.strip_prefix(prefix)?.to_owned();
            Some((name, tensor.clone()))
        };
        tensors.iter().filter_map(strip).collect()
    };
    model.set_tensors(&part(MODEL))?;
    sgd.set_state(&part(MOMENTUM))?;
    Ok(progress)
}
