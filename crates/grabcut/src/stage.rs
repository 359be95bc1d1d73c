//! The buffers of one picture size.

use crate::maxflow::GridCut;
use crate::planes::Planes;

/// What the rounds read and write at one size of the picture.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    pub(crate) planes: Planes,
    /// Per pixel: see [`crate::init`].
    pub(crate) states: Vec<u8>,
    /// Per pixel: component of the foreground mixture that explains it best.
    pub(crate) component_fg: Vec<u8>,
    /// The same for the background.
    pub(crate) component_bg: Vec<u8>,
    /// Per node: data cost as background less that as foreground, as last given to the flow.
    pub(crate) gap: Vec<i32>,
    pub(crate) flow: GridCut,
    pub(crate) row_cost: [Vec<i32>; 2],
    pub(crate) row_link: Vec<u16>,
    pub(crate) energies: Vec<f64>,
}
