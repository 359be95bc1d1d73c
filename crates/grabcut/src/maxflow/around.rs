//! The words of the eight nodes around a node, and what a search asks them.

#[cfg(target_arch = "x86_64")]
mod avx2;

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::Avx2;

use super::grid::back;
use super::residual::around;

/// Parent of a node that is linked to its terminal.
pub(super) const TERMINAL: u8 = 8;
/// Parent of an orphan: a node that lost its parent and has not found another yet.
pub(super) const ORPHAN: u8 = 9;
/// Parent of a node in no tree.
pub(super) const NONE: u8 = 10;

/// Label and parent of a node in one word. To choose its parent and to find its children, a node needs no more
/// than the eight words of its neighbours.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub(super) struct NodeState(i32);

impl NodeState {
    pub(super) const FREE: Self = Self::new(0, NONE);

    /// A node that the forest of `side` must not grow to: it seems to be in it, farther away than all others.
    pub(super) const fn closed(side: i32) -> Self {
        Self::new(side * ((1 << 27) - 1), NONE)
    }

    /// The state of a node before the forests grow: a root if it has excess.
    #[inline(always)]
    pub(super) const fn root(excess: i32) -> Self {
        match excess.signum() {
            0 => Self::FREE,
            sign => Self::new(sign, TERMINAL),
        }
    }

    #[inline(always)]
    pub(super) const fn new(label: i32, parent: u8) -> Self {
        Self(label << 4 | parent as i32)
    }

    /// Distance to the terminal in links, including the link to the terminal itself. It is positive in the
    /// forest of the source, negative in that of the sink, and 0 in neither. At most the number of nodes, which
    /// fits 28 bits with its sign by [`crate::MAX_PIXELS`].
    #[inline(always)]
    pub(super) const fn label(self) -> i32 {
        self.0 >> 4
    }

    /// Direction of the parent, or one of the constants above.
    #[inline(always)]
    pub(super) const fn parent(self) -> u8 {
        (self.0 & 15) as u8
    }

    /// The same label with another parent.
    #[inline(always)]
    pub(super) const fn with_parent(self, parent: u8) -> Self {
        Self(self.0 & !15 | parent as i32)
    }
}

/// The words of the eight neighbours of a node.
pub(super) trait Around {
    /// Reads them.
    fn load(nodes: &[NodeState], node: usize, stride: usize) -> Self;

    /// The least label among the neighbours of the forest `SIDE` in the directions `usable`, and the direction of
    /// such a neighbour; among equal labels one that is no orphan is preferred. The label is huge if there is none.
    fn nearest<const SIDE: i32>(&self, usable: u8) -> (i32, u8);

    /// Directions of the neighbours whose parent is the node, one bit each.
    fn children(&self) -> u8;

    /// Directions of the neighbours that are not in the forest `SIDE`, one bit each.
    fn outside<const SIDE: i32>(&self) -> u8;
}

/// For any processor.
pub(super) struct Portable([NodeState; 8]);

impl Around for Portable {
    #[inline(always)]
    fn load(nodes: &[NodeState], node: usize, stride: usize) -> Self {
        Self(around(nodes, node, stride))
    }

    // Without branches, because they could not be predicted.
    #[inline(always)]
    fn nearest<const SIDE: i32>(&self, usable: u8) -> (i32, u8) {
        let mut best = u32::MAX;
        for (d, state) in (0_u32..).zip(&self.0) {
            // For free nodes and those of the other side this wraps around to a huge value.
            let label = ((state.label() * SIDE) as u32).wrapping_sub(1);
            let key = label << 4 | u32::from(state.parent() == ORPHAN) << 3 | d;
            let key = if usable >> d & 1 != 0 { key } else { u32::MAX };
            best = best.min(key);
        }
        ((best >> 4) as i32 + 1, (best & 7) as u8)
    }

    #[inline(always)]
    fn children(&self) -> u8 {
        let mut children = 0;
        for (d, state) in self.0.iter().enumerate() {
            children |= u8::from(usize::from(state.parent()) == back(d)) << d;
        }
        children
    }

    #[inline(always)]
    fn outside<const SIDE: i32>(&self) -> u8 {
        let mut outside = 0;
        for (d, state) in self.0.iter().enumerate() {
            outside |= u8::from(state.label() * SIDE <= 0) << d;
        }
        outside
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::random::Random;
    use crate::simd::Backend;

    #[test]
    fn vectors_tell_the_same() {
        if Backend::detect() == Backend::Portable {
            return;
        }
        let mut random = Random::new(7, 0);
        for _ in 0..2_000 {
            let mut below = |n: f64| (random.unit() * n) as i32;
            let nodes: Vec<NodeState> =
                (0..20).map(|_| NodeState::new(below(7.0) - 3, below(11.0) as u8)).collect();
            let usable = below(256.0) as u8;
            // Rows of five, as in a grid of four columns.
            let portable = Portable::load(&nodes, 7, 5);
            let vectors = Avx2::load(&nodes, 7, 5);
            assert_eq!(vectors.nearest::<1>(usable), portable.nearest::<1>(usable));
            assert_eq!(vectors.nearest::<-1>(usable), portable.nearest::<-1>(usable));
            assert_eq!(vectors.children(), portable.children());
            assert_eq!(vectors.outside::<1>(), portable.outside::<1>());
            assert_eq!(vectors.outside::<-1>(), portable.outside::<-1>());
        }
    }
}
