//! Boykov and Kolmogorov's augmenting paths (PAMI 2004) on the implicit grid: the reference of the tests, and the
//! baseline of the comparison in the README.
//!
//! Two forests grow from the terminals through links with residual capacity. Where they meet, flow is pushed along
//! the path, and the nodes cut off by saturated links (orphans) look for another parent. Capacities are integers,
//! so the result is exact.

use std::collections::VecDeque;

use super::grid::{Shape, back};

/// Parent of a node that is linked to its terminal.
const TERMINAL: u8 = 8;
/// Parent of an orphan: a node that lost its parent and has not found another yet.
const ORPHAN: u8 = 9;
/// Parent of a node in no tree.
const NONE: u8 = 10;

const FREE: u8 = 0;
const SOURCE: u8 = 1;
const SINK: u8 = 2;

/// 32 bytes: two nodes a cache line, and all residuals of a node in one 16-byte load.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(32))]
struct Node {
    /// Residual capacity to each neighbour, in units.
    link: [u16; 8],
    /// Residual of the link from the source (positive) or to the sink (negative).
    excess: i32,
    /// Time at which `distance` was last correct.
    stamp: u32,
    /// Links to the terminal along the tree.
    distance: u32,
    parent: u8,
    tree: u8,
    active: bool,
}

const EMPTY: Node =
    Node { link: [0; 8], excess: 0, stamp: 0, distance: 0, parent: NONE, tree: FREE, active: false };

/// A grid with flow on it.
#[derive(Debug, Default)]
pub(crate) struct BoykovKolmogorov {
    nodes: Vec<Node>,
    offsets: [usize; 8],
    active: VecDeque<u32>,
    orphans: VecDeque<u32>,
    time: u32,
}

impl BoykovKolmogorov {
    /// Starts over with a grid of `shape` without links.
    pub(crate) fn reset(&mut self, shape: Shape) {
        self.nodes.clear();
        self.nodes.resize(shape.nodes(), EMPTY);
        self.offsets = shape.offsets();
        self.active.clear();
        self.orphans.clear();
        self.time = 0;
    }

    /// Sets the capacity of the link between `node` and its neighbour in direction `d`, both ways.
    #[inline(always)]
    pub(crate) fn set_link(&mut self, node: usize, d: usize, capacity: u16) {
        self.nodes[node].link[d] = capacity;
        let to = node.wrapping_add(self.offsets[d]);
        self.nodes[to].link[back(d)] = capacity;
    }

    /// Adds to the capacity from the source (negative: to the sink). The flow is kept.
    #[inline(always)]
    pub(crate) fn add_excess(&mut self, node: usize, delta: i32) {
        self.nodes[node].excess += delta;
    }

    /// Whether the node can be reached from the source through links with residual capacity. Of all minimum cuts
    /// this is the one with the fewest nodes on the source's side; it does not depend on the flow.
    #[inline(always)]
    pub(crate) fn on_source_side(&self, node: usize) -> bool {
        self.nodes[node].tree == SOURCE
    }

    /// Pushes flow until no path from source to sink is left.
    pub(crate) fn solve(&mut self) {
        self.init_roots();
        while let Some(&front) = self.active.front() {
            let node = front as usize;
            let meeting = match self.nodes[node].tree {
                SOURCE => self.grow_source(node),
                SINK => self.grow_sink(node),
                _ => None,
            };
            // The node stays in front until nothing grows from it.
            match meeting {
                Some((from, d)) => {
                    self.time += 1;
                    self.augment(from, d);
                    while let Some(orphan) = self.orphans.pop_front() {
                        if self.nodes[orphan as usize].tree == SOURCE {
                            self.adopt::<SOURCE>(orphan as usize);
                        } else {
                            self.adopt::<SINK>(orphan as usize);
                        }
                    }
                }
                None => {
                    self.active.pop_front();
                    self.nodes[node].active = false;
                }
            }
        }
    }

    /// Makes every node with excess the root of a tree.
    fn init_roots(&mut self) {
        self.active.clear();
        self.time = 1;
        for (i, node) in self.nodes.iter_mut().enumerate() {
            node.stamp = 0;
            node.active = node.excess != 0;
            if node.active {
                node.tree = if node.excess > 0 { SOURCE } else { SINK };
                node.parent = TERMINAL;
                node.distance = 1;
                self.active.push_back(i as u32);
            } else {
                node.tree = FREE;
                node.parent = NONE;
            }
        }
    }

    fn activate(nodes: &mut [Node], active: &mut VecDeque<u32>, node: usize) {
        if !nodes[node].active {
            nodes[node].active = true;
            active.push_back(node as u32);
        }
    }

    /// Grows the source's forest from `node`. Returns the link on which it meets the sink's.
    fn grow_source(&mut self, node: usize) -> Option<(usize, usize)> {
        let Node { link, stamp, distance, .. } = self.nodes[node];
        for (d, &left) in link.iter().enumerate() {
            if left == 0 {
                continue;
            }
            let to = node.wrapping_add(self.offsets[d]);
            let other = &mut self.nodes[to];
            match other.tree {
                FREE => {
                    other.tree = SOURCE;
                    other.parent = back(d) as u8;
                    other.stamp = stamp;
                    other.distance = distance + 1;
                    Self::activate(&mut self.nodes, &mut self.active, to);
                }
                SINK => return Some((node, d)),
                _ => {
                    if other.stamp <= stamp && other.distance > distance + 1 {
                        other.parent = back(d) as u8;
                        other.stamp = stamp;
                        other.distance = distance + 1;
                    }
                }
            }
        }
        None
    }

    /// Grows the sink's forest from `node`. Returns the link on which the source's meets it.
    fn grow_sink(&mut self, node: usize) -> Option<(usize, usize)> {
        let Node { stamp, distance, .. } = self.nodes[node];
        for d in 0..8 {
            let to = node.wrapping_add(self.offsets[d]);
            let other = &mut self.nodes[to];
            if other.link[back(d)] == 0 {
                continue;
            }
            match other.tree {
                FREE => {
                    other.tree = SINK;
                    other.parent = back(d) as u8;
                    other.stamp = stamp;
                    other.distance = distance + 1;
                    Self::activate(&mut self.nodes, &mut self.active, to);
                }
                SOURCE => return Some((to, back(d))),
                _ => {
                    if other.stamp <= stamp && other.distance > distance + 1 {
                        other.parent = back(d) as u8;
                        other.stamp = stamp;
                        other.distance = distance + 1;
                    }
                }
            }
        }
        None
    }

    /// Pushes flow along the path through the link of `from` in direction `d`.
    fn augment(&mut self, from: usize, d: usize) {
        let to = from.wrapping_add(self.offsets[d]);
        let mut flow = i32::from(self.nodes[from].link[d]);
        let mut node = from;
        loop {
            let parent = usize::from(self.nodes[node].parent);
            if parent >= 8 {
                flow = flow.min(self.nodes[node].excess);
                break;
            }
            node = node.wrapping_add(self.offsets[parent]);
            flow = flow.min(i32::from(self.nodes[node].link[back(parent)]));
        }
        node = to;
        loop {
            let Node { parent, link, excess, .. } = self.nodes[node];
            let parent = usize::from(parent);
            if parent >= 8 {
                flow = flow.min(-excess);
                break;
            }
            flow = flow.min(i32::from(link[parent]));
            node = node.wrapping_add(self.offsets[parent]);
        }

        // The flow is at most the capacity of every link on the path, so it fits 16 bits.
        let step = flow as u16;
        self.nodes[from].link[d] -= step;
        self.nodes[to].link[back(d)] += step;
        node = from;
        loop {
            let parent = usize::from(self.nodes[node].parent);
            if parent >= 8 {
                self.nodes[node].excess -= flow;
                if self.nodes[node].excess == 0 {
                    self.orphan(node);
                }
                break;
            }
            self.nodes[node].link[parent] += step;
            let above = node.wrapping_add(self.offsets[parent]);
            let left = &mut self.nodes[above].link[back(parent)];
            *left -= step;
            if *left == 0 {
                self.orphan(node);
            }
            node = above;
        }
        node = to;
        loop {
            let parent = usize::from(self.nodes[node].parent);
            if parent >= 8 {
                self.nodes[node].excess += flow;
                if self.nodes[node].excess == 0 {
                    self.orphan(node);
                }
                break;
            }
            let above = node.wrapping_add(self.offsets[parent]);
            self.nodes[above].link[back(parent)] += step;
            let left = &mut self.nodes[node].link[parent];
            *left -= step;
            if *left == 0 {
                self.orphan(node);
            }
            node = above;
        }
    }

    fn orphan(&mut self, node: usize) {
        self.nodes[node].parent = ORPHAN;
        self.orphans.push_front(node as u32);
    }

    /// Finds another parent for the orphan in its forest, the nearest to the terminal, or else makes it free.
    fn adopt<const TREE: u8>(&mut self, orphan: usize) {
        let mut best = (u32::MAX, NONE);
        let link = self.nodes[orphan].link;
        for (d, &left) in link.iter().enumerate() {
            let to = orphan.wrapping_add(self.offsets[d]);
            let other = &self.nodes[to];
            if other.tree != TREE || other.parent >= ORPHAN {
                continue;
            }
            if (if TREE == SOURCE { other.link[back(d)] } else { left }) == 0 {
                continue;
            }
            if let Some(distance) = self.distance(to)
                && distance < best.0
            {
                best = (distance, d as u8);
            }
        }
        if best.1 != NONE {
            let node = &mut self.nodes[orphan];
            node.parent = best.1;
            node.stamp = self.time;
            node.distance = best.0 + 1;
            return;
        }
        for (d, &left) in link.iter().enumerate() {
            let to = orphan.wrapping_add(self.offsets[d]);
            let other = self.nodes[to];
            if other.tree != TREE {
                continue;
            }
            if (if TREE == SOURCE { other.link[back(d)] } else { left }) != 0 {
                Self::activate(&mut self.nodes, &mut self.active, to);
            }
            if other.parent == back(d) as u8 {
                self.nodes[to].parent = ORPHAN;
                self.orphans.push_back(to as u32);
            }
        }
        let node = &mut self.nodes[orphan];
        node.tree = FREE;
        node.parent = NONE;
    }

    /// Distance of `start` to its terminal, or `None` if the root of its tree is an orphan. Marks the nodes on the
    /// way, so that later searches of the same augmentation stop early.
    fn distance(&mut self, start: usize) -> Option<u32> {
        let mut length = 0;
        let mut node = start;
        let total = loop {
            let Node { stamp, distance, parent, .. } = self.nodes[node];
            if stamp == self.time {
                break length + distance;
            }
            if parent == TERMINAL {
                self.nodes[node].stamp = self.time;
                self.nodes[node].distance = 1;
                break length + 1;
            }
            if parent >= ORPHAN {
                return None;
            }
            length += 1;
            node = node.wrapping_add(self.offsets[usize::from(parent)]);
        };
        let mut left = total;
        node = start;
        while self.nodes[node].stamp != self.time {
            self.nodes[node].stamp = self.time;
            self.nodes[node].distance = left;
            left -= 1;
            node = node.wrapping_add(self.offsets[usize::from(self.nodes[node].parent)]);
        }
        Some(total)
    }
}
