//! Buffers that are kept between images.

use crate::coarse_to_fine::Models;
use crate::level::Level;

/// Levels of the image pyramid: the image itself and up to five that halve its sides in turn.
const LEVELS: usize = 6;

/// Buffers of a segmentation, reusable for images of any size.
///
/// Each thread needs its own. [`segment`](crate::segment) allocates memory only for an image or a box larger than
/// all before.
#[derive(Debug)]
pub struct Workspace {
    pub(crate) levels: [Level; LEVELS],
    pub(crate) models: Models,
}

impl Workspace {
    /// An empty workspace. Memory is allocated for the first image.
    pub fn new() -> Self {
        Self { levels: Default::default(), models: Models::new() }
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self::new()
    }
}
