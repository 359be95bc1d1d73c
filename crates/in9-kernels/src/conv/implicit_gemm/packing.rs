//! Filters packed in the order in which the microkernel reads them.

use super::Problem;
use crate::simd::{
    Level, Vector,
    vector::{LANES, copy, for_each_vector},
};
use rayon::prelude::*;
use std::ops::Range;

/// Rows (output channels) of the largest register tile of any instruction set.
pub(super) const MAX_TILE_ROWS: usize = 12;

for_each_vector! {
    /// Rows of the largest register tile of an instruction set.
    pub(super) fn tile_rows<V>() -> usize {
        V::ROWS
    }
}

/// The register tiles of these rows, of `max` rows at most, the largest first.
pub(super) fn tiles(rows: Range<usize>, max: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = rows.start;
    std::iter::from_fn(move || {
        let left = rows.end - start;
        let size =
            [MAX_TILE_ROWS, 8, 6, 5, 4, 3, 2, 1].into_iter().find(|&size| size <= max && size <= left)?;
        start += size;
        Some(start - size..start)
    })
}

/// Rows that one task packs: a multiple of the rows of every tile.
const ROWS: usize = 4 * MAX_TILE_ROWS;

/// Elements of the packed filters.
pub(super) fn packed_len(problem: &Problem) -> usize {
    problem.groups * problem.outputs * problem.depth()
}

/// Packs the filters of every group, tile after tile, each as `[depth][rows of the tile]`.
///
/// The tile whose first row is row `r` of a group starts at `(group * outputs + r) * depth`. Rows that are
/// split at multiples of [`MAX_TILE_ROWS`] have the same tiles as if they were not split.
pub(super) fn pack(level: Level, w: &[f32], problem: &Problem, packed: &mut [f32]) {
    let depth = problem.depth();
    packed.par_chunks_exact_mut(problem.outputs * depth).enumerate().for_each(|(group, packed)| {
        packed.par_chunks_mut(ROWS * depth).enumerate().for_each(|(b, packed)| {
            let first = b * ROWS;
            for tile in tiles(0..packed.len() / depth, tile_rows(level)) {
                let to = &mut packed[tile.start * depth..tile.end * depth];
                pack_tile(
                    level,
                    &w[group * problem.filter_strides[0]..],
                    problem,
                    first + tile.start,
                    tile.len(),
                    to,
                );
            }
        });
    });
}

for_each_vector! {
    fn pack_tile<V>(w: &[f32], problem: &Problem, first: usize, rows: usize, to: &mut [f32]) {
        let [_, output, input] = problem.filter_strides;
        let taps = problem.taps.len();
        if input == taps {
            // All taps in order: the weights of a row are contiguous.
            transpose_rows::<V>(&w[first * output..], output, rows, to);
            return;
        }
        let each = to.chunks_exact_mut(rows).zip((0..problem.inputs).flat_map(|c| (0..taps).map(move |t| (c, t))));
        for (to, (c, t)) in each {
            let start = first * output + c * input + problem.taps[t].index;
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

/// Transposes `[rows][depth]`, whose rows are `stride` apart, to `[depth][rows]`.
#[inline(always)]
fn transpose_rows<V: Vector>(w: &[f32], stride: usize, rows: usize, to: &mut [f32]) {
    let depth = to.len() / rows;
    for k in (0..depth).step_by(LANES) {
        let count = LANES.min(depth - k);
        let mut square = [[0f32; LANES]; LANES];
        for (r, row) in square.iter_mut().take(rows).enumerate() {
            let from = &w[r * stride + k..];
            match from.first_chunk::<LANES>() {
                Some(from) => V::load(from).store(row),
                None => row[..count].copy_from_slice(&from[..count]),
            }
        }
        V::transpose(&mut square);
        for (column, to) in square.iter().zip(to[k * rows..].chunks_exact_mut(rows).take(count)) {
            copy::<V>(&column[..rows], to);
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
            for max in [2, 12] {
                let all: Vec<usize> = tiles(3..3 + rows, max).flatten().collect();
                assert_eq!(all, (3..3 + rows).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn every_weight_is_where_the_microkernel_reads_it() {
        let config = Conv2dConfig::new(2, 1).with_groups(2);
        let g = Geometry::new(&[1, 6, 9, 9], &[28, 3, 3, 3], &config).unwrap();
        let w: Vec<f32> = (0..28 * 27).map(|i| i as f32).collect();
        for level in Level::available() {
            for problem in Problem::backward_data(&g).into_iter().chain([Problem::forward(&g)]) {
                let mut packed = vec![0f32; packed_len(&problem)];
                pack(level, &w, &problem, &mut packed);
                for group in 0..problem.groups {
                    for block in (0..problem.outputs).step_by(12) {
                        let end = (block + 12).min(problem.outputs);
                        for tile in tiles(block..end, tile_rows(level)) {
                            let start = (group * problem.outputs + tile.start) * problem.depth();
                            for (i, r) in tile.clone().enumerate() {
                                for k in 0..problem.depth() {
                                    let (c, t) = (k / problem.taps.len(), k % problem.taps.len());
                                    let at = group * problem.filter_strides[0]
                                        + r * problem.filter_strides[1]
                                        + c * problem.filter_strides[2]
                                        + problem.taps[t].index;
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
