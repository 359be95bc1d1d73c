//! Where batches come from.

use candle_core::{DType, Device, Tensor};
use in9_data::{Dataset, Loader, LoaderConfig, Split};

use crate::error::Result;
use crate::train::Selection;

/// Pictures with their classes.
#[derive(Clone, Debug)]
pub struct Batch {
    /// `[n, 3, h, w]`, normalised, on the model's device and of its type.
    pub images: Tensor,
    /// `[n]`, u32 class indices.
    pub labels: Tensor,
    /// Group of each picture, where a training weighs groups.
    pub groups: Option<Vec<u32>>,
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
    selection: Option<Selection>,
    /// Group of each sample of the split.
    groups: Option<Vec<u32>>,
    batch_size: usize,
    size: usize,
    per_epoch: u64,
    device: Device,
    dtype: DType,
    /// The split's layers and its view, where a GPU composes the pictures.
    #[cfg(feature = "cuda")]
    resident: Option<(crate::resident::Resident, in9_data::View)>,
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
        let batch_size = config.batch_size;
        #[cfg(feature = "cuda")]
        let (view, normalization) = (config.view, config.normalization);
        let loader = Loader::new(dataset, split, config)?;
        Ok(Self {
            #[cfg(feature = "cuda")]
            resident: match device.is_cuda() && loader.only_places() {
                true => crate::resident::Resident::upload(split, view, normalization, device)?
                    .map(|resident| (resident, view)),
                false => None,
            },
            per_epoch: loader.batches() as u64,
            size: loader.size(),
            loader,
            selection: None,
            groups: None,
            batch_size,
            device: device.clone(),
            dtype,
        })
    }

    /// As [`DatasetBatches::new`], of the samples and with the labels of `selection`, in the order in
    /// which the loader gives them.
    ///
    /// # Errors
    /// When the loader refuses the configuration.
    pub fn selected(
        dataset: &Dataset,
        split: &Split,
        config: LoaderConfig,
        selection: Selection,
        device: &Device,
        dtype: DType,
    ) -> Result<Self> {
        let (samples, batch_size) = (selection.len(), config.batch_size);
        let per_epoch = match config.drop_last {
            true => samples / batch_size.max(1),
            false => samples.div_ceil(batch_size.max(1)),
        };
        // What the loader would drop may be what is selected.
        let batches = Self::new(dataset, split, LoaderConfig { drop_last: false, ..config }, device, dtype)?;
        Ok(Self { selection: Some(selection), per_epoch: per_epoch as u64, ..batches })
    }

    /// The same batches with the group of each picture; `groups` has one for each sample of the split.
    pub fn with_groups(self, groups: Vec<u32>) -> Self {
        Self { groups: Some(groups), ..self }
    }

    /// The groups of the samples at these places.
    fn groups_of(&self, places: &[u32]) -> Option<Vec<u32>> {
        let groups = self.groups.as_ref()?;
        places.iter().map(|place| groups.get(*place as usize).copied()).collect()
    }

    fn tensors(&self, images: &[f32], labels: &[u32], places: &[u32]) -> Result<Batch> {
        let n = labels.len();
        let images = Tensor::from_slice(images, (n, 3, self.size, self.size), &self.device)?;
        Ok(Batch {
            images: images.to_dtype(self.dtype)?,
            labels: Tensor::from_slice(labels, n, &self.device)?,
            groups: self.groups_of(places),
        })
    }

    /// Batches of the selected samples. The loader composes the others too, which is cheap beside a
    /// training step and leaves order and augmentation as they are without a selection.
    fn regrouped<'a>(&'a self, selection: &'a Selection, epoch: u64, first: u64) -> Result<BatchStream<'a>> {
        let mut batches = self.loader.epoch_from(epoch, 0)?;
        let values = 3 * self.size * self.size;
        let (mut images, mut labels, mut places) = (Vec::new(), Vec::new(), Vec::new());
        let mut passed_over = first as usize * self.batch_size;
        let next = move || -> Result<Batch> {
            while labels.len() < self.batch_size {
                // Only the last batch may be short.
                let Some(batch) = batches.next().transpose()? else { break };
                for (picture, &index) in batch.images.chunks_exact(values).zip(&batch.indices) {
                    if !selection.keep[index as usize] {
                        continue;
                    }
                    if passed_over > 0 {
                        passed_over -= 1;
                        continue;
                    }
                    images.extend_from_slice(picture);
                    labels.push(selection.labels[index as usize]);
                    places.push(index);
                }
            }
            let n = labels.len().min(self.batch_size);
            let batch = self.tensors(&images[..n * values], &labels[..n], &places[..n])?;
            images.drain(..n * values);
            labels.drain(..n);
            places.drain(..n);
            Ok(batch)
        };
        let left = self.per_epoch.saturating_sub(first) as usize;
        Ok(Box::new(std::iter::repeat_with(next).take(left)))
    }
}

impl Batches for DatasetBatches {
    fn per_epoch(&self) -> u64 {
        self.per_epoch
    }

    fn epoch(&self, epoch: u64, first: u64) -> Result<BatchStream<'_>> {
        if let Some(selection) = &self.selection {
            return self.regrouped(selection, epoch, first);
        }
        #[cfg(feature = "cuda")]
        if let Some((resident, view)) = &self.resident {
            let batches = self.loader.placed(epoch, first as usize)?;
            return Ok(Box::new(batches.map(move |batch| {
                let of: Vec<_> = (batch.indices.iter().zip(&batch.backgrounds).zip(&batch.placements))
                    .map(|((&index, &background), &placed)| (index, background, placed))
                    .collect();
                let labels = Tensor::from_slice(&batch.labels, batch.labels.len(), &self.device)?;
                let groups = self.groups_of(&batch.indices);
                Ok(Batch { images: resident.pictures(*view, &of)?, labels, groups })
            })));
        }
        let batches = self.loader.epoch_from(epoch, first as usize)?;
        Ok(Box::new(batches.map(|batch| {
            let batch = batch?;
            self.tensors(&batch.images, &batch.labels, &batch.indices)
        })))
    }
}
