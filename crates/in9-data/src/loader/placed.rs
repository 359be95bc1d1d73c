//! Batches as what they show, without a pixel: for whoever composes pictures elsewhere, such as a GPU.

use crate::error::Result;

use super::item::Placement;
use super::{Augment, Loader};

/// One batch: which samples, on whose backgrounds, and how they are placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedBatch {
    /// Samples, as numbers in their split.
    pub indices: Vec<u32>,
    /// The sample that lends its background, in views that take another one's.
    pub backgrounds: Vec<Option<u32>>,
    /// Classes.
    pub labels: Vec<u32>,
    /// Where each picture is put.
    pub placements: Vec<Placement>,
}

impl Loader {
    /// Whether the augmentation only mirrors and moves, so that [`Loader::placed`] says all of it.
    pub fn only_places(&self) -> bool {
        matches!(self.config.augment, Augment::None | Augment::ShiftFlip { .. })
            && self.size() == self.composer.split().size()
    }

    /// The batches of epoch `epoch` from number `first_batch` on: what [`Loader::epoch_from`] would compose.
    ///
    /// # Errors
    /// As [`Loader::epoch`].
    ///
    /// # Panics
    /// Unless [`Loader::only_places`].
    pub fn placed(
        &self,
        epoch: u64,
        first_batch: usize,
    ) -> Result<impl Iterator<Item = PlacedBatch> + use<>> {
        assert!(self.only_places(), "an augmentation that changes pixels");
        let plan = self.plan(epoch)?;
        let batches = plan.batches;
        Ok((first_batch..batches).map(move |at| {
            let end = plan.order.len().min((at + 1) * plan.batch_size);
            let indices = plan.order[at * plan.batch_size..end].to_vec();
            let background = |&item: &u32| plan.pairing.as_ref().map(|pairs| pairs[item as usize]);
            let label = |&item: &u32| u32::from(plan.composer.split().sample(item as usize).class);
            PlacedBatch {
                backgrounds: indices.iter().map(background).collect(),
                labels: indices.iter().map(label).collect(),
                placements: indices.iter().map(|&item| plan.composer.placement(item, epoch)).collect(),
                indices,
            }
        }))
    }
}
