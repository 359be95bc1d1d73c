//! Exact minimum cut on an implicit 8-neighbour grid.

mod around;
mod bits;
#[cfg(test)]
mod boykov_kolmogorov;
mod forest;
pub(crate) mod grid;
mod incremental_bfs;
mod pyramid;
mod residual;

#[cfg(test)]
mod tests;

use grid::Shape;
use incremental_bfs::IncrementalBfs;
use pyramid::Pyramid;
use residual::Residual;

use crate::simd::Backend;

/// A grid, a flow on it, and its minimum cut.
///
/// The flow is kept when terminal capacities change, so a later [`GridCut::solve`] only has to route the
/// difference.
#[derive(Debug, Default)]
pub(crate) struct GridCut {
    shape: Shape,
    residual: Residual,
    pyramid: Pyramid,
    solver: IncrementalBfs,
    fresh: bool,
}

impl GridCut {
    /// Starts over with a grid of `shape` without links.
    pub(crate) fn reset(&mut self, shape: Shape) {
        self.shape = shape;
        self.residual.reset(shape);
        self.fresh = true;
    }

    /// Sets the capacity of the link between `node` and its neighbour in direction `d`, both ways,
    /// in units; at most 32,767.
    #[inline(always)]
    pub(crate) fn set_link(&mut self, node: usize, d: usize, capacity: u16) {
        self.residual.set_link(node, d, capacity);
    }

    /// The same for a run of nodes that begins with `node`.
    #[inline(always)]
    pub(crate) fn set_links(&mut self, node: usize, d: usize, capacities: &[u16]) {
        self.residual.set_links(node, d, capacities);
    }

    /// Adds to the capacity from the source (negative: to the sink), in units. The flow is kept.
    #[inline(always)]
    pub(crate) fn add_excess(&mut self, node: usize, delta: i32) {
        self.residual.excess[node] += delta;
    }

    /// The residual capacities of a run of nodes, as in [`GridCut::add_excess`], to add to.
    #[inline(always)]
    pub(crate) fn excesses(&mut self, node: usize, nodes: usize) -> &mut [i32] {
        &mut self.residual.excess[node..][..nodes]
    }

    /// Residual capacity of the node's link to its terminal, signed as in [`GridCut::add_excess`].
    #[inline(always)]
    pub(crate) fn excess(&self, node: usize) -> i32 {
        self.residual.excess[node]
    }

    /// Pushes flow until no path from source to sink is left. It is found faster if `guess`, with one item a node and
    /// its padding, holds for nearly those nodes that are on the source's side.
    pub(crate) fn solve(&mut self, backend: Backend, guess: Option<&[bool]>) {
        if std::mem::take(&mut self.fresh) {
            self.residual.mark_unsaturated();
            self.pyramid.start(backend, self.shape, &mut self.residual);
        }
        self.solver.solve(backend, self.shape, &mut self.residual, guess);
    }

    /// Whether the node can be reached from the source through links with residual capacity. Of all minimum cuts
    /// this is the one with the fewest nodes on the source's side; it does not depend on the flow.
    #[inline(always)]
    pub(crate) fn on_source_side(&self, node: usize) -> bool {
        self.solver.on_source_side(node)
    }
}
