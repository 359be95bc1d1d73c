//! Incremental breadth-first search (Goldberg, Hed, Kaplan, Tarjan and Werneck, ESA 2011) on the
//! implicit grid.
//!
//! Like Boykov and Kolmogorov's algorithm it grows a forest from each terminal and pushes flow where they meet.
//! Here the forests are breadth-first. So every augmenting path is a shortest one, the label of a neighbour alone
//! tells whether it can be the parent of a node, and the number of steps has a polynomial bound. Capacities are
//! integers, so the result is exact.

#[cfg(target_arch = "x86_64")]
use super::around::Avx2;
use super::around::{Around, Portable};
use super::forest::Forest;
use super::grid::{Shape, back};
use super::residual::{IN, OUT, Residual};
use crate::simd::Backend;

/// The solver, with its buffers.
#[derive(Debug, Default)]
pub(crate) struct IncrementalBfs {
    forest: Forest,
}

impl IncrementalBfs {
    /// Pushes flow until no path from source to sink is left. It is found faster if the nodes of `guess` are nearly
    /// those on the source's side.
    pub(crate) fn solve(
        &mut self,
        backend: Backend,
        shape: Shape,
        residual: &mut Residual,
        guess: Option<&[bool]>,
    ) {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        fn avx2(solver: &mut IncrementalBfs, shape: Shape, residual: &mut Residual, guess: Option<&[bool]>) {
            solver.search::<Avx2>(shape, residual, guess);
        }
        match backend {
            Backend::Portable => self.search::<Portable>(shape, residual, guess),
            // SAFETY: these values are made only where `Backend::available` detected AVX2.
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 | Backend::Avx512 => unsafe { avx2(self, shape, residual, guess) },
        }
    }

    #[inline(always)]
    fn search<A: Around>(&mut self, shape: Shape, residual: &mut Residual, guess: Option<&[bool]>) {
        residual.cancel_adjacent(shape);
        // Where both forests grow, much of the one with few roots is lost again as soon as these have no excess left.
        // So each grows alone on its own side of the guess first. Most of the flow is found there.
        if let Some(guess) = guess {
            self.forest.init_guessed::<1>(shape, &residual.excess, guess);
            while !self.forest.side::<1>().current.is_empty() {
                self.grow::<1, A>(residual);
            }
            self.forest.init_guessed::<-1>(shape, &residual.excess, guess);
            while !self.forest.side::<-1>().current.is_empty() {
                self.grow::<-1, A>(residual);
            }
        }
        self.forest.init_roots(shape, &residual.excess);
        loop {
            let [source, sink] = self.forest.sides();
            if source.current.is_empty() {
                // Every node that can be reached from the source is in its forest: the cut is found.
                self.forest.equalise_capacity();
                return;
            }
            // The forest that has cost less so far grows by a level.
            if sink.current.is_empty() || source.work <= sink.work {
                self.grow::<1, A>(residual);
            } else {
                self.grow::<-1, A>(residual);
            }
        }
    }

    /// Whether the node is on the source's side after [`IncrementalBfs::solve`].
    #[inline(always)]
    pub(crate) fn on_source_side(&self, node: usize) -> bool {
        self.forest.label(node) > 0
    }

    /// Scans the nodes of the last level of a forest, and pushes flow wherever they meet the other forest.
    #[inline(always)]
    fn grow<const SIDE: i32, A: Around>(&mut self, residual: &mut Residual) {
        let side = self.forest.side::<SIDE>();
        let level = SIDE * side.level;
        side.limit = side.level + 1;
        let mut at = 0;
        // Nodes whose label rises to this level meanwhile are appended to the list.
        while let Some(&node) = self.forest.side::<SIDE>().current.get(at) {
            at += 1;
            if self.forest.label(node as usize) == level {
                self.scan::<SIDE, A>(residual, node as usize, level);
            }
        }
        let side = self.forest.side::<SIDE>();
        side.current.clear();
        std::mem::swap(&mut side.current, &mut side.next);
        side.level += 1;
        side.limit = side.level;
    }

    /// Scans one node: adds its free neighbours to the forest and pushes flow to those of the other forest.
    #[inline(always)]
    fn scan<const SIDE: i32, A: Around>(&mut self, residual: &mut Residual, node: usize, level: i32) {
        let direction = if SIDE > 0 { OUT } else { IN };
        // Neighbours that are already in this forest can be left out for the whole scan. They stay in it while
        // the node is scanned: one that becomes an orphan would at least find this node as its parent.
        let mut todo = residual.unsaturated[node][direction] & self.forest.outside::<SIDE, A>(node);
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
                    self.augment::<A>(residual, node, d, to);
                } else {
                    self.augment::<A>(residual, to, back(d), node);
                }
                if self.forest.label(node) != level {
                    return;
                }
                if residual.unsaturated[node][direction] >> d & 1 == 0 {
                    break;
                }
            }
        }
    }

    /// Pushes as much flow as possible along the path through the link from `from` in direction `d` to `to`, where
    /// the forests meet.
    #[inline(always)]
    fn augment<A: Around>(&mut self, residual: &mut Residual, from: usize, d: usize, to: usize) {
        let flow = self.bottleneck(residual, from, d, to);
        // The flow is at most the capacity of the link in the middle, so it fits 16 bits.
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
        self.forest.adopt::<1, A>(residual);

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
        self.forest.adopt::<-1, A>(residual);
    }

    /// The largest flow along the path, at least 1.
    #[inline(always)]
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
