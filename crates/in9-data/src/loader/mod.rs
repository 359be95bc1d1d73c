//! Batches: shuffled, composed, augmented, normalised, prefetched.
//!
//! Every choice is keyed by (seed, epoch, item), so batch size, threads, prefetching and resuming
//! change no pixel. Layers are read from the memory map and composed on the fly; buffers are reused.

mod augment;
mod batch;
mod epoch;
mod item;
mod pixels;
mod placed;

use std::ops::Range;
use std::sync::Arc;

use in9_base::rng::{shuffle, stream};

use crate::dataset::{Dataset, Split};
use crate::error::{Error, Result};
use crate::normalization::Normalization;
use crate::pairing::{Pairing, PairingPolicy};
use crate::view::View;

pub use augment::{Augment, Jitter};
pub use batch::{Batch, BatchOf, ByteBatch};
pub use epoch::{Epoch, Share};
use item::Composer;
pub use item::Placement;
pub use pixels::Pixel;
pub use placed::PlacedBatch;

/// Where backgrounds of the mixed views come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PairingMode {
    /// The pairing stored with the dataset: the same composites for everybody. For testing.
    #[default]
    Frozen,
    /// A new pairing every epoch. For training.
    Fresh(PairingPolicy),
    /// This background for each sample of the split.
    Given(Arc<Vec<u32>>),
}

/// Settings of a [`Loader`].
#[derive(Debug, Clone, PartialEq)]
pub struct LoaderConfig {
    /// The view that is loaded; default original.
    pub view: View,
    /// Samples of a batch, at least 1; default 64.
    pub batch_size: usize,
    /// Seed of order, augmentation and fresh pairings; default 0.
    pub seed: u64,
    /// Whether each epoch has its own random order; default false.
    pub shuffle: bool,
    /// Whether a last batch that is not full is left out; default false.
    pub drop_last: bool,
    /// Default none.
    pub augment: Augment,
    /// Default frozen.
    pub pairing: PairingMode,
    /// Pixels of a side of the pictures; `None` (default) is the stored size. Random crops are brought to it; otherwise
    /// the centre of the picture is taken, so that it can be no larger than what is stored.
    pub size: Option<usize>,
    /// Default [`Normalization::IMAGENET_9`].
    pub normalization: Normalization,
    /// Batches made ahead in the background; 0 makes each when it is asked for. Default 4.
    pub prefetch: usize,
    /// Threads that make batches ahead; 0 (default) takes as many as there are cores, but no more
    /// than `prefetch`.
    pub threads: usize,
}

impl Default for LoaderConfig {
    fn default() -> Self {
        Self {
            view: View::Original,
            batch_size: 64,
            seed: 0,
            shuffle: false,
            drop_last: false,
            augment: Augment::None,
            pairing: PairingMode::Frozen,
            size: None,
            normalization: Normalization::IMAGENET_9,
            prefetch: 4,
            threads: 0,
        }
    }
}

/// Makes batches of one view of one split.
#[derive(Debug)]
pub struct Loader {
    composer: Arc<Composer>,
    config: LoaderConfig,
    frozen: Option<Arc<Vec<u32>>>,
    /// Places of an epoch's order that are read.
    places: Range<usize>,
}

impl Loader {
    /// A loader over `split` of `dataset`. A frozen pairing is read here, once.
    ///
    /// # Errors
    /// If the settings are impossible, the split cannot give the view, or the pairing is not there.
    pub fn new(dataset: &Dataset, split: &Split, config: LoaderConfig) -> Result<Self> {
        if config.batch_size == 0 {
            return Err(Error::Setting { setting: "batch size", expected: "at least 1", found: "0".into() });
        }
        config.augment.check()?;
        split.check_view(config.view)?;
        let crops = matches!(config.augment, Augment::RandomResizedCrop { .. });
        if let Some(size) =
            config.size.filter(|&size| size == 0 || size > if crops { 4096 } else { split.size() })
        {
            let expected = "at least 1, at most the stored size (random crops: 4096)";
            return Err(Error::Setting { setting: "input size", expected, found: size.to_string() });
        }
        let frozen = match &config.pairing {
            PairingMode::Frozen if config.view.needs_background() => {
                Some(Arc::new(Pairing::frozen(dataset, split, config.view)?.0))
            }
            PairingMode::Given(pairs) if config.view.needs_background() => {
                let fits =
                    pairs.len() == split.len() && pairs.iter().all(|&pair| (pair as usize) < split.len());
                if !fits {
                    let expected = "a sample of the split for each of its samples";
                    return Err(Error::Setting { setting: "pairing", expected, found: "others".into() });
                }
                Some(pairs.clone())
            }
            _ => None,
        };
        let composer = Arc::new(Composer::new(split.clone(), &config));
        Ok(Self { composer, config, frozen, places: 0..split.len() })
    }

    /// Reads only these places of each epoch's order, as when several processes share it; places beyond the last sample
    /// are none.
    #[must_use]
    pub fn only(mut self, places: Range<usize>) -> Self {
        let samples = self.composer.split().len();
        let end = places.end.min(samples);
        self.places = places.start.min(end)..end;
        self
    }

    /// Pixels of a side of the pictures.
    pub fn size(&self) -> usize {
        self.composer.size()
    }

    /// Number of batches of an epoch.
    pub fn batches(&self) -> usize {
        let samples = self.places.len();
        match self.config.drop_last {
            true => samples / self.config.batch_size,
            false => samples.div_ceil(self.config.batch_size),
        }
    }

    /// The batches of epoch `epoch`: normalised f32, `[n, 3, size, size]`.
    ///
    /// # Errors
    /// If a fresh pairing cannot be drawn, or a thread cannot be started.
    pub fn epoch(&self, epoch: u64) -> Result<Epoch<f32>> {
        self.share(epoch, Share::from(0))
    }

    /// The batches of epoch `epoch` from number `first_batch` on: exactly those that an
    /// uninterrupted epoch would have given.
    ///
    /// # Errors
    /// As [`Loader::epoch`].
    pub fn epoch_from(&self, epoch: u64, first_batch: usize) -> Result<Epoch<f32>> {
        self.share(epoch, Share::from(first_batch))
    }

    /// The batches of epoch `epoch` as bytes, `[n, size, size, 3]`, not normalised.
    ///
    /// # Errors
    /// As [`Loader::epoch`].
    pub fn epoch_bytes(&self, epoch: u64) -> Result<Epoch<u8>> {
        self.share(epoch, Share::from(0))
    }

    /// A share of the batches of epoch `epoch`, in either form: those that an undivided epoch has there. What
    /// several processes read together, each its share, is the epoch.
    ///
    /// # Errors
    /// As [`Loader::epoch`]; and for a share of every nought-th batch.
    pub fn share<P: Pixel>(&self, epoch: u64, share: Share) -> Result<Epoch<P>> {
        Epoch::start(self.plan(epoch)?, share, self.config.prefetch, self.config.threads)
    }

    /// Order and pairing of an epoch.
    fn plan(&self, epoch: u64) -> Result<epoch::Plan> {
        let samples = self.composer.split().len();
        let mut order: Vec<u32> = (0..samples as u32).collect();
        if self.config.shuffle {
            shuffle(&mut stream(self.config.seed, "shuffle", 0, epoch), &mut order);
        }
        if self.places.len() < samples {
            order = order[self.places.clone()].to_vec();
        }
        let pairing = match (&self.config.pairing, &self.frozen) {
            (PairingMode::Fresh(policy), _) if self.config.view.needs_background() => {
                // Epoch 0 of the stream belongs to the frozen pairing.
                let drawn = Pairing::draw(
                    self.composer.split(),
                    self.config.view,
                    self.config.seed,
                    epoch + 1,
                    *policy,
                )?;
                Some(Arc::new(drawn.0))
            }
            (_, frozen) => frozen.clone(),
        };
        Ok(epoch::Plan {
            composer: self.composer.clone(),
            order,
            pairing,
            epoch,
            batch_size: self.config.batch_size,
            batches: self.batches(),
        })
    }
}
