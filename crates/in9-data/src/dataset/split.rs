//! One split of a dataset: its samples and their layers.

use std::sync::Arc;

use rayon::prelude::*;

use crate::compose::Layers;
use crate::error::{Error, Result};
use crate::shard::{Sample, Shard};
use crate::view::View;

use super::manifest::Manifest;

/// The samples of one split, over memory-mapped shards. Clones share the maps.
#[derive(Debug, Clone)]
pub struct Split {
    inner: Arc<Inner>,
}

/// A split all of whose layers were found sound: what reads any of them at any time, such as a search over all
/// backgrounds, has no error to hand on.
#[derive(Debug, Clone)]
pub struct SoundSplit {
    split: Split,
}

impl SoundSplit {
    /// Layers of sample `index`, slices of the memory map.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn layers(&self, index: usize) -> Layers<'_> {
        let (shard, at) = self.split.locate(index);
        shard.checked_layers(at)
    }
}

impl std::ops::Deref for SoundSplit {
    type Target = Split;

    fn deref(&self) -> &Split {
        &self.split
    }
}

#[derive(Debug)]
struct Inner {
    name: String,
    size: usize,
    classes: usize,
    photos_only: bool,
    shards: Vec<Shard>,
    /// Index of each shard's first sample, and the total at the end.
    starts: Vec<usize>,
}

impl Split {
    pub(super) fn new(name: &str, manifest: &Manifest, shards: Vec<Shard>) -> Self {
        let mut starts = vec![0];
        for shard in &shards {
            starts.push(starts[starts.len() - 1] + shard.len());
        }
        let inner = Inner {
            name: name.into(),
            size: manifest.settings.side(name) as usize,
            classes: manifest.taxonomy.len(),
            photos_only: manifest.settings.photos_only,
            shards,
            starts,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Name of the split.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.inner.starts[self.inner.shards.len()]
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pixels of a side of every picture.
    pub fn size(&self) -> usize {
        self.inner.size
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.inner.classes
    }

    /// Whether tiled backgrounds and masks are there, not only photographs.
    pub fn has_layers(&self) -> bool {
        !self.inner.photos_only
    }

    fn locate(&self, index: usize) -> (&Shard, usize) {
        assert!(index < self.len(), "sample {index} of {} in split {}", self.len(), self.name());
        let shard = self.inner.starts.partition_point(|&start| start <= index) - 1;
        (&self.inner.shards[shard], index - self.inner.starts[shard])
    }

    /// What is known of sample `index`.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn sample(&self, index: usize) -> &Sample {
        let (shard, at) = self.locate(index);
        &shard.samples()[at]
    }

    /// Layers of sample `index`, slices of the memory map; see [`Shard::layers`].
    ///
    /// # Errors
    /// If a layer is damaged.
    ///
    /// # Panics
    /// If there is no such sample.
    pub fn layers(&self, index: usize) -> Result<Layers<'_>> {
        let (shard, at) = self.locate(index);
        shard.layers(at)
    }

    /// Checks every layer of every sample now, on the current rayon pool, so that they can be read without
    /// errors from then on.
    ///
    /// # Errors
    /// The first damage found.
    pub fn check_layers(&self) -> Result<SoundSplit> {
        self.inner
            .shards
            .par_iter()
            .flat_map(|shard| (0..shard.len()).into_par_iter().map(move |at| shard.layers(at)))
            .try_for_each(|layers| layers.map(|_| ()))?;
        Ok(SoundSplit { split: self.clone() })
    }

    /// Only the layers of sample `index` that a view of it as foreground is drawn from; others are empty.
    pub(crate) fn layers_for(&self, view: View, index: usize) -> Result<Layers<'_>> {
        let (shard, at) = self.locate(index);
        shard.layers_for(view, at)
    }

    /// The tiled background of sample `index`.
    pub(crate) fn tiled(&self, index: usize) -> Result<&[u8]> {
        let (shard, at) = self.locate(index);
        shard.tiled(at)
    }

    /// All samples in order.
    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.inner.shards.iter().flat_map(|shard| shard.samples())
    }

    /// Index of the sample with this id.
    pub fn find(&self, id: &str) -> Option<usize> {
        self.samples().position(|sample| sample.id == id)
    }

    /// The shards in order.
    pub(crate) fn shards(&self) -> &[Shard] {
        &self.inner.shards
    }

    /// Refuses a view that this split cannot give.
    ///
    /// # Errors
    /// If the split holds photographs only and the view is not the original.
    pub fn check_view(&self, view: View) -> Result<()> {
        if self.has_layers() || view == View::Original {
            return Ok(());
        }
        Err(Error::PhotographsOnly { split: self.name().into(), view })
    }
}
