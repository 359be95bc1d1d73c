//! The shape of the grid that carries the flow, and the eight directions in it.

/// Columns and rows of a step in each direction, in the order of the neighbours in memory. The opposite of
/// direction `d` is `7 - d`.
pub(crate) const STEP: [(isize, isize); 8] =
    [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)];

/// The four directions in which links are set. The others are their opposites.
pub(crate) const FORWARD: [usize; 4] = [4, 5, 6, 7];

/// The opposite direction.
#[inline(always)]
pub(crate) fn back(d: usize) -> usize {
    7 - d
}

/// Shape of a padded grid. Each row ends with one node without links, which is also the left neighbour of the first
/// node of the next row. One row of such nodes is above the grid and one below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Shape {
    /// Columns without the padding.
    pub(crate) width: usize,
    /// Rows without the padding.
    pub(crate) height: usize,
}

impl Shape {
    /// Distance in memory between vertical neighbours.
    pub(crate) fn stride(self) -> usize {
        self.width + 1
    }

    /// Nodes including the padding.
    pub(crate) fn nodes(self) -> usize {
        (self.height + 2) * self.stride() + 2
    }

    /// Index of a node.
    #[inline(always)]
    pub(crate) fn at(self, x: usize, y: usize) -> usize {
        (y + 1) * self.stride() + x + 1
    }

    /// What to add (wrapping) to the index of a node for a step in each direction.
    pub(crate) fn offsets(self) -> [usize; 8] {
        STEP.map(|(dx, dy)| (dy * self.stride() as isize + dx) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_from_a_node_stays_in_memory_and_has_an_opposite() {
        for (width, height) in [(1, 1), (1, 5), (5, 1), (3, 4)] {
            let shape = Shape { width, height };
            let proper: Vec<usize> =
                (0..height).flat_map(|y| (0..width).map(move |x| shape.at(x, y))).collect();
            for y in 0..height {
                for x in 0..width {
                    for (d, &offset) in shape.offsets().iter().enumerate() {
                        let to = shape.at(x, y).wrapping_add(offset);
                        assert!(to < shape.nodes());
                        assert_eq!(to.wrapping_add(shape.offsets()[back(d)]), shape.at(x, y));
                        let (nx, ny) = (x as isize + STEP[d].0, y as isize + STEP[d].1);
                        let inside = (0..width as isize).contains(&nx) && (0..height as isize).contains(&ny);
                        assert_eq!(proper.contains(&to), inside);
                    }
                }
            }
        }
    }
}
