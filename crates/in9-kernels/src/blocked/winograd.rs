//! Convolution of 3×3 kernels with stride 1 in blocks, by Winograd's minimal filtering.
//!
//! The transforms are those of [`crate::conv::winograd`]; in blocks they need no rearranging, and the products are
//! those of a 1×1 convolution whose pixels are tiles.

use super::{
    lanes::{BLOCK, Isa, Lanes, Square, for_each_isa},
    product::{self, Finish, Inputs, Output, PANEL, Run, Target, activate, is_quick, multiply, quick},
};
use crate::{
    conv::{
        geometry::Geometry,
        winograd::transform::{Axis, SIDE, both_axes},
    },
    scratch,
    simd::{Arithmetic, Level},
};
use rayon::prelude::*;
use std::ops::Range;

/// Target for the factors and products of a task, in elements (1 MB).
const TASK_ELEMENTS: usize = 256 << 10;
/// Least and most tiles of a task, if the layer has as many.
const TASK_TILES: [usize; 2] = [24, 96];
/// Unused elements behind the factors of one product. Without them the factors of a tile would often be a power of
/// two apart and compete for one set of the cache.
pub(super) const GAP: usize = 2 * BLOCK;

/// Whether the method supports the layer and is the fastest for it.
pub(super) fn suits(g: &Geometry) -> bool {
    let plain = [g.kh, g.kw] == [3, 3] && [g.sy, g.sx, g.dy, g.dx, g.groups] == [1; 5];
    plain && g.ci >= 2 * BLOCK && g.co >= 2 * BLOCK
}

/// Outputs of a tile on each axis.
pub(super) fn outputs(g: &Geometry) -> usize {
    if g.oh.max(g.ow) <= 2 { 2 } else { 4 }
}

/// Filters of 3×3 as they lie in memory.
#[derive(Clone, Copy)]
pub(super) struct Taps<'a> {
    pub(super) w: &'a [f32],
    /// Filters from one output, and from one input, to the next.
    pub(super) output: usize,
    pub(super) input: usize,
    /// Whether they are rotated by 180°, as for the gradient with respect to the image.
    pub(super) rotated: bool,
}

/// Elements of the filters as factors.
pub(super) fn packed_len(g: &Geometry) -> usize {
    let side = outputs(g) + 2;
    side * side * g.co * g.ci
}

/// What a factor of a filter costs beside the products with its tiles, in products, if it is made for one call: there are
/// four times as many factors as taps, too many for a cache in the last layers of a network.
const FACTOR: usize = 64;

/// Whether the method is the fastest for one call, or for the gradient of one.
pub(super) fn suits_once(g: &Geometry) -> bool {
    let tiles = Tiles::of(g);
    let products = (tiles.out + 2) * (tiles.out + 2);
    suits(g) && 9 * g.n * g.plane_out() > products * (g.n * tiles.rows * tiles.columns + FACTOR)
}

/// Makes the filters factors: `[products]` times what [`product::pack`] makes, [`packed_len`] elements.
pub(super) fn pack(level: Level, taps: Taps<'_>, g: &Geometry, packed: &mut [f32]) {
    let side = outputs(g) + 2;
    let matrix = g.co * g.ci;
    let out = Output::over(packed);
    (0..g.co.div_ceil(PANEL)).into_par_iter().for_each(|chunk| {
        let outputs = chunk * PANEL..((chunk + 1) * PANEL).min(g.co);
        // SAFETY: no two chunks have an output in common, and an output's factors are its own.
        unsafe { transform_filters(level, taps, outputs, [g.ci, matrix], side, out) };
    });
}

for_each_isa! {
    /// The factors of some outputs, which begin at a multiple of [`PANEL`], for tiles of `side` inputs on each axis.
    ///
    /// # Safety
    /// Nobody else uses the factors of these outputs.
    unsafe fn transform_filters<I>(
        taps: Taps<'_>,
        outputs: Range<usize>,
        sizes: [usize; 2],
        side: usize,
        out: Output,
    ) {
        // SAFETY: the caller's promise is handed on.
        unsafe {
            if side == SIDE {
                filters::<I, 4>(taps, outputs, sizes, out);
            } else {
                filters::<I, 2>(taps, outputs, sizes, out);
            }
        }
    }
}

/// [`transform_filters`] for tiles of `OUT` outputs on each axis.
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn filters<I: Isa, const OUT: usize>(
    taps: Taps<'_>,
    outputs: Range<usize>,
    [inputs, matrix]: [usize; 2],
    out: Output,
) {
    let side = OUT + 2;
    for panel in product::panels::<I>(outputs) {
        for first in panel.clone().step_by(BLOCK) {
            for input in 0..inputs {
                // A filter a register, then a tap a register; the ninth taps apart.
                let filter = |lane: usize| {
                    let at = ((first + lane) * taps.output + input * taps.input) * 9;
                    &taps.w[at..at + 9]
                };
                // SAFETY: a filter has nine taps.
                let load = |lane: usize| unsafe { I::Eight::load(filter(lane).as_ptr()) };
                let eight = I::Eight::transpose(std::array::from_fn(load));
                let ninth: [f32; BLOCK] = std::array::from_fn(|lane| filter(lane)[8]);
                // SAFETY: there are eight lanes.
                let ninth = unsafe { I::Eight::load(ninth.as_ptr()) };
                let tap = |t: usize| match if taps.rotated { 8 - t } else { t } {
                    8 => ninth,
                    t => eight[t],
                };
                let mut columns = [[I::Eight::splat(0.0); 3]; SIDE];
                let mut x = 0;
                while x < 3 {
                    let factors = Axis::<OUT>::filter([tap(x), tap(3 + x), tap(6 + x)]);
                    let mut row = 0;
                    while row < side {
                        columns[row][x] = factors[row];
                        row += 1;
                    }
                    x += 1;
                }
                let start = panel.start * inputs + input * panel.len() + first - panel.start;
                for (row, column) in columns.into_iter().enumerate().take(side) {
                    let factors = Axis::<OUT>::filter(column);
                    for (i, factor) in factors.into_iter().enumerate().take(side) {
                        // SAFETY: `Output::at` checks the eight elements; nobody else uses them by the caller's promise.
                        unsafe { factor.store_blocks(out.at((row * side + i) * matrix + start, BLOCK), 0) };
                    }
                }
            }
        }
    }
}

/// Tiles of a layer: every image has `rows` rows of `columns` tiles.
pub(super) struct Tiles {
    pub(super) out: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
}

/// A tile: image, and the first row and column of its outputs.
pub(super) type Tile = [usize; 3];

impl Tiles {
    pub(super) fn of(g: &Geometry) -> Self {
        let out = outputs(g);
        Self { out, rows: g.oh.div_ceil(out), columns: g.ow.div_ceil(out) }
    }

    pub(super) fn at(&self, tile: usize) -> Tile {
        let per_image = self.rows * self.columns;
        let in_image = tile % per_image;
        [tile / per_image, in_image / self.columns * self.out, in_image % self.columns * self.out]
    }
}

/// Writes all outputs.
pub(super) fn forward(
    level: Level,
    x: &[f32],
    packed: &[f32],
    g: &Geometry,
    finish: Finish<'_>,
    out: Output,
) {
    let tiles = Tiles::of(g);
    let total = g.n * tiles.rows * tiles.columns;
    let products = (tiles.out + 2) * (tiles.out + 2);
    let [least, most] = TASK_TILES;
    let size = (TASK_ELEMENTS / (products * (g.ci + g.co))).clamp(least, most);
    let threads = rayon::current_num_threads();
    let tasks = total.div_ceil(size).next_multiple_of(threads).min(total);
    (0..tasks).into_par_iter().for_each(|task| {
        let own: Vec<Tile> =
            (total * task / tasks..total * (task + 1) / tasks).map(|tile| tiles.at(tile)).collect();
        let lengths = [g.ci, g.co].map(|channels| channels * own.len() + GAP);
        scratch::with(products * (lengths[0] + lengths[1]), |buffer| {
            let (factors, sums) = buffer.split_at_mut(products * lengths[0]);
            // SAFETY: the buffers have room for every product of every tile; no two tasks have a tile in
            // common, whose outputs nobody else writes.
            unsafe {
                transform_inputs(level, x, g, &own, lengths[0], factors);
                let groups: Vec<usize> = (0..g.ci / BLOCK).map(|block| block * own.len() * BLOCK).collect();
                let inputs = Inputs { groups: &groups, depth: BLOCK, pixel: BLOCK };
                let run = [Run { x: 0, y: 0, pixels: own.len() }];
                for k in 0..products {
                    let factors = &factors[k * lengths[0]..][..g.ci * own.len()];
                    let filters = &packed[k * g.ci * g.co..][..g.ci * g.co];
                    let sums = &mut sums[k * lengths[1]..][..g.co * own.len()];
                    let target = Target::dense(Output::over(sums), own.len() * BLOCK);
                    multiply(level, factors, inputs, filters, 0..g.co, &run, target, Finish::default());
                }
                transform_outputs(level, sums, lengths[1], g, &own, finish, out);
            }
        });
    });
}

for_each_isa! {
    /// Fills `[products][ci / 8][tiles][8]`, products `length` elements apart.
    ///
    /// # Safety
    /// None is needed beyond the bounds of the slices, which are checked.
    pub(super) unsafe fn transform_inputs<I>(
        x: &[f32],
        g: &Geometry,
        tiles: &[Tile],
        length: usize,
        factors: &mut [f32],
    ) {
        if outputs(g) == 4 {
            inputs::<I, 4>(x, g, tiles, length, factors);
        } else {
            inputs::<I, 2>(x, g, tiles, length, factors);
        }
    }
}

/// [`transform_inputs`] for tiles of `OUT` outputs on each axis.
#[inline(always)]
fn inputs<I: Isa, const OUT: usize>(
    x: &[f32],
    g: &Geometry,
    tiles: &[Tile],
    length: usize,
    factors: &mut [f32],
) {
    let side = OUT + 2;
    assert!(length >= g.ci * tiles.len() && factors.len() >= side * side * length);
    assert!(x.len() >= g.n * g.ci * g.plane_in());
    let zero = I::Eight::splat(0.0);
    for block in 0..g.ci / BLOCK {
        for (t, &[image, y, column]) in tiles.iter().enumerate() {
            let plane = &x[(image * g.ci / BLOCK + block) * g.plane_in() * BLOCK..][..g.plane_in() * BLOCK];
            let to = factors[(block * tiles.len() + t) * BLOCK..].as_mut_ptr();
            let inside =
                y >= g.top && y - g.top + side <= g.h && column >= g.left && column - g.left + side <= g.w;
            if inside {
                let from = plane[((y - g.top) * g.w + column - g.left) * BLOCK..].as_ptr();
                // SAFETY: by `inside` all pixels of the tile lie in the plane; by the first assertion every product
                // of the tile lies in `factors`.
                unsafe {
                    both_axes!(
                        I::Eight, SIDE, side => side, Axis::<OUT>::input,
                        |row, column| I::Eight::load(from.add((row * g.w + column) * BLOCK)),
                        |row, column, value| value.store_blocks(to.add((row * side + column) * length), 0),
                    );
                }
            } else {
                // SAFETY: only pixels that lie in the plane are read; by the first assertion every product of the
                // tile lies in `factors`.
                unsafe {
                    both_axes!(
                        I::Eight, SIDE, side => side, Axis::<OUT>::input,
                        |row, from| {
                            let (y, x) = ((y + row).wrapping_sub(g.top), (column + from).wrapping_sub(g.left));
                            if y < g.h && x < g.w {
                                I::Eight::load(plane.as_ptr().add((y * g.w + x) * BLOCK))
                            } else {
                                zero
                            }
                        },
                        |row, column, value| value.store_blocks(to.add((row * side + column) * length), 0),
                    );
                }
            }
        }
    }
}

for_each_isa! {
    /// Writes the outputs of tiles from `[products][co / 8][tiles][8]`, products `length` elements apart.
    ///
    /// # Safety
    /// Nobody else may use the outputs of these tiles.
    unsafe fn transform_outputs<I>(
        sums: &[f32],
        length: usize,
        g: &Geometry,
        tiles: &[Tile],
        finish: Finish<'_>,
        out: Output,
    ) {
        // SAFETY: the caller's promise is handed on.
        unsafe {
            if outputs(g) == 4 {
                write_outputs::<I, 4>(sums, length, g, tiles, finish, out);
            } else {
                write_outputs::<I, 2>(sums, length, g, tiles, finish, out);
            }
        }
    }
}

/// [`transform_outputs`] for tiles of `OUT` outputs on each axis.
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn write_outputs<I: Isa, const OUT: usize>(
    sums: &[f32],
    length: usize,
    g: &Geometry,
    tiles: &[Tile],
    finish: Finish<'_>,
    out: Output,
) {
    let side = OUT + 2;
    assert!(length >= g.co * tiles.len() && sums.len() >= side * side * length);
    let slow = !is_quick(finish.activation);
    for block in 0..g.co / BLOCK {
        let bias = match finish.bias {
            // SAFETY: the slice has eight elements.
            Some(bias) => unsafe { I::Eight::load(bias[block * BLOCK..][..BLOCK].as_ptr()) },
            None => I::Eight::splat(0.0),
        };
        for (t, &[image, y, x]) in tiles.iter().enumerate() {
            let from = sums[(block * tiles.len() + t) * BLOCK..].as_ptr();
            let mut values = [[I::Eight::splat(0.0); 4]; 4];
            // SAFETY: by the first assertion every product of the tile lies in `sums`.
            unsafe {
                both_axes!(
                    I::Eight, SIDE, side => OUT, Axis::<OUT>::output,
                    |row, column| I::Eight::load(from.add((row * side + column) * length)),
                    |row, column, value| values[row][column] = value,
                );
            }
            let width = OUT.min(g.ow - x);
            for (row, values) in values.iter().enumerate().take(OUT.min(g.oh - y)) {
                let at = ((image * g.co / BLOCK + block) * g.plane_out() + (y + row) * g.ow + x) * BLOCK;
                let to = out.at(at, width * BLOCK);
                let residual = finish.residual.map(|residual| residual[at..][..width * BLOCK].as_ptr());
                for (i, value) in values.iter().enumerate().take(width) {
                    let mut value = value.add(bias);
                    // SAFETY: pixel `i` is one of the `width` whose elements were checked; nobody else uses those of
                    // the output by the caller's promise.
                    unsafe {
                        if let Some(residual) = residual {
                            value = value.add(I::Eight::load(residual.add(i * BLOCK)));
                        }
                        quick(value, finish.activation).store_blocks(to.add(i * BLOCK), 0);
                    }
                }
                if slow {
                    // SAFETY: the loop above wrote these elements.
                    let y = unsafe { std::slice::from_raw_parts_mut(to, width * BLOCK) };
                    activate::<I>(y, finish.activation);
                }
            }
        }
    }
}
