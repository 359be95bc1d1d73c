//! Breadth-first forests of both terminals, and the adoption of orphans.

use super::around::{Around, NodeState, ORPHAN, TERMINAL};
use super::bits::Bits;
use super::grid::Shape;
use super::residual::{IN, OUT, Residual};

/// End of a list of orphans.
const END: u32 = u32::MAX;

/// Both forests of one grid. `SIDE` is 1 for the source and -1 for the sink.
#[derive(Debug, Default)]
pub(super) struct Forest {
    nodes: Vec<NodeState>,
    /// Per node: next in the same list of orphans.
    next_orphan: Vec<u32>,
    /// The roots of one side, to find those at the border.
    roots: Bits,
    stride: usize,
    sides: [Side; 2],
}

/// The forest of one side.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// Nodes that had label `level` when they were pushed, not yet scanned.
    pub(super) current: Vec<u32>,
    /// Nodes that had label `level + 1` when they were pushed.
    pub(super) next: Vec<u32>,
    /// The label of the nodes that are scanned next.
    pub(super) level: i32,
    /// Highest label allowed: `level`, or one more once scanning has begun.
    pub(super) limit: i32,
    /// Orphans handled so far, as a measure of the cost.
    pub(super) work: u64,
    /// First orphan of each label.
    orphans: Vec<u32>,
    /// Range of the labels that have orphans.
    lowest: usize,
    highest: usize,
}

/// Index of a side.
pub(super) const fn index(side: i32) -> usize {
    if side > 0 { 0 } else { 1 }
}

impl Forest {
    /// Makes every node with excess the root of a tree.
    #[inline(always)]
    pub(super) fn init_roots(&mut self, shape: Shape, excess: &[i32]) {
        self.nodes.clear();
        self.nodes.extend(excess.iter().map(|&e| NodeState::root(e)));
        self.list_roots(shape);
    }

    /// Makes every node of the guess for `SIDE` that has excess the root of a tree. The forest of `SIDE` cannot grow
    /// to other nodes.
    #[inline(always)]
    pub(super) fn init_guessed<const SIDE: i32>(&mut self, shape: Shape, excess: &[i32], guess: &[bool]) {
        self.nodes.clear();
        self.nodes.extend(excess.iter().zip(guess).map(|(&e, &source)| {
            if source == (SIDE > 0) { NodeState::root(e) } else { NodeState::closed(SIDE) }
        }));
        self.list_roots(shape);
    }

    /// Lists the roots of both forests that have a neighbour outside theirs. The others have nothing to grow to, as
    /// long as [`Forest::adopt`] lists those whose neighbours leave.
    #[inline(always)]
    fn list_roots(&mut self, shape: Shape) {
        self.stride = shape.stride();
        self.next_orphan.resize(self.nodes.len(), END);
        for (side, sign) in self.sides.iter_mut().zip([1, -1]) {
            side.next.clear();
            side.current.clear();
            self.roots.fill(shape, &self.nodes, |state| state.label() == sign);
            self.roots.border(&mut side.current);
            (side.level, side.limit, side.work) = (1, 1, 0);
            (side.lowest, side.highest) = (usize::MAX, 0);
        }
    }

    /// Gives lists that are swapped the same capacity, so that the next solution of the same grid allocates
    /// nothing.
    pub(super) fn equalise_capacity(&mut self) {
        for Side { current, next, .. } in &mut self.sides {
            current.clear();
            next.clear();
            current.reserve(next.capacity());
            next.reserve(current.capacity());
        }
    }

    /// Signed distance to the terminal: see [`NodeState::label`].
    #[inline(always)]
    pub(super) fn label(&self, node: usize) -> i32 {
        self.nodes[node].label()
    }

    /// Direction of the parent; `None` for a root.
    #[inline(always)]
    pub(super) fn parent(&self, node: usize) -> Option<usize> {
        let parent = self.nodes[node].parent();
        (parent < TERMINAL).then_some(usize::from(parent))
    }

    /// Directions of the neighbours that are not in the forest of `SIDE`, one bit each.
    #[inline(always)]
    pub(super) fn outside<const SIDE: i32, A: Around>(&self, node: usize) -> u8 {
        A::load(&self.nodes, node, self.stride).outside::<SIDE>()
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

    /// Adds a free node one level below the one that is scanned; its parent is in direction `d`.
    #[inline(always)]
    pub(super) fn add<const SIDE: i32>(&mut self, node: usize, d: usize) {
        let side = &mut self.sides[index(SIDE)];
        self.nodes[node] = NodeState::new(SIDE * (side.level + 1), d as u8);
        side.next.push(node as u32);
    }

    /// Makes the node an orphan; [`Forest::adopt`] must follow.
    #[inline(always)]
    pub(super) fn orphan<const SIDE: i32>(&mut self, node: usize) {
        let side = &mut self.sides[index(SIDE)];
        let state = &mut self.nodes[node];
        *state = state.with_parent(ORPHAN);
        let label = (state.label() * SIDE) as usize;
        if label >= side.orphans.len() {
            side.orphans.resize(label * 2 + 16, END);
        }
        self.next_orphan[node] = std::mem::replace(&mut side.orphans[label], node as u32);
        side.lowest = side.lowest.min(label);
        side.highest = side.highest.max(label);
    }

    /// Finds a parent for every orphan, in the order of their labels. Those that find none below the limit become
    /// free.
    ///
    /// The parent is a neighbour with the lowest label, even if that neighbour is an orphan too. If its label must
    /// rise when its turn comes, its children become orphans again.
    #[inline(always)]
    pub(super) fn adopt<const SIDE: i32, A: Around>(&mut self, residual: &Residual) {
        let mut label = self.side::<SIDE>().lowest;
        while label <= self.side::<SIDE>().highest {
            loop {
                let side = &mut self.sides[index(SIDE)];
                let orphan = side.orphans[label];
                if orphan == END {
                    break;
                }
                let node = orphan as usize;
                side.orphans[label] = self.next_orphan[node];
                side.work += 1;
                self.adopt_one::<SIDE, A>(residual, node, label as i32);
            }
            label += 1;
        }
        let side = self.side::<SIDE>();
        (side.lowest, side.highest) = (usize::MAX, 0);
    }

    /// Lists the neighbours in the directions `usable` that will be scanned next. Those that are roots need not be
    /// listed already.
    #[cold]
    fn list_beside<const SIDE: i32>(&mut self, residual: &Residual, node: usize, usable: u8) {
        let side = &mut self.sides[index(SIDE)];
        for d in (0..8).filter(|d| usable >> d & 1 != 0) {
            let neighbour = residual.neighbour(node, d);
            if self.nodes[neighbour].label() * SIDE == side.level {
                side.current.push(neighbour as u32);
            }
        }
    }

    #[inline(always)]
    fn adopt_one<const SIDE: i32, A: Around>(&mut self, residual: &Residual, node: usize, label: i32) {
        let around = A::load(&self.nodes, node, self.stride);
        let usable = residual.unsaturated[node][if SIDE > 0 { IN } else { OUT }];
        let (nearest, d) = around.nearest::<SIDE>(usable);
        if nearest < label {
            self.nodes[node] = NodeState::new(SIDE * label, d);
            return;
        }
        // The label must rise, so the children lose their parent.
        let mut children = around.children();
        while children != 0 {
            self.orphan::<SIDE>(residual.neighbour(node, children.trailing_zeros() as usize));
            children &= children - 1;
        }
        let side = self.side::<SIDE>();
        if nearest >= side.limit {
            let unscanned = nearest == side.level;
            self.nodes[node] = NodeState::FREE;
            if unscanned {
                self.list_beside::<SIDE>(residual, node, usable);
            }
            return;
        }
        let raised = nearest + 1;
        if raised == side.level {
            side.current.push(node as u32);
        } else if raised == side.level + 1 {
            side.next.push(node as u32);
        }
        self.nodes[node] = NodeState::new(SIDE * raised, d);
    }
}
