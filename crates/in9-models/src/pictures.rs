//! Pictures of a split on their way to a network: composed, resized, normalised, in batches.

use std::ops::Range;

use in9_data::{
    Augment, BatchOf, ByteBatch, Dataset, Loader, LoaderConfig, Normalization, PairingMode, PairingPolicy,
    Split, View,
};
use rayon::prelude::*;

use crate::error::Result;
use crate::preprocess::{Crop, Interpolation, Preprocessing, Rgb};

/// Batches that a classifier which composes its own pictures gets at a time.
const AT_ONCE: usize = 16;

/// A picture to be composed: the place of its sample in the split, and of the one that gives the background.
type Placed = (u32, Option<u32>);

/// How pictures reach a network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// Pictures a batch.
    pub(crate) batch_size: usize,
    /// Side that they are resized to (Pillow's bicubic filter); `None` leaves them as the dataset has them.
    pub(crate) size: Option<usize>,
    /// What they are normalised with.
    pub(crate) normalization: Normalization,
}

/// Samples of a split, in a view.
pub(crate) struct Wanted<'a> {
    pub(crate) dataset: &'a Dataset,
    pub(crate) split: &'a Split,
    pub(crate) view: View,
    /// Number of the dataset's pairing, for mixed views; 0 is the frozen one.
    pub(crate) draw: u32,
    /// Their places in the split.
    pub(crate) places: Range<usize>,
}

/// Pictures as the network sees them, and whose they are.
pub(crate) struct Pictures<'a> {
    /// `[n, 3, size, size]`, normalised.
    pub(crate) planes: &'a [f32],
    pub(crate) size: usize,
    /// Places of the samples in the split.
    pub(crate) indices: &'a [u32],
    /// Places of those that gave the backgrounds.
    pub(crate) backgrounds: &'a [Option<u32>],
}

impl<'a> Pictures<'a> {
    fn of<P>(batch: &'a BatchOf<P>, planes: &'a [f32], size: usize) -> Self {
        Self { planes, size, indices: &batch.indices, backgrounds: &batch.backgrounds }
    }
}

impl Reading {
    /// Hands what is wanted to `each`, in the split's order, batch by batch.
    ///
    /// # Errors
    /// When a shard cannot be read, or what `each` returns.
    pub(crate) fn each(
        &self,
        wanted: &Wanted<'_>,
        each: &mut dyn FnMut(Pictures<'_>) -> Result<()>,
    ) -> Result<()> {
        let ((loader, epoch), split) = (self.loader(wanted)?, wanted.split);
        match self.size.filter(|size| *size != split.size()) {
            None => {
                for batch in loader.epoch(epoch)? {
                    let batch = batch?;
                    each(Pictures::of(&batch, &batch.images, split.size()))?;
                }
            }
            Some(size) => {
                for batch in loader.epoch_bytes(epoch)? {
                    let batch = batch?;
                    let planes = self.resized(&batch, split.size(), size)?;
                    each(Pictures::of(&batch, &planes, size))?;
                }
            }
        }
        Ok(())
    }

    /// As [`Reading::each`], for a classifier that composes its pictures itself: only whose they are is handed on,
    /// several batches at a time, so that a GPU is not waited for after each.
    ///
    /// # Errors
    /// When the split has no such view, or what `each` returns.
    pub(crate) fn each_placed(
        &self,
        wanted: &Wanted<'_>,
        each: &mut dyn FnMut(&[Placed]) -> Result<()>,
    ) -> Result<()> {
        let (loader, epoch) = self.loader(wanted)?;
        let mut batches = loader.placed(epoch, 0)?;
        loop {
            let mut pictures = Vec::new();
            for batch in batches.by_ref().take(AT_ONCE) {
                pictures.extend(batch.indices.into_iter().zip(batch.backgrounds));
            }
            if pictures.is_empty() {
                return Ok(());
            }
            each(&pictures)?;
        }
    }

    /// The loader of these samples, and the epoch that has their pairings.
    fn loader(&self, wanted: &Wanted<'_>) -> Result<(Loader, u64)> {
        let Wanted { dataset, split, view, draw, .. } = *wanted;
        let settings = &dataset.manifest().settings;
        let config = LoaderConfig {
            view,
            batch_size: self.batch_size,
            shuffle: false,
            drop_last: false,
            augment: Augment::None,
            pairing: match draw {
                0 => PairingMode::Frozen,
                _ => PairingMode::Fresh(PairingPolicy::of(settings.profile)),
            },
            seed: settings.seed,
            normalization: self.normalization,
            ..LoaderConfig::default()
        };
        let loader = Loader::new(dataset, split, config)?.only(wanted.places.clone());
        // A loader's epoch e takes the draw e + 1: draw 0 is the frozen one.
        let epoch = u64::from(draw.saturating_sub(1));
        Ok((loader, epoch))
    }

    /// The pictures of a batch at another size, normalised, `[n, 3, size, size]`.
    fn resized(&self, batch: &ByteBatch, from: usize, size: usize) -> Result<Vec<f32>> {
        let preprocessing = self.preprocessing(size);
        let one = |bytes: &[u8]| -> Result<Vec<f32>> {
            let square = preprocessing.square(&Rgb::new(from, from, bytes.to_vec())?);
            Ok(preprocessing.normalise(&square))
        };
        let pictures: Result<Vec<Vec<f32>>> = batch.images.par_chunks(3 * from * from).map(one).collect();
        Ok(pictures?.concat())
    }

    /// What makes a square of `size` pixels a side out of a stored one.
    pub(crate) fn preprocessing(&self, size: usize) -> Preprocessing {
        Preprocessing {
            size,
            crop: Crop::ResizeThenCrop { resize: size },
            interpolation: Interpolation::Bicubic,
            normalization: self.normalization,
        }
    }
}
