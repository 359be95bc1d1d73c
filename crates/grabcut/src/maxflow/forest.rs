//! Breadth-first trees from both terminals, and how nodes that lost their parent find another.

use super::grid::{Shape, back};
use super::residual::{IN, OUT, Residual};

/// Parent of a node that is linked to its terminal.
const TERMINAL: u8 = 8;
/// Parent of a node that waits for another.
const ORPHAN: u8 = 9;
/// Parent of a node in no tree.
const NONE: u8 = 10;
/// End of a list of orphans.
const END: u32 = u32::MAX;

/// Both forests over one grid. The source's side is `SIDE = 1`, the sink's `SIDE = -1`.
#[derive(Debug, Default)]
pub(super) struct Forest {
    /// Per node: number of links to the terminal, counting the terminal's own; positive in the
    /// source's forest, negative in the sink's, 0 in neither.
    label: Vec<i32>,
    /// Per node: direction of the parent, or one of the constants above.
    parent: Vec<u8>,
    /// Per node: next in the same list of orphans.
    next: Vec<u32>,
    stride: usize,
    sides: [Side; 2],
}

/// What is known of one side's forest.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// Nodes with label `top`, not yet scanned; may hold some that have moved since.
    pub(super) now: Vec<u32>,
    /// Nodes with label `top + 1`.
    pub(super) then: Vec<u32>,
    /// The level that is scanned next.
    pub(super) top: i32,
    /// Highest label allowed: `top`, or one more once scanning has begun.
    pub(super) limit: i32,
    /// Orphans treated so far.
    pub(super) work: u64,
    /// First orphan of each label.
    orphans: Vec<u32>,
    lowest: usize,
    highest: usize,
}

/// Index of a side.
pub(super) const fn index(side: i32) -> usize {
    if side > 0 { 0 } else { 1 }
}

impl Forest {
    /// Makes every node with excess a root.
    pub(super) fn plant(&mut self, shape: Shape, excess: &[i32]) {
        self.stride = shape.stride();
        self.label.clear();
        self.label.extend(excess.iter().map(|e| e.signum()));
        self.parent.clear();
        self.parent.extend(excess.iter().map(|&e| if e == 0 { NONE } else { TERMINAL }));
        self.next.resize(excess.len(), END);
        for (side, sign) in self.sides.iter_mut().zip([1, -1]) {
            side.then.clear();
            side.now.clear();
            side.now.extend((0_u32..).zip(&self.label).filter(|(_, l)| **l == sign).map(|(i, _)| i));
            (side.top, side.limit, side.work) = (1, 1, 0);
            (side.lowest, side.highest) = (usize::MAX, 0);
        }
    }

    /// Makes the lists that change places equally large, so that the next solution of the same
    /// grid needs no memory.
    pub(super) fn even_out(&mut self) {
        for Side { now, then, .. } in &mut self.sides {
            now.clear();
            then.clear();
            now.reserve(then.capacity());
            then.reserve(now.capacity());
        }
    }

    /// Number of links to the terminal: see [`Forest::label`].
    #[inline(always)]
    pub(super) fn label(&self, node: usize) -> i32 {
        self.label[node]
    }

    /// Direction of the parent; `None` for a root.
    #[inline(always)]
    pub(super) fn parent(&self, node: usize) -> Option<usize> {
        let parent = self.parent[node];
        (parent < TERMINAL).then_some(usize::from(parent))
    }

    /// The forest of one side.
    #[inline(always)]
    pub(super) fn side<const SIDE: i32>(&mut self) -> &mut Side {
        &mut self.sides[index(SIDE)]
    }

    /// Both forests: the source's, the sink's.
    pub(super) fn sides(&self) -> &[Side; 2] {
        &self.sides
    }

    /// Adds a free node below the level being scanned; its parent lies in direction `d`.
    #[inline(always)]
    pub(super) fn add<const SIDE: i32>(&mut self, node: usize, d: usize) {
        let side = &mut self.sides[index(SIDE)];
        self.label[node] = SIDE * (side.top + 1);
        self.parent[node] = d as u8;
        side.then.push(node as u32);
    }

    /// Takes the node's parent away; [`Forest::adopt`] must follow.
    #[inline(always)]
    pub(super) fn orphan<const SIDE: i32>(&mut self, node: usize) {
        let side = &mut self.sides[index(SIDE)];
        self.parent[node] = ORPHAN;
        let label = (self.label[node] * SIDE) as usize;
        if label >= side.orphans.len() {
            side.orphans.resize(label * 2 + 16, END);
        }
        self.next[node] = std::mem::replace(&mut side.orphans[label], node as u32);
        side.lowest = side.lowest.min(label);
        side.highest = side.highest.max(label);
    }

    /// Finds every orphan a parent, in the order of their labels, so that all nodes of a lower
    /// label are settled; those that find none below the limit become free.
    pub(super) fn adopt<const SIDE: i32>(&mut self, residual: &Residual) {
        let mut label = self.side::<SIDE>().lowest;
        while label <= self.side::<SIDE>().highest {
            loop {
                let orphan = self.side::<SIDE>().orphans[label];
                if orphan == END {
                    break;
                }
                let node = orphan as usize;
                let next = self.next[node];
                let side = self.side::<SIDE>();
                side.orphans[label] = next;
                side.work += 1;
                self.adopt_one::<SIDE>(residual, node, label as i32);
            }
            label += 1;
        }
        let side = self.side::<SIDE>();
        (side.lowest, side.highest) = (usize::MAX, 0);
    }

    #[inline(always)]
    fn adopt_one<const SIDE: i32>(&mut self, residual: &Residual, node: usize, label: i32) {
        let (nearest, d) = self.nearest::<SIDE>(residual, node);
        if nearest < label {
            self.parent[node] = d;
            return;
        }
        // The label must rise, so the children lose their parent.
        let parents = around(&self.parent, node, self.stride);
        for (d, &parent) in parents.iter().enumerate() {
            if usize::from(parent) == back(d) {
                self.orphan::<SIDE>(residual.neighbour(node, d));
            }
        }
        if nearest >= self.side::<SIDE>().limit {
            self.label[node] = 0;
            self.parent[node] = NONE;
            return;
        }
        // The nearest neighbour may itself be an orphan that has yet to move; the node is looked
        // at again when all lower labels are settled.
        let raised = nearest + 1;
        self.label[node] = SIDE * raised;
        self.orphan::<SIDE>(node);
        let side = self.side::<SIDE>();
        if raised == side.top {
            side.now.push(node as u32);
        } else if raised == side.top + 1 {
            side.then.push(node as u32);
        }
    }

    /// Least label among the neighbours that could be the node's parent, and their direction. A
    /// huge label if there is none. Free of branches: which neighbour it is cannot be predicted.
    #[inline(always)]
    fn nearest<const SIDE: i32>(&self, residual: &Residual, node: usize) -> (i32, u8) {
        let usable = residual.open[node][if SIDE > 0 { IN } else { OUT }];
        let labels = around(&self.label, node, self.stride);
        let mut best = u32::MAX;
        for (d, &label) in (0_u32..).zip(&labels) {
            // Free nodes and those of the other side wrap round to huge values.
            let key = ((label * SIDE) as u32).wrapping_sub(1) << 3 | d;
            let key = if usable >> d & 1 != 0 { key } else { u32::MAX };
            best = best.min(key);
        }
        ((best >> 3) as i32 + 1, (best & 7) as u8)
    }
}

/// The values of the eight neighbours, by direction.
#[inline(always)]
fn around<T: Copy>(values: &[T], node: usize, stride: usize) -> [T; 8] {
    let above = &values[node - stride - 1..][..3];
    let level = &values[node - 1..][..3];
    let below = &values[node + stride - 1..][..3];
    [above[0], above[1], above[2], level[0], level[2], below[0], below[1], below[2]]
}
