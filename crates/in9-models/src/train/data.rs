//! Where batches come from.

use candle_core::Tensor;

use crate::error::Result;

/// Pictures with their classes.
#[derive(Clone, Debug)]
pub struct Batch {
    /// `[n, 3, h, w]`, normalised, on the model's device and of its type.
    pub images: Tensor,
    /// `[n]`, u32 class indices.
    pub labels: Tensor,
}

/// A stream of batches for [`Batches::epoch`].
pub type BatchStream<'a> = Box<dyn Iterator<Item = Result<Batch>> + 'a>;

/// Batches that depend on nothing but epoch and position, so that a run can go on anywhere.
pub trait Batches {
    /// Batches in an epoch.
    fn per_epoch(&self) -> u64;

    /// The batches of `epoch` from number `first` on; there are `per_epoch() - first`.
    ///
    /// # Errors
    /// When the data cannot be read.
    fn epoch(&self, epoch: u64, first: u64) -> Result<BatchStream<'_>>;
}
