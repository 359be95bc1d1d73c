//! Gradients of several batches that make up one step of the optimiser.

use candle_core::backprop::GradStore;

use crate::error::Result;

/// Gradients of the batches that make up one step.
#[derive(Default)]
pub(super) struct Accumulated {
    gradients: Option<GradStore>,
    pub(super) batches: u64,
}

impl Accumulated {
    pub(super) fn add(&mut self, gradients: GradStore) -> Result<()> {
        match &mut self.gradients {
            Some(sum) => sum.extend(gradients)?,
            None => self.gradients = Some(gradients),
        }
        self.batches += 1;
        Ok(())
    }

    pub(super) fn take(&mut self) -> Option<GradStore> {
        self.batches = 0;
        self.gradients.take()
    }
}
