//! Convolution of 3×3 kernels with stride 1 in blocks, by Winograd's minimal filtering.
//!
//! The transforms are those of [`crate::conv::winograd`]; in blocks they need no rearranging, and the products are
//! those of a 1×1 convolution whose pixels are tiles.

use super::{
    lanes::{BLOCK, Isa, Lanes, for_each_isa},
    product::{self, Finish, Inputs, Output, PANEL, Run, Target, activate, multiply, quick},
};
use crate::{
    Activation,
    conv::{
        geometry::Geometry,
        winograd::transform::{Axis, SIDE, both_axes},
    },
    scratch,
    simd::{Arithmetic, Level},
};
use rayon::prelude::*;

/// Target for the factors and products of a task, in elements (1 MB).
const TASK_ELEMENTS: usize = 256 << 10;
/// Least and most tiles of a task, if the layer has as many.
const TASK_TILES: [usize; 2] = [24, 96];
/// Unused elements behind the factors of one product. Without them the factors of a tile would often be a power of
/// two apart and compete for one set of the cache.
const GAP: usize = 2 * BLOCK;

/// Whether the method supports the layer and is the fastest for it.
pub(super) fn suits(g: &Geometry) -> bool {
    let plain = [g.kh, g.kw] == [3, 3] && [g.sy, g.sx, g.dy, g.dx, g.groups] == [1; 5];
    plain && g.ci >= 2 * BLOCK && g.co >= 2 * BLOCK
}

/// Outputs of a tile on each axis.
pub(super) fn outputs(g: &Geometry) -> usize {
    if g.oh.max(g.ow) <= 2 { 2 } else { 4 }
}

/// The filters `[co, ci, 3, 3]` as factors: `[products]` times what [`product::pack`] makes.
pub(super) fn pack(level: Level, w: &[f32], g: &Geometry) -> Vec<f32> {
    let side = outputs(g) + 2;
    let (products, matrix) = (side * side, g.co * g.ci);
    let mut packed = vec![0f32; products * matrix];
    let chunks: Vec<Vec<f32>> = w
        .par_chunks(PANEL * g.ci * 9)
        .map(|w| {
            let outputs = w.len() / (g.ci * 9);
            let mut factors = vec![0f32; products * outputs * g.ci];
            for (at, taps) in w.as_chunks::<9>().0.iter().enumerate() {
                let mut write = |k: usize, value: f32| factors[k * outputs * g.ci + at] = value;
                if side == SIDE { filter::<4>(taps, &mut write) } else { filter::<2>(taps, &mut write) }
            }
            let mut packed = vec![0f32; factors.len()];
            for (factors, packed) in
                factors.chunks_exact(outputs * g.ci).zip(packed.chunks_exact_mut(outputs * g.ci))
            {
                // SAFETY: the function needs no promise.
                unsafe { product::pack(level, factors, outputs, g.ci, &|o, i| Some(o * g.ci + i), packed) };
            }
            packed
        })
        .collect();
    for (chunk, from) in chunks.iter().enumerate() {
        let len = from.len() / products;
        for (k, from) in from.chunks_exact(len).enumerate() {
            packed[k * matrix + chunk * PANEL * g.ci..][..len].copy_from_slice(from);
        }
    }
    packed
}

/// The factors of one filter.
fn filter<const OUT: usize>(taps: &[f32; 9], write: &mut impl FnMut(usize, f32)) {
    let side = OUT + 2;
    let mut columns = [[0f32; 3]; SIDE];
    for x in 0..3 {
        let products = Axis::<OUT>::filter([taps[x], taps[3 + x], taps[6 + x]]);
        for (columns, product) in columns.iter_mut().zip(products) {
            columns[x] = product;
        }
    }
    for (row, column) in columns.into_iter().enumerate().take(side) {
        for (i, product) in Axis::<OUT>::filter(column).into_iter().enumerate().take(side) {
            write(row * side + i, product);
        }
    }
}

/// Tiles of a layer: every image has `rows` rows of `columns` tiles.
struct Tiles {
    out: usize,
    rows: usize,
    columns: usize,
}

/// A tile: image, and the first row and column of its outputs.
type Tile = [usize; 3];

impl Tiles {
    fn of(g: &Geometry) -> Self {
        let out = outputs(g);
        Self { out, rows: g.oh.div_ceil(out), columns: g.ow.div_ceil(out) }
    }

    fn at(&self, tile: usize) -> Tile {
        let per_image = self.rows * self.columns;
        let in_image = tile % per_image;
        [tile / per_image, in_image / self.columns * self.out, in_image % self.columns * self.out]
    }
}

/// Writes all outputs.
pub(super) fn forward(level: Level, x: &[f32], packed: &[f32], g: &Geometry, finish: Finish<'_>, out: Output) {
    let tiles = Tiles::of(g);
    let total = g.n * tiles.rows * tiles.columns;
    let products = (tiles.out + 2) * (tiles.out + 2);
    let [least, most] = TASK_TILES;
    let size = (TASK_ELEMENTS / (products * (g.ci + g.co))).clamp(least, most);
    let threads = rayon::current_num_threads();
    let tasks = total.div_ceil(size).next_multiple_of(threads).min(total);
    (0..tasks).into_par_iter().for_each(|task| {
        let own: Vec<Tile> = (total * task / tasks..total * (task + 1) / tasks).map(|tile| tiles.at(tile)).collect();
        let lengths = [g.ci, g.co].map(|channels| channels * own.len() + GAP);
        scratch::with(products * (lengths[0] + lengths[1]), |buffer| {
            let (factors, sums) = buffer.split_at_mut(products * lengths[0]);
            // SAFETY (of all): the buffers have room for every product of every tile; no two tasks have a tile in
            // common, whose outputs nobody else writes.
            unsafe {
                if tiles.out == 4 {
                    transform_input_4(level, x, g, &own, lengths[0], factors);
                } else {
                    transform_input_2(level, x, g, &own, lengths[0], factors);
                }
                let groups: Vec<usize> = (0..g.ci / BLOCK).map(|block| block * own.len() * BLOCK).collect();
                let inputs = Inputs { groups: &groups, depth: BLOCK, pixel: BLOCK };
                let run = [Run { x: 0, y: 0, pixels: own.len() }];
                for k in 0..products {
                    let factors = &factors[k * lengths[0]..][..g.ci * own.len()];
                    let filters = &packed[k * g.ci * g.co..][..g.ci * g.co];
                    let sums = &mut sums[k * lengths[1]..][..g.co * own.len()];
                    let target = Target { y: Output::over(sums), block: own.len() * BLOCK };
                    multiply(level, factors, inputs, filters, 0..g.co, &run, target, Finish::default());
                }
                if tiles.out == 4 {
                    transform_output_4(level, sums, lengths[1], g, &own, finish, out);
                } else {
                    transform_output_2(level, sums, lengths[1], g, &own, finish, out);
                }
            }
        });
    });
}

/// Fills `[products][ci / 8][tiles][8]`, products `length` elements apart.
///
/// # Safety
/// None is needed beyond the bounds of the slices, which are checked.
#[inline(always)]
unsafe fn transform_input<I: Isa, const OUT: usize>(
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
            let inside = y >= g.top && y - g.top + side <= g.h && column >= g.left && column - g.left + side <= g.w;
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
    unsafe fn transform_input_4<I>(x: &[f32], g: &Geometry, tiles: &[Tile], length: usize, factors: &mut [f32]) {
        // SAFETY: the function needs no promise.
        unsafe { transform_input::<I, 4>(x, g, tiles, length, factors) };
    }
}

for_each_isa! {
    unsafe fn transform_input_2<I>(x: &[f32], g: &Geometry, tiles: &[Tile], length: usize, factors: &mut [f32]) {
        // SAFETY: the function needs no promise.
        unsafe { transform_input::<I, 2>(x, g, tiles, length, factors) };
    }
}

/// Writes the outputs of tiles from `[products][co / 8][tiles][8]`, products `length` elements apart.
///
/// # Safety
/// Nobody else may use the outputs of these tiles.
#[inline(always)]
unsafe fn transform_output<I: Isa, const OUT: usize>(
    sums: &[f32],
    length: usize,
    g: &Geometry,
    tiles: &[Tile],
    finish: Finish<'_>,
    out: Output,
) {
    let side = OUT + 2;
    assert!(length >= g.co * tiles.len() && sums.len() >= side * side * length);
    let slow = !matches!(
        finish.activation,
        Activation::None | Activation::Relu | Activation::Relu6 | Activation::HardSwish
    );
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

for_each_isa! {
    unsafe fn transform_output_4<I>(
        sums: &[f32],
        length: usize,
        g: &Geometry,
        tiles: &[Tile],
        finish: Finish<'_>,
        out: Output,
    ) {
        // SAFETY: the caller's promise is handed on.
        unsafe { transform_output::<I, 4>(sums, length, g, tiles, finish, out) };
    }
}

for_each_isa! {
    unsafe fn transform_output_2<I>(
        sums: &[f32],
        length: usize,
        g: &Geometry,
        tiles: &[Tile],
        finish: Finish<'_>,
        out: Output,
    ) {
        // SAFETY: the caller's promise is handed on.
        unsafe { transform_output::<I, 2>(sums, length, g, tiles, finish, out) };
    }
}
