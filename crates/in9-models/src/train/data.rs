//! Where batches come from.

use candle_core::{DType, Device, Tensor};
use in9_data::{Dataset, Loader, LoaderConfig, Split};

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

/// The batches of a dataset's split, as its loader composes them.
pub struct DatasetBatches {
    loader: Loader,
    size: usize,
    per_epoch: u64,
    device: Device,
    dtype: DType,
}

impl DatasetBatches {
    /// Batches of `split` for a model of this device and type.
    ///
    /// # Errors
    /// When the loader refuses the configuration.
    pub fn new(
        dataset: &Dataset,
        split: &Split,
        config: LoaderConfig,
        device: &Device,
        dtype: DType,
    ) -> Result<Self> {
        let loader = Loader::new(dataset, split, config)?;
        Ok(Self {
            per_epoch: loader.batches() as u64,
            loader,
            size: split.size(),
            device: device.clone(),
            dtype,
        })
    }

    fn tensors(&self, batch: &in9_data::Batch) -> Result<Batch> {
        let n = batch.labels.len();
        let images = Tensor::from_slice(&batch.images, (n, 3, self.size, self.size), &self.device)?;
        Ok(Batch {
            images: images.to_dtype(self.dtype)?,
            labels: Tensor::from_slice(&batch.labels, n, &self.device)?,
        })
    }
}

impl Batches for DatasetBatches {
    fn per_epoch(&self) -> u64 {
        self.per_epoch
    }

    fn epoch(&self, epoch: u64, first: u64) -> Result<BatchStream<'_>> {
        let batches = self.loader.epoch_from(epoch, first as usize)?;
        Ok(Box::new(batches.map(|batch| self.tensors(&batch?))))
    }
}
