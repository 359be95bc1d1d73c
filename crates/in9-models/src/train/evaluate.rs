//! Loss and accuracy over a pass of batches.

use std::sync::atomic::AtomicUsize;

use candle_core::{D, DType, Tensor};

use crate::classifier::in_parts;
use crate::error::Result;
use crate::model::Model;
use crate::replay::Passes;
use crate::train::Batch;

/// Means over pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean cross-entropy, without label smoothing.
    pub loss: f64,
    /// Share classified rightly, in 0..=1.
    pub accuracy: f64,
    /// Number of pictures.
    pub pictures: u64,
}

/// Runs the model over the batches in evaluation mode. Give it a frozen model
/// ([`Model::frozen`]): it folds batch norms and keeps no graph. A batch that does not fit a GPU's memory is halved.
///
/// # Errors
/// Those of the batches and of the forward pass.
pub fn evaluate(model: &Model, batches: impl Iterator<Item = Result<Batch>>) -> Result<Score> {
    let (mut loss, mut right, mut pictures) = (0.0, 0, 0);
    let (passes, most) = (Passes::default(), AtomicUsize::new(usize::MAX));
    for batch in batches {
        let batch = batch?;
        let n = batch.labels.dims1()?;
        let parts = in_parts(n, &most, &mut |first, count| {
            let part = |all: &Tensor| {
                if count == n { Ok(all.clone()) } else { all.narrow(0, first, count) }
            };
            let labels = part(&batch.labels)?;
            let logits = passes.forward(model, &part(&batch.images)?)?;
            let mean = in9_kernels::cross_entropy(&logits, &labels, 0.0)?;
            Ok((scalar(&mean)? * count as f64, correct(&logits, &labels)?))
        })?;
        for (part_loss, part_right) in parts {
            loss += part_loss;
            right += part_right;
        }
        pictures += n as u64;
    }
    let n = (pictures as f64).max(1.0);
    Ok(Score { loss: loss / n, accuracy: right as f64 / n, pictures })
}

/// How many rows of `logits` `[n, classes]` have their largest value at `labels` `[n]`.
pub(crate) fn correct(logits: &Tensor, labels: &Tensor) -> Result<u64> {
    #[cfg(feature = "cuda")]
    if in9_cuda::device::Gpu::of(logits).is_some() && labels.dtype() == DType::U32 {
        return Ok(scalar(&correct_on_gpu(logits, labels)?)? as u64);
    }
    let hits = logits.detach().argmax(D::Minus1)?.eq(labels)?;
    Ok(u64::from(hits.to_dtype(DType::U32)?.sum_all()?.to_scalar::<u32>()?))
}

/// The same as a scalar that stays on a GPU that in9-cuda opened; of rows with two largest values the first counts.
#[cfg(feature = "cuda")]
pub(crate) fn correct_on_gpu(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    use in9_cuda::device::{Error, Gpu, correct};
    let gpu = Gpu::of(logits).ok_or_else(|| Error::Device("not on an open GPU".to_owned()))?;
    Ok(correct(&gpu, logits, labels)?)
}

pub(crate) fn scalar(tensor: &Tensor) -> Result<f64> {
    Ok(tensor.to_dtype(DType::F64)?.to_scalar()?)
}
