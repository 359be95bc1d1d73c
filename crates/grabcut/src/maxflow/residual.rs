//! Residual capacities on a padded grid.

use super::bits::Bits;
use super::grid::{Shape, back};

/// The residual capacity of every link, in units of energy.
///
/// Pushing flow over links does not change the set of minimum cuts, as long as the excesses account for it. A
/// solver may thus start from any flow that an earlier one left.
#[derive(Debug, Default)]
pub(crate) struct Residual {
    /// Per node, to each neighbour. The residuals of a link and its opposite add up to twice the capacity.
    pub(crate) link: Vec<[u16; 8]>,
    /// Per node, the residual from the source (positive) or to the sink (negative). Only the difference of the two
    /// affects the cut.
    pub(crate) excess: Vec<i32>,
    /// Per node, one bit for each direction: the links out of the node, and those into it, that have residual
    /// capacity.
    pub(crate) unsaturated: Vec<[u8; 2]>,
    pub(crate) offsets: [usize; 8],
    /// The nodes with positive and with negative excess, before these are cancelled.
    signs: [Bits; 2],
    /// Nodes with positive excess beside negative ones.
    opposed: Vec<u32>,
}

/// Index into [`Residual::unsaturated`]: links out of the node.
pub(crate) const OUT: usize = 0;
/// Index into [`Residual::unsaturated`]: links into the node.
pub(crate) const IN: usize = 1;

impl Residual {
    /// Starts over with a grid of `shape` without links.
    pub(crate) fn reset(&mut self, shape: Shape) {
        let nodes = shape.nodes();
        self.link.clear();
        self.link.resize(nodes, [0; 8]);
        self.excess.clear();
        self.excess.resize(nodes, 0);
        self.unsaturated.clear();
        self.unsaturated.resize(nodes, [0; 2]);
        self.offsets = shape.offsets();
    }

    /// The neighbour in direction `d`.
    #[inline(always)]
    pub(crate) fn neighbour(&self, node: usize, d: usize) -> usize {
        node.wrapping_add(self.offsets[d])
    }

    /// Sets the capacity of the link between `node` and its neighbour in direction `d`, both ways;
    /// [`Residual::mark_unsaturated`] must follow.
    #[inline(always)]
    pub(crate) fn set_link(&mut self, node: usize, d: usize, capacity: u16) {
        let to = self.neighbour(node, d);
        self.link[node][d] = capacity;
        self.link[to][back(d)] = capacity;
    }

    /// The same for a run of nodes that begins with `node`.
    #[inline(always)]
    pub(crate) fn set_links(&mut self, node: usize, d: usize, capacities: &[u16]) {
        let to = self.neighbour(node, d);
        for (link, &capacity) in self.link[node..].iter_mut().zip(capacities) {
            link[d] = capacity;
        }
        for (link, &capacity) in self.link[to..].iter_mut().zip(capacities) {
            link[back(d)] = capacity;
        }
    }

    /// Marks the links that have a capacity, which is the same both ways.
    pub(crate) fn mark_unsaturated(&mut self) {
        for (unsaturated, link) in self.unsaturated.iter_mut().zip(&self.link) {
            let mut bits = 0;
            for (d, &capacity) in link.iter().enumerate() {
                bits |= u8::from(capacity > 0) << d;
            }
            *unsaturated = [bits; 2];
        }
    }

    /// Sets the residual capacity of the link out of `node` in direction `d`.
    #[inline(always)]
    pub(crate) fn set_residual(&mut self, node: usize, d: usize, left: u16) {
        let to = self.neighbour(node, d);
        self.link[node][d] = left;
        if left > 0 {
            self.unsaturated[node][OUT] |= 1 << d;
            self.unsaturated[to][IN] |= 1 << back(d);
        }
    }

    /// Pushes `amount`, at least 1 and at most the residual capacity, over the link of `node` in direction `d` to
    /// its neighbour `to`. Returns whether the link is saturated then.
    #[inline(always)]
    pub(crate) fn push(&mut self, node: usize, d: usize, to: usize, amount: u16) -> bool {
        self.link[to][back(d)] += amount;
        self.unsaturated[to][OUT] |= 1 << back(d);
        self.unsaturated[node][IN] |= 1 << d;
        let left = &mut self.link[node][d];
        *left -= amount;
        let saturated = *left == 0;
        if saturated {
            self.unsaturated[node][OUT] &= !(1 << d);
            self.unsaturated[to][IN] &= !(1 << back(d));
        }
        saturated
    }

    /// Cancels opposite excesses of neighbours over the links between them. These are most of all augmenting
    /// paths, and they need no search.
    #[inline(always)]
    pub(crate) fn cancel_adjacent(&mut self, shape: Shape) {
        let [sources, sinks] = &mut self.signs;
        sources.fill(shape, &self.excess, |excess| excess > 0);
        sinks.fill(shape, &self.excess, |excess| excess < 0);
        let mut opposed = std::mem::take(&mut self.opposed);
        opposed.clear();
        sources.beside(sinks, &mut opposed);
        for &node in &opposed {
            self.cancel_node(node as usize, shape.stride());
        }
        self.opposed = opposed;
    }

    #[inline(always)]
    fn cancel_node(&mut self, node: usize, stride: usize) {
        let mut left = self.excess[node];
        if left <= 0 {
            return;
        }
        let mut todo = 0;
        for (d, &excess) in around(&self.excess, node, stride).iter().enumerate() {
            todo |= u8::from(excess < 0) << d;
        }
        todo &= self.unsaturated[node][OUT];
        while todo != 0 && left > 0 {
            let d = todo.trailing_zeros() as usize;
            todo &= todo - 1;
            let to = self.neighbour(node, d);
            let amount = i32::from(self.link[node][d]).min(left).min(-self.excess[to]);
            self.push(node, d, to, amount as u16);
            self.excess[to] += amount;
            left -= amount;
        }
        self.excess[node] = left;
    }
}

/// The values of the eight neighbours, by direction.
#[inline(always)]
pub(super) fn around<T: Copy>(values: &[T], node: usize, stride: usize) -> [T; 8] {
    let above = &values[node - stride - 1..][..3];
    let level = &values[node - 1..][..3];
    let below = &values[node + stride - 1..][..3];
    [above[0], above[1], above[2], level[0], level[2], below[0], below[1], below[2]]
}
