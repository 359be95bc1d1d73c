//! Memory that is kept between photographs.

use crate::stage::Stage;
use crate::start::Models;

/// Pictures of one photograph: itself and up to five that halve its sides in turn.
const STAGES: usize = 6;

/// Buffers of a segmentation, reusable for images of any size.
///
/// Give each thread its own. After the first image of the largest size and the largest box,
/// [`segment`](crate::segment) allocates nothing.
#[derive(Debug)]
pub struct Workspace {
    pub(crate) stages: [Stage; STAGES],
    pub(crate) models: Models,
}

impl Workspace {
    /// An empty workspace; memory is taken when the first image arrives.
    pub fn new() -> Self {
        Self { stages: Default::default(), models: Models::new() }
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self::new()
    }
}
