//! Weights in the order in which the register tile reads them.

use super::Sum;
use crate::simd::{
    Level, Vector,
    vector::{LANES, copy, for_each_vector},
};
use rayon::prelude::*;
use std::ops::Range;

/// Rows of the tallest register tile of any instruction set.
pub(super) const TALLEST: usize = 12;

/// Rows of the tallest register tile.
pub(super) fn tallest(level: Level) -> usize {
    rows(level)
}

for_each_vector! {
    fn rows<V>() -> usize {
        V::ROWS
    }
}

/// The register tiles that `rows` rows are cut into, tallest first.
pub(super) fn tiles(rows: Range<usize>, tallest: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = rows.start;
    std::iter::from_fn(move || {
        let left = rows.end - start;
        let size = [TALLEST, 8, 4, 2, 1].into_iter().find(|&size| size <= tallest && size <= left)?;
        start += size;
        Some(start - size..start)
    })
}

/// Rows that are packed at once: a multiple of every tile's.
const ROWS: usize = 4 * TALLEST;

/// Numbers of the packed filters.
pub(super) fn packed_len(sum: &Sum) -> usize {
    sum.groups * sum.outputs * sum.terms()
}

/// Packs the filters of every group: tile after tile, in each `[terms][rows of the tile]`.
///
/// The row `r` of a group starts, if a tile does, at `(group * outputs + r) * terms`. Rows cut at
/// multiples of [`TALLEST`] have the same tiles as all rows in one.
pub(super) fn pack(level: Level, w: &[f32], sum: &Sum, packed: &mut [f32]) {
    let terms = sum.terms();
    packed.par_chunks_exact_mut(sum.outputs * terms).enumerate().for_each(|(group, packed)| {
        packed.par_chunks_mut(ROWS * terms).enumerate().for_each(|(b, packed)| {
            let first = b * ROWS;
            for tile in tiles(0..packed.len() / terms, tallest(level)) {
                let to = &mut packed[tile.start * terms..tile.end * terms];
                pack_tile(level, &w[group * sum.weights[0]..], sum, first + tile.start, tile.len(), to);
            }
        });
    });
}

for_each_vector! {
    fn pack_tile<V>(w: &[f32], sum: &Sum, first: usize, rows: usize, to: &mut [f32]) {
        let [_, output, input] = sum.weights;
        let taps = sum.taps.len();
        if input == taps {
            // All taps in order: the terms of a row lie side by side.
            transpose_rows::<V>(&w[first * output..], output, rows, to);
            return;
        }
        let each = to.chunks_exact_mut(rows).zip((0..sum.inputs).flat_map(|c| (0..taps).map(move |t| (c, t))));
        for (to, (c, t)) in each {
            let start = first * output + c * input + sum.taps[t].index;
            if output == 1 {
                copy::<V>(&w[start..start + rows], to);
                continue;
            }
            for (to, w) in to.iter_mut().zip(w[start..].iter().step_by(output)) {
                *to = *w;
            }
        }
    }
}

/// `[rows][terms]`, rows `stride` apart, to `[terms][rows]`.
#[inline(always)]
fn transpose_rows<V: Vector>(w: &[f32], stride: usize, rows: usize, to: &mut [f32]) {
    let terms = to.len() / rows;
    for k in (0..terms).step_by(LANES) {
        let count = LANES.min(terms - k);
        let mut square = [[0f32; LANES]; LANES];
        for (r, line) in square.iter_mut().take(rows).enumerate() {
            let from = &w[r * stride + k..];
            match from.first_chunk::<LANES>() {
                Some(from) => V::load(from).store(line),
                None => line[..count].copy_from_slice(&from[..count]),
            }
        }
        V::transpose(&mut square);
        for (line, to) in square.iter().zip(to[k * rows..].chunks_exact_mut(rows).take(count)) {
            copy::<V>(&line[..rows], to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Conv2dConfig, conv::geometry::Geometry};

    #[test]
    fn tiles_cover_all_rows_once() {
        for rows in 0..40 {
            for tallest in [2, 12] {
                let all: Vec<usize> = tiles(3..3 + rows, tallest).flatten().collect();
                assert_eq!(all, (3..3 + rows).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn every_weight_lies_where_the_tile_looks() {
        let config = Conv2dConfig::new(2, 1).with_groups(2);
        let g = Geometry::new(&[1, 6, 9, 9], &[28, 3, 3, 3], &config).unwrap();
        let w: Vec<f32> = (0..28 * 27).map(|i| i as f32).collect();
        for level in Level::available() {
            for sum in Sum::gradients(&g).into_iter().chain([Sum::of(&g)]) {
                let mut packed = vec![0f32; packed_len(&sum)];
                pack(level, &w, &sum, &mut packed);
                for group in 0..sum.groups {
                    for block in (0..sum.outputs).step_by(12) {
                        let end = (block + 12).min(sum.outputs);
                        for tile in tiles(block..end, tallest(level)) {
                            let start = (group * sum.outputs + tile.start) * sum.terms();
                            for (i, r) in tile.clone().enumerate() {
                                for k in 0..sum.terms() {
                                    let (c, t) = (k / sum.taps.len(), k % sum.taps.len());
                                    let at = group * sum.weights[0]
                                        + r * sum.weights[1]
                                        + c * sum.weights[2]
                                        + sum.taps[t].index;
                                    assert_eq!(packed[start + k * tile.len() + i], w[at]);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
