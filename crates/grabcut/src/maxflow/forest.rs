//! Breadth-first forests of both terminals, and the adoption of orphans.

use super::grid::{Shape, back};
use super::residual::{IN, OUT, Residual, around};

/// Parent of a node that is linked to its terminal.
const TERMINAL: u8 = 8;
/// Parent of an orphan: a node that lost its parent and has not found another yet.
const ORPHAN: u8 = 9;
/// Parent of a node in no tree.
const NONE: u8 = 10;
/// End of a list of orphans.
const END: u32 = u32::MAX;

/// Label and parent of a node in one word. To choose its parent and to find its children, a node needs no more
/// than the eight words of its neighbours.
#[derive(Debug, Clone, Copy)]
struct NodeState(i32);

impl NodeState {
    const FREE: Self = Self::new(0, NONE);

    #[inline(always)]
    const fn new(label: i32, parent: u8) -> Self {
        Self(label << 4 | parent as i32)
    }

    /// Distance to the terminal in links, including the link to the terminal itself. It is positive in the
    /// forest of the source, negative in that of the sink, and 0 in neither. At most the number of nodes, which
    /// fits 28 bits with its sign by [`crate::MAX_PIXELS`].
    #[inline(always)]
    const fn label(self) -> i32 {
        self.0 >> 4
    }

    /// Direction of the parent, or one of the constants above.
    #[inline(always)]
    const fn parent(self) -> u8 {
        (self.0 & 15) as u8
    }

    /// The same label with another parent.
    #[inline(always)]
    const fn with_parent(self, parent: u8) -> Self {
        Self(self.0 & !15 | parent as i32)
    }
}

/// Both forests of one grid. `SIDE` is 1 for the source and -1 for the sink.
#[derive(Debug, Default)]
pub(super) struct Forest {
    nodes: Vec<NodeState>,
    /// Per node: next in the same list of orphans.
    next_orphan: Vec<u32>,
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
    pub(super) fn init_roots(&mut self, shape: Shape, excess: &[i32]) {
        self.stride = shape.stride();
        self.nodes.clear();
        self.nodes.extend(excess.iter().map(|&e| match e.signum() {
            0 => NodeState::FREE,
            sign => NodeState::new(sign, TERMINAL),
        }));
        self.next_orphan.resize(excess.len(), END);
        for (side, sign) in self.sides.iter_mut().zip([1, -1]) {
            side.next.clear();
            side.current.clear();
            side.current.extend((0_u32..).zip(excess).filter(|(_, e)| e.signum() == sign).map(|(i, _)| i));
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
    pub(super) fn outside<const SIDE: i32>(&self, node: usize) -> u8 {
        let mut outside = 0;
        for (d, state) in around(&self.nodes, node, self.stride).iter().enumerate() {
            outside |= u8::from(state.label() * SIDE <= 0) << d;
        }
        outside
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
    pub(super) fn adopt<const SIDE: i32>(&mut self, residual: &Residual) {
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
                self.adopt_one::<SIDE>(residual, node, label as i32);
            }
            label += 1;
        }
        let side = self.side::<SIDE>();
        (side.lowest, side.highest) = (usize::MAX, 0);
    }

    #[inline(always)]
    fn adopt_one<const SIDE: i32>(&mut self, residual: &Residual, node: usize, label: i32) {
        let around = around(&self.nodes, node, self.stride);
        let usable = residual.unsaturated[node][if SIDE > 0 { IN } else { OUT }];
        let (nearest, d) = nearest::<SIDE>(&around, usable);
        if nearest < label {
            self.nodes[node] = NodeState::new(SIDE * label, d);
            return;
        }
        // The label must rise, so the children lose their parent.
        let mut children = 0_u32;
        for (d, state) in around.iter().enumerate() {
            children |= u32::from(usize::from(state.parent()) == back(d)) << d;
        }
        while children != 0 {
            self.orphan::<SIDE>(residual.neighbour(node, children.trailing_zeros() as usize));
            children &= children - 1;
        }
        let side = self.side::<SIDE>();
        if nearest >= side.limit {
            self.nodes[node] = NodeState::FREE;
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

/// The least label among the neighbours that could be the parent of the node, and the direction of such a
/// neighbour; among equal labels one that is no orphan is preferred. The label is huge if there is none. Without
/// branches, because they could not be predicted.
#[inline(always)]
fn nearest<const SIDE: i32>(around: &[NodeState; 8], usable: u8) -> (i32, u8) {
    let mut best = u32::MAX;
    for (d, state) in (0_u32..).zip(around) {
        // For free nodes and those of the other side this wraps around to a huge value.
        let label = ((state.label() * SIDE) as u32).wrapping_sub(1);
        let key = label << 4 | u32::from(state.parent() == ORPHAN) << 3 | d;
        let key = if usable >> d & 1 != 0 { key } else { u32::MAX };
        best = best.min(key);
    }
    ((best >> 4) as i32 + 1, (best & 7) as u8)
}
