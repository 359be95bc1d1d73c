//! A step of training on batches that look alike.

use candle_core::{DType, Tensor};
use in9_cuda::device::{Gpu, Replay};

use super::fixed::Fixed;
use super::step_keys::StepKeys;
use crate::error::Result;
use crate::layers::Dropout;
use crate::model::{Mode, Model};
use crate::train::{Batch, Sgd, evaluate::correct_on_gpu};

/// Forward pass, gradients and the optimiser's step of one model, the first time as they are and then as a captured
/// graph, on a GPU that in9-cuda opened.
pub(crate) struct CapturedStep {
    /// Before what it uses, so that it is dropped first.
    replay: Replay,
    images: Fixed,
    labels: Fixed,
    /// The learning rate, `[1]`.
    rate: Tensor,
    /// The loss and how many are right, `[2]`.
    results: Tensor,
    keys: StepKeys,
    label_smoothing: f64,
}

impl CapturedStep {
    /// For batches like this one; none where a step cannot be captured: on a processor, for layers that are not this
    /// crate's.
    pub(crate) fn new(model: &Model, batch: &Batch, label_smoothing: f64) -> Result<Option<Self>> {
        let device = batch.images.device();
        let Some(gpu) = Gpu::of(&batch.images).filter(|gpu| gpu.settings().graphs) else { return Ok(None) };
        if !model.has_own_layers() || model.dtype() != DType::F32 {
            return Ok(None);
        }
        Ok(Some(Self {
            replay: Replay::new(gpu),
            images: Fixed::like(&batch.images)?,
            labels: Fixed::like(&batch.labels)?,
            rate: Tensor::zeros(1, DType::F32, device)?,
            results: Tensor::zeros(2, DType::F32, device)?,
            keys: StepKeys::default(),
            label_smoothing,
        }))
    }

    /// Whether the batch looks like those that the step is for.
    pub(crate) fn fits(&self, batch: &Batch) -> Result<bool> {
        Ok(self.images.fits(&batch.images)? && self.labels.fits(&batch.labels)?)
    }

    /// Whether it is launched as a graph, or why not.
    #[cfg(feature = "cli")]
    pub(crate) fn state(&self) -> Result<bool, &str> {
        self.replay.refusal().map_or_else(|| Ok(self.replay.is_captured()), Err)
    }

    /// One step on `batch`: its loss, and how many pictures are classified rightly.
    pub(crate) fn run(
        &mut self,
        model: &Model,
        sgd: &Sgd,
        batch: &Batch,
        rate: f64,
        mode: Mode,
    ) -> Result<(f64, u64)> {
        let device = self.results.device().clone();
        self.images.set(&batch.images)?;
        self.labels.set(&batch.labels)?;
        self.rate.slice_set(&Tensor::new(&[rate as f32], &device)?, 0, 0)?;
        if let Mode::Train { seed, step } = mode {
            self.keys.set(&device, |name| Dropout::key(name, seed, step))?;
        }
        let (images, labels) = (self.images.tensor()?, self.labels.tensor()?);
        let (keys, results, at, smoothing) =
            (&mut self.keys, &self.results, &self.rate, self.label_smoothing);
        self.replay.run(&mut || -> Result<()> {
            let pass = || model.gradients(&images, &labels, smoothing, 1.0, mode);
            let (loss, logits, gradients) = keys.during(pass)?;
            sgd.step_at(&gradients, at)?;
            results.slice_set(&loss.reshape(1)?, 0, 0)?;
            Ok(results.slice_set(&correct_on_gpu(&logits, &labels)?.reshape(1)?, 0, 1)?)
        })?;
        let results = self.results.to_vec1::<f32>()?;
        Ok((f64::from(results[0]), results[1] as u64))
    }
}
