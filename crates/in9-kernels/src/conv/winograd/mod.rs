//! Convolution of 3×3 kernels with stride 1 by Winograd's minimal filtering.
//!
//! A tile of the output is computed from products of transformed tiles: 36 products for 4×4
//! outputs instead of 144, or 16 for 2×2 instead of 36. The interpolation points of the large tile
//! are 0, ±3/4, ±3/2 and infinity, which keeps the rounding error within about twice that of the
//! direct sum (0, ±1, ±2 has five times that). The gradient with respect to the filters is the
//! exact transpose; that with respect to the image is the same convolution with turned filters.
//!
//! Inside, numbers lie as vectors of sixteen channels.

mod backward_weight;
mod forward;
mod transform;

use super::geometry::Geometry;
use crate::simd::vector::LANES;
pub(super) use backward_weight::backward_weight;
pub(super) use forward::{Filters, forward, outputs_of, transformed};

/// Tiles of a strip at most, as long as a row of tiles is no longer.
const TILES: usize = 64;
/// Tiles of a task of several images, if the batch has enough of them.
const SHARED_TILES: usize = 32;
/// Columns of a panel of filters: two vectors.
const PANEL: usize = 2 * LANES;
/// Vectors left free behind the numbers of a product. Without them the sixteen or thirty-six places
/// that a tile is spread over would often lie a power of two apart, in one set of the cache.
const GAP: usize = 1;

/// Whether the method applies and pays.
pub(super) fn suits(g: &Geometry) -> bool {
    let plain = [g.kh, g.kw] == [3, 3] && [g.sy, g.sx, g.dy, g.dx, g.groups] == [1; 5];
    plain && g.ci >= LANES && g.co >= LANES
}

/// How a convolution is cut into tiles and tasks. A function of the sizes of one image only.
#[derive(Clone, Copy, Debug)]
struct Plan {
    g: Geometry,
    /// Outputs of a tile on each axis: 4 or 2.
    outputs: usize,
    /// Tiles across the plane.
    tiles_x: usize,
    /// Rows of tiles of a strip (all of them where several images share a task).
    strip: usize,
    /// Images of a task at most.
    images: usize,
    /// Input and output channels in whole vectors.
    ci_vectors: usize,
    co_vectors: usize,
}

impl Plan {
    fn new(g: &Geometry) -> Self {
        let outputs = if g.oh.max(g.ow) <= 2 { 2 } else { 4 };
        let (tiles_x, tiles_y) = (g.ow.div_ceil(outputs), g.oh.div_ceil(outputs));
        let tiles = tiles_x * tiles_y;
        let strips = tiles.div_ceil(TILES).min(tiles_y);
        let (strip, images) = (tiles_y.div_ceil(strips), SHARED_TILES.div_ceil(tiles));
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

    /// Products of a tile: the square of its side.
    fn products(&self) -> usize {
        (self.outputs + 2) * (self.outputs + 2)
    }

    /// First output row and rows of tiles of every strip.
    fn strips(self) -> impl Iterator<Item = Strip> {
        let tiles_y = self.g.oh.div_ceil(self.outputs);
        (0..tiles_y)
            .step_by(self.strip)
            .map(move |first| Strip { first, rows: self.strip.min(tiles_y - first) })
    }

    /// Rows and columns of the padded patch that a strip reads.
    fn patch(&self, strip: Strip) -> [usize; 2] {
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
