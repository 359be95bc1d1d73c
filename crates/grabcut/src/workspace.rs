//! Memory that is kept between photographs.

use crate::Mixture;
use crate::colour::kmeans::KMeans;
use crate::colour::palette::Palette;
use crate::maxflow::GridCut;
use crate::planes::Planes;
use crate::simd::Backend;

/// Buffers of a segmentation, reusable for images of any size.
///
/// Give each thread its own. After the first image of the largest size, [`segment`](crate::segment)
/// allocates nothing.
#[derive(Debug)]
pub struct Workspace {
    pub(crate) backend: Backend,
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
    pub(crate) palettes: [Palette; 2],
    pub(crate) kmeans: KMeans,
    pub(crate) row_cost: [Vec<i32>; 2],
    pub(crate) row_link: Vec<u16>,
    pub(crate) energies: Vec<f64>,
    /// Background, foreground.
    pub(crate) mixtures: [Mixture; 2],
}

impl Workspace {
    /// An empty workspace; memory is taken when the first image arrives.
    pub fn new() -> Self {
        Self {
            backend: Backend::detect(),
            planes: Planes::default(),
            states: Vec::new(),
            component_fg: Vec::new(),
            component_bg: Vec::new(),
            gap: Vec::new(),
            flow: GridCut::default(),
            palettes: Default::default(),
            kmeans: KMeans::default(),
            row_cost: Default::default(),
            row_link: Vec::new(),
            energies: Vec::new(),
            mixtures: [Mixture::fit(&[]), Mixture::fit(&[])],
        }
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self::new()
    }
}
