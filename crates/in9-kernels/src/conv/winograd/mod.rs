//! Convolution of 3×3 kernels with stride 1 by Winograd's minimal filtering.
//!
//! A tile of outputs is computed from the elementwise product of a transformed tile of inputs and the
//! transformed filter: 36 products for 4×4 outputs instead of 144, or 16 for 2×2 instead of 36 (Lavin and
//! Gray 2016). The interpolation points of the large tile are 0, ±3/4, ±3/2 and infinity, which keeps the
//! rounding error within about twice that of the direct sum. (With the usual points 0, ±1, ±2 it is five
//! times that.) The gradient with respect to the filters is the exact transpose; that with respect to the
//! image is the same convolution with the filters rotated by 180°.
//!
//! All intermediate results are in the channel-blocked layout: vectors of sixteen channels.

mod backward_weight;
mod filters;
mod forward;
pub(crate) mod transform;

use super::geometry::Geometry;
use crate::simd::vector::LANES;
pub(super) use backward_weight::backward_weight;
pub(super) use filters::{Filters, tile_outputs, transformed};
pub(super) use forward::forward;

/// Most tiles of a strip, unless a single row of tiles has more.
const MAX_TILES: usize = 64;
/// Target for the tiles of a task: with fewer tiles in an image, a task computes several images.
const TASK_TILES: usize = 32;
/// Output channels of a panel of filters: two vectors.
const PANEL: usize = 2 * LANES;
/// Unused vectors behind the elements of a product. Without them the elements of a tile, which are one
/// product apart, would often be a power of two apart and compete for one set of the cache.
const GAP: usize = 1;

/// Whether the method supports the layer and is the fastest for it.
pub(super) fn suits(g: &Geometry) -> bool {
    let plain = [g.kh, g.kw] == [3, 3] && [g.sy, g.sx, g.dy, g.dx, g.groups] == [1; 5];
    plain && g.ci >= LANES && g.co >= LANES
}

/// How a convolution is divided into tiles and tasks. It depends on the sizes of one image only.
#[derive(Clone, Copy, Debug)]
struct Plan {
    g: Geometry,
    /// Outputs of a tile on each axis: 4 or 2.
    outputs: usize,
    /// Tiles of a row.
    tiles_x: usize,
    /// Rows of tiles of a strip (all of them if a task has several images).
    strip: usize,
    /// Most images of a task.
    images: usize,
    /// Vectors of input and of output channels.
    ci_vectors: usize,
    co_vectors: usize,
}

impl Plan {
    fn new(g: &Geometry) -> Self {
        let outputs = if g.oh.max(g.ow) <= 2 { 2 } else { 4 };
        let (tiles_x, tiles_y) = (g.ow.div_ceil(outputs), g.oh.div_ceil(outputs));
        let tiles = tiles_x * tiles_y;
        let strips = tiles.div_ceil(MAX_TILES).min(tiles_y);
        let (strip, images) = (tiles_y.div_ceil(strips), TASK_TILES.div_ceil(tiles));
        Self {
            g: *g,
            outputs,
            tiles_x,
            strip,
            images,
            ci_vectors: g.ci.div_ceil(LANES),
            co_vectors: g.co.div_ceil(LANES),
        }
    }

    /// Products of a tile, which is the number of its inputs.
    fn products(&self) -> usize {
        (self.outputs + 2) * (self.outputs + 2)
    }

    /// The strips of an image, from top to bottom.
    fn strips(self) -> impl Iterator<Item = Strip> {
        let tiles_y = self.g.oh.div_ceil(self.outputs);
        (0..tiles_y)
            .step_by(self.strip)
            .map(move |first| Strip { first, rows: self.strip.min(tiles_y - first) })
    }

    /// Rows and columns of the padded input that a strip reads.
    fn input_size(&self, strip: Strip) -> [usize; 2] {
        [strip.rows * self.outputs + 2, self.tiles_x * self.outputs + 2]
    }
}

/// Some rows of tiles of an image.
#[derive(Clone, Copy, Debug)]
struct Strip {
    /// The first row of tiles.
    first: usize,
    /// Number of rows of tiles.
    rows: usize,
}
