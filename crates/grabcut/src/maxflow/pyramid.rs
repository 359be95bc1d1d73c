//! An initial flow from coarser grids, as in multigrid methods.
//!
//! Each block of 2 × 2 nodes becomes one node, with the sums of the excesses and of the capacities between
//! blocks (restriction). The flow found there is distributed over the fine links (prolongation). Long paths are
//! thus found where they are short, and only local imbalances are left for the fine grid. Any flow within the
//! capacities is a valid start, so nothing here can affect the result.

use super::grid::{STEP, Shape, back};
use super::incremental_bfs::IncrementalBfs;
use super::residual::Residual;
use crate::simd::Backend;

/// The fine links between blocks, for each direction between blocks: column and row of the node in its block, and
/// the direction from there.
const BUNDLE: [&[(usize, usize, usize)]; 8] = [
    &[(0, 0, 0)],
    &[(0, 0, 1), (0, 0, 2), (1, 0, 1), (1, 0, 0)],
    &[(1, 0, 2)],
    &[(0, 0, 3), (0, 0, 5), (0, 1, 3), (0, 1, 0)],
    &[(1, 0, 4), (1, 0, 7), (1, 1, 4), (1, 1, 2)],
    &[(0, 1, 5)],
    &[(0, 1, 6), (0, 1, 7), (1, 1, 6), (1, 1, 5)],
    &[(1, 1, 7)],
];
/// Fine units in a coarse unit: a bundle has up to four links, whose sum must fit 16 bits.
const UNIT: i32 = 4;
/// Most coarser grids.
const LEVELS: usize = 3;
/// A grid whose shorter side is no longer than this has no coarser one.
const MIN_SIDE: usize = 8;

/// The coarser grids.
#[derive(Debug, Default)]
pub(crate) struct Pyramid {
    levels: [Level; LEVELS],
}

#[derive(Debug, Default)]
struct Level {
    shape: Shape,
    residual: Residual,
    solver: IncrementalBfs,
}

impl Pyramid {
    /// Pushes an initial flow on `residual`, a grid of `shape`.
    pub(crate) fn start(&mut self, backend: Backend, shape: Shape, residual: &mut Residual) {
        descend(backend, &mut self.levels, shape, residual);
    }
}

fn descend(backend: Backend, levels: &mut [Level], shape: Shape, fine: &mut Residual) {
    let Some((coarse, coarser)) = levels.split_first_mut() else { return };
    if shape.width.min(shape.height) <= MIN_SIDE {
        return;
    }
    coarse.shape = Shape { width: shape.width.div_ceil(2), height: shape.height.div_ceil(2) };
    restrict(shape, fine, coarse);
    descend(backend, coarser, coarse.shape, &mut coarse.residual);
    coarse.solver.solve(backend, coarse.shape, &mut coarse.residual, None);
    prolong(coarse, shape, fine);
}

/// The fine nodes of a bundle with the directions of its links. At an odd edge some of the nodes are padding, which
/// has no links.
#[inline(always)]
fn bundle(shape: Shape, x: usize, y: usize, d: usize) -> impl Iterator<Item = (usize, usize)> {
    let first = shape.at(2 * x, 2 * y);
    BUNDLE[d].iter().map(move |&(dx, dy, link)| (first + dy * shape.stride() + dx, link))
}

/// Sum of the residual capacities of a bundle.
#[inline(always)]
fn left(shape: Shape, fine: &Residual, x: usize, y: usize, d: usize) -> i32 {
    bundle(shape, x, y, d).map(|(node, link)| i32::from(fine.link[node][link])).sum()
}

/// Sets up the coarse grid from the residual capacities of the fine one.
fn restrict(shape: Shape, fine: &Residual, coarse: &mut Level) {
    coarse.residual.reset(coarse.shape);
    for y in 0..coarse.shape.height {
        for x in 0..coarse.shape.width {
            let node = coarse.shape.at(x, y);
            let first = shape.at(2 * x, 2 * y);
            let rows = [&fine.excess[first..][..2], &fine.excess[first + shape.stride()..][..2]];
            let excess: i32 = rows.into_iter().flatten().sum();
            coarse.residual.excess[node] = excess / UNIT;
            for d in 0..8 {
                let capacity = left(shape, fine, x, y, d) / UNIT;
                if capacity > 0 {
                    coarse.residual.set_residual(node, d, capacity as u16);
                }
            }
        }
    }
}

/// Distributes the coarse flow over the fine links.
fn prolong(coarse: &Level, shape: Shape, fine: &mut Residual) {
    for y in 0..coarse.shape.height {
        for x in 0..coarse.shape.width {
            for d in super::grid::FORWARD {
                let capacity = left(shape, fine, x, y, d);
                let unused = i32::from(coarse.residual.link[coarse.shape.at(x, y)][d]);
                let flow = (capacity / UNIT - unused) * UNIT;
                if flow > 0 {
                    spread(shape, fine, (x, y), d, flow, capacity);
                } else if flow < 0 {
                    let to = (x.wrapping_add_signed(STEP[d].0), y.wrapping_add_signed(STEP[d].1));
                    let capacity = left(shape, fine, to.0, to.1, back(d));
                    spread(shape, fine, to, back(d), -flow, capacity);
                }
            }
        }
    }
}

/// Pushes `flow`, at most `capacity`, over the links of a bundle in proportion to their residual capacities.
fn spread(shape: Shape, fine: &mut Residual, (x, y): (usize, usize), d: usize, flow: i32, capacity: i32) {
    let (mut flow, mut capacity) = (flow, capacity);
    for (node, link) in bundle(shape, x, y, d) {
        let left = i32::from(fine.link[node][link]);
        if left == 0 {
            continue;
        }
        let share = i64::from(flow) * i64::from(left);
        let amount = (share as u64).div_ceil(capacity as u64) as i32;
        flow -= amount;
        capacity -= left;
        if amount > 0 {
            let to = fine.neighbour(node, link);
            fine.push(node, link, to, amount as u16);
            fine.excess[node] -= amount;
            fine.excess[to] += amount;
        }
    }
}
