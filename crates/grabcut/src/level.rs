//! One level of the image pyramid: the buffers of one image size.

use crate::colour::counts::Counts;
use crate::maxflow::GridCut;
use crate::planar::PlanarImage;

/// What the iterations read and write at one size of the image.
#[derive(Debug, Default)]
pub(crate) struct Level {
    pub(crate) image: PlanarImage,
    /// Per pixel: [`FOREGROUND`](crate::init::FOREGROUND) and [`UNKNOWN`](crate::init::UNKNOWN).
    pub(crate) states: Vec<u8>,
    /// Per pixel: the component of the foreground mixture with the least cost.
    pub(crate) component_fg: Vec<u8>,
    /// The same for the background.
    pub(crate) component_bg: Vec<u8>,
    pub(crate) counts: Counts,
    /// Per node: data cost as background minus that as foreground, as last added to the terminal links.
    pub(crate) terminal: Vec<i32>,
    pub(crate) flow: GridCut,
    /// Per node with its padding: whether it is expected on the source's side of the cut.
    pub(crate) guess: Vec<bool>,
    pub(crate) row_cost: [Vec<i32>; 2],
    pub(crate) row_capacity: Vec<u16>,
    pub(crate) energies: Vec<f64>,
}
