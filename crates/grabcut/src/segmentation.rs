//! What a segmentation gives back.

use crate::Mixture;

/// A mask and what led to it, borrowed from the [`Workspace`](crate::Workspace).
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

    /// Energy of the whole image after each round's cut, in nats; never rises. At most one more
    /// than the rounds that changed something; empty if the trimap leaves nothing to decide.
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
