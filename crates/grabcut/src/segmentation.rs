//! The result of a segmentation.

use crate::Mixture;

/// A mask, its energies and colour models, borrowed from the [`Workspace`](crate::Workspace).
#[derive(Debug, Clone, Copy)]
pub struct Segmentation<'w> {
    pub(crate) mask: &'w [u8],
    pub(crate) energies: &'w [f64],
    pub(crate) foreground: &'w Mixture,
    pub(crate) background: &'w Mixture,
}

impl<'w> Segmentation<'w> {
    /// One byte a pixel, row by row: 1 for foreground, 0 for background.
    pub fn mask(&self) -> &'w [u8] {
        self.mask
    }

    /// Number of foreground pixels.
    pub fn foreground_pixels(&self) -> usize {
        self.mask.iter().map(|&m| usize::from(m)).sum()
    }

    /// Energy of the whole image after the cut of each iteration that lowered it, in nats; strictly falling.
    /// Empty if the trimap leaves nothing to decide.
    pub fn energies(&self) -> &'w [f64] {
        self.energies
    }

    /// Colour model of the foreground that the last cut used.
    pub fn foreground_model(&self) -> &'w Mixture {
        self.foreground
    }

    /// Colour model of the background that the last cut used.
    pub fn background_model(&self) -> &'w Mixture {
        self.background
    }
}
