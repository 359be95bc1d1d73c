//! Breadth-first trees from both terminals, and how nodes that lost their parent find another.

use super::grid::{Shape, back};
use super::residual::{IN, OUT, Residual, around};

/// Parent of a node that is linked to its terminal.
const TERMINAL: u8 = 8;
/// Parent of a node that waits for another.
const ORPHAN: u8 = 9;
/// Parent of a node in no tree.
const NONE: u8 = 10;
/// End of a list of orphans.
const END: u32 = u32::MAX;

/// A node's place in the forests, in one word: the neighbours' words tell all that a node needs
/// to choose its parent and to find its children.
#[derive(Debug, Clone, Copy)]
struct Place(i32);

impl Place {
    const FREE: Self = Self::new(0, NONE);

    #[inline(always)]
    const fn new(label: i32, parent: u8) -> Self {
        Self(label << 4 | parent as i32)
    }

    /// Number of links to the terminal, counting the terminal's own; positive in the source's
    /// forest, negative in the sink's, 0 in neither. At most the number of nodes, which [`crate::MAX_PIXELS`] keeps
    /// within 28 bits with its sign.
    #[inline(always)]
    const fn label(self) -> i32 {
        self.0 >> 4
    }

    /// Direction of the parent, or one of the constants above.
    #[inline(always)]
    const fn parent(self) -> u8 {
        (self.0 & 15) as u8
    }

    #[inline(always)]
    const fn below(self, parent: u8) -> Self {
        Self(self.0 & !15 | parent as i32)
    }
}

/// Both forests over one grid. The source's side is `SIDE = 1`, the sink's `SIDE = -1`.
#[derive(Debug, Default)]
pub(super) struct Forest {
    places: Vec<Place>,
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
        self.places.clear();
        self.places.extend(excess.iter().map(|&e| match e.signum() {
            0 => Place::FREE,
            sign => Place::new(sign, TERMINAL),
        }));
        self.next.resize(excess.len(), END);
        for (side, sign) in self.sides.iter_mut().zip([1, -1]) {
            side.then.clear();
            side.now.clear();
            side.now.extend((0_u32..).zip(excess).filter(|(_, e)| e.signum() == sign).map(|(i, _)| i));
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

    /// Number of links to the terminal: see [`Place::label`].
    #[inline(always)]
    pub(super) fn label(&self, node: usize) -> i32 {
        self.places[node].label()
    }

    /// Direction of the parent; `None` for a root.
    #[inline(always)]
    pub(super) fn parent(&self, node: usize) -> Option<usize> {
        let parent = self.places[node].parent();
        (parent < TERMINAL).then_some(usize::from(parent))
    }

    /// Directions of the neighbours that are not in the forest of `SIDE`, one bit each.
    #[inline(always)]
    pub(super) fn strangers<const SIDE: i32>(&self, node: usize) -> u8 {
        let mut strangers = 0;
        for (d, place) in around(&self.places, node, self.stride).iter().enumerate() {
            strangers |= u8::from(place.label() * SIDE <= 0) << d;
        }
        strangers
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
        self.places[node] = Place::new(SIDE * (side.top + 1), d as u8);
        side.then.push(node as u32);
    }

    /// Takes the node's parent away; [`Forest::adopt`] must follow.
    #[inline(always)]
    pub(super) fn orphan<const SIDE: i32>(&mut self, node: usize) {
        let side = &mut self.sides[index(SIDE)];
        let place = &mut self.places[node];
        *place = place.below(ORPHAN);
        let label = (place.label() * SIDE) as usize;
        if label >= side.orphans.len() {
            side.orphans.resize(label * 2 + 16, END);
        }
        self.next[node] = std::mem::replace(&mut side.orphans[label], node as u32);
        side.lowest = side.lowest.min(label);
        side.highest = side.highest.max(label);
    }

    /// Finds every orphan a parent, in the order of their labels; those that find none below the
    /// limit become free.
    ///
    /// An orphan settles below the lowest label around it even if that neighbour waits for a parent
    /// as well: should the neighbour rise when its turn comes, it orphans its children again.
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
                side.orphans[label] = self.next[node];
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
        let around = around(&self.places, node, self.stride);
        let usable = residual.open[node][if SIDE > 0 { IN } else { OUT }];
        let (nearest, d) = nearest::<SIDE>(&around, usable);
        if nearest < label {
            self.places[node] = Place::new(SIDE * label, d);
            return;
        }
        // The label must rise, so the children lose their parent.
        let mut children = 0_u32;
        for (d, place) in around.iter().enumerate() {
            children |= u32::from(usize::from(place.parent()) == back(d)) << d;
        }
        while children != 0 {
            self.orphan::<SIDE>(residual.neighbour(node, children.trailing_zeros() as usize));
            children &= children - 1;
        }
        let side = self.side::<SIDE>();
        if nearest >= side.limit {
            self.places[node] = Place::FREE;
            return;
        }
        let raised = nearest + 1;
        if raised == side.top {
            side.now.push(node as u32);
        } else if raised == side.top + 1 {
            side.then.push(node as u32);
        }
        self.places[node] = Place::new(SIDE * raised, d);
    }
}

/// Least label among the neighbours that could be the node's parent, and their direction; of equals
/// rather one that has a parent. A huge label if there is none. Free of branches: which neighbour it
/// is cannot be predicted.
#[inline(always)]
fn nearest<const SIDE: i32>(around: &[Place; 8], usable: u8) -> (i32, u8) {
    let mut best = u32::MAX;
    for (d, place) in (0_u32..).zip(around) {
        // Free nodes and those of the other side wrap round to huge values.
        let label = ((place.label() * SIDE) as u32).wrapping_sub(1);
        let key = label << 4 | u32::from(place.parent() == ORPHAN) << 3 | d;
        let key = if usable >> d & 1 != 0 { key } else { u32::MAX };
        best = best.min(key);
    }
    ((best >> 4) as i32 + 1, (best & 7) as u8)
}
