//! Loss and accuracy over a pass of batches.

use candle_core::{D, DType, Tensor};

use crate::error::Result;
use crate::model::{Mode, Model};
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
/// ([`Model::frozen`]): it folds batch norms and keeps no graph.
///
/// # Errors
/// Those of the batches and of the forward pass.
pub fn evaluate(model: &Model, batches: impl Iterator<Item = Result<Batch>>) -> Result<Score> {
    let (mut loss, mut right, mut pictures) = (0.0, 0, 0);
    for batch in batches {
        let batch = batch?;
        let n = batch.labels.dims1()? as u64;
        let logits = model.forward(&batch.images, Mode::Eval)?;
        let mean = in9_kernels::cross_entropy(&logits, &batch.labels, 0.0)?;
        loss += scalar(&mean)? * n as f64;
        right += correct(&logits, &batch.labels)?;
        pictures += n;
    }
    let n = (pictures as f64).max(1.0);
    Ok(Score { loss: loss / n, accuracy: right as f64 / n, pictures })
}

/// How many rows of `logits` `[n, classes]` have their largest value at `labels` `[n]`.
pub(crate) fn correct(logits: &Tensor, labels: &Tensor) -> Result<u64> {
    let hits = logits.detach().argmax(D::Minus1)?.eq(labels)?;
    Ok(u64::from(hits.to_dtype(DType::U32)?.sum_all()?.to_scalar::<u32>()?))
}

pub(crate) fn scalar(tensor: &Tensor) -> Result<f64> {
    Ok(tensor.to_dtype(DType::F64)?.to_scalar()?)
}
