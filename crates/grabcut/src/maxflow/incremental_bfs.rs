//! Incremental breadth-first search (Goldberg, Hed, Kaplan, Tarjan and Werneck, ESA 2011) on the
//! implicit grid.
//!
//! Like Boykov and Kolmogorov's algorithm it grows a forest from each terminal and pushes flow
//! where they meet. Here the forests are breadth-first, so every path is shortest, a node knows
//! from its neighbours' labels alone whether one can be its parent, and the number of steps has a
//! polynomial bound. Capacities are integers: the result is exact.

use super::forest::Forest;
use super::grid::{Shape, back};
use super::residual::{IN, OUT, Residual};

/// The solver's memory.
#[derive(Debug, Default)]
pub(crate) struct IncrementalBfs {
    forest: Forest,
}

impl IncrementalBfs {
    /// Pushes flow until no path from source to sink is left.
    pub(crate) fn solve(&mut self, shape: Shape, residual: &mut Residual) {
        self.forest.plant(shape, &residual.excess);
        loop {
            let [source, sink] = self.forest.sides();
            if source.now.is_empty() {
                // All that the source reaches is in its forest: the cut is found.
                self.forest.even_out();
                return;
            }
            // The side that has cost less so far grows by a level.
            if sink.now.is_empty() || source.work <= sink.work {
                self.grow::<1>(residual);
            } else {
                self.grow::<-1>(residual);
            }
        }
    }

    /// Whether the source reaches the node after [`IncrementalBfs::solve`].
    #[inline(always)]
    pub(crate) fn on_source_side(&self, node: usize) -> bool {
        self.forest.label(node) > 0
    }

    /// Scans the side's uppermost level, pushing flow wherever it meets the other side.
    fn grow<const SIDE: i32>(&mut self, residual: &mut Residual) {
        let side = self.forest.side::<SIDE>();
        let level = SIDE * side.top;
        side.limit = side.top + 1;
        let mut at = 0;
        // Nodes that rise to this level meanwhile are appended to the list.
        while let Some(&node) = self.forest.side::<SIDE>().now.get(at) {
            at += 1;
            if self.forest.label(node as usize) == level {
                self.scan::<SIDE>(residual, node as usize, level);
            }
        }
        let side = self.forest.side::<SIDE>();
        side.now.clear();
        std::mem::swap(&mut side.now, &mut side.then);
        side.top += 1;
        side.limit = side.top;
    }

    #[inline(always)]
    fn scan<const SIDE: i32>(&mut self, residual: &mut Residual, node: usize, level: i32) {
        let direction = if SIDE > 0 { OUT } else { IN };
        // No neighbour of the node's own side can leave it during the scan: it would rather become
        // a child of the node.
        let mut todo = residual.open[node][direction] & self.forest.strangers::<SIDE>(node);
        while todo != 0 {
            let d = todo.trailing_zeros() as usize;
            todo &= todo - 1;
            let to = residual.neighbour(node, d);
            loop {
                let label = self.forest.label(to) * SIDE;
                if label == 0 {
                    self.forest.add::<SIDE>(to, back(d));
                }
                if label >= 0 {
                    break;
                }
                if SIDE > 0 {
                    self.augment(residual, node, d, to);
                } else {
                    self.augment(residual, to, back(d), node);
                }
                if self.forest.label(node) != level {
                    return;
                }
                if residual.open[node][direction] >> d & 1 == 0 {
                    break;
                }
            }
        }
    }

    /// Pushes as much as fits along the path through the link from `from` in direction `d` to
    /// `to`, where the forests meet.
    fn augment(&mut self, residual: &mut Residual, from: usize, d: usize, to: usize) {
        let flow = self.bottleneck(residual, from, d, to);
        // The link in the middle bounds the flow, so it fits 16 bits.
        let amount = flow as u16;
        residual.push(from, d, to, amount);

        let mut node = from;
        while let Some(up) = self.forest.parent(node) {
            let above = residual.neighbour(node, up);
            if residual.push(above, back(up), node, amount) {
                self.forest.orphan::<1>(node);
            }
            node = above;
        }
        residual.excess[node] -= flow;
        if residual.excess[node] == 0 {
            self.forest.orphan::<1>(node);
        }
        self.forest.adopt::<1>(residual);

        node = to;
        while let Some(up) = self.forest.parent(node) {
            let above = residual.neighbour(node, up);
            if residual.push(node, up, above, amount) {
                self.forest.orphan::<-1>(node);
            }
            node = above;
        }
        residual.excess[node] += flow;
        if residual.excess[node] == 0 {
            self.forest.orphan::<-1>(node);
        }
        self.forest.adopt::<-1>(residual);
    }

    /// What fits along the path, at least 1.
    fn bottleneck(&self, residual: &Residual, from: usize, d: usize, to: usize) -> i32 {
        let mut least = residual.link[from][d];
        let mut node = from;
        while let Some(up) = self.forest.parent(node) {
            node = residual.neighbour(node, up);
            least = least.min(residual.link[node][back(up)]);
        }
        let supply = residual.excess[node];
        node = to;
        while let Some(up) = self.forest.parent(node) {
            least = least.min(residual.link[node][up]);
            node = residual.neighbour(node, up);
        }
        i32::from(least).min(supply).min(-residual.excess[node])
    }
}
