//! From the sizes of a layer to launches.
//!
//! Activations are channels last: a tensor of `[n, h, w, channels]` is a matrix of `n · h · w` rows. They are f32 or
//! bf16; parameters, statistics, vectors and losses are f32. The buffers of a plan are those that its function
//! lists, in that order. A plan depends on sizes only, and every sum has a fixed order: the same input gives the
//! same bits.

pub mod channels;
pub mod compose;
pub mod convert;
pub mod depthwise;
pub mod elementwise;
pub mod loss;
pub mod norm;
pub mod pool;

use crate::launch::{Element, THREADS};

/// Blocks that a reduction is cut into at most: a few for each processor of a large device.
const MOST_BLOCKS: usize = 1024;
/// Rows that a thread of a reduction adds up at least.
const ROWS_OF_A_THREAD: usize = 8;

/// How sums over rows are cut into blocks.
#[derive(Clone, Copy, Debug)]
struct Reduction {
    /// Elements of an access.
    vector: usize,
    block: [usize; 3],
    /// Blocks over the channels.
    columns: usize,
    /// Blocks over the rows.
    parts: usize,
    /// Rows of each but the last.
    rows_each: usize,
}

impl Reduction {
    fn new(rows: usize, channels: usize, element: Element) -> Self {
        let vector = element.vector(channels);
        let vectors = channels / vector;
        let x = vectors.next_power_of_two().clamp(1, 32);
        let (y, columns) = (THREADS / x, vectors.div_ceil(x));
        let most = (MOST_BLOCKS / columns.max(1)).max(1);
        let parts = rows.div_ceil(y * ROWS_OF_A_THREAD).clamp(1, most);
        let rows_each = rows.div_ceil(parts).max(1);
        Self { vector, block: [x, y, 1], columns, parts: rows.div_ceil(rows_each), rows_each }
    }

    fn grid(&self) -> [usize; 3] {
        [self.columns, self.parts, 1]
    }
}

/// Rows and channels of an activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// Images times pixels.
    pub rows: usize,
    /// Channels.
    pub channels: usize,
    /// F32 or Bf16.
    pub element: Element,
}

impl Matrix {
    /// Elements of an access along a row.
    fn vector(&self) -> usize {
        self.element.vector(self.channels)
    }

    /// The end of a kernel's name.
    fn suffix(&self) -> &'static str {
        self.element.suffix(self.vector())
    }

    /// Accesses of the whole matrix.
    fn vectors(&self) -> usize {
        self.rows * self.channels / self.vector()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_part() {
        for (rows, channels) in [(1, 1), (7, 3), (4097, 64), (3_211_264, 64), (100, 2048), (1 << 20, 5000)] {
            for element in [Element::F32, Element::Bf16] {
                let r = Reduction::new(rows, channels, element);
                assert!((r.parts - 1) * r.rows_each < rows && r.parts * r.rows_each >= rows, "{r:?}");
                assert_eq!(r.block[0] * r.block[1], THREADS);
                assert!(r.columns * r.block[0] * r.vector >= channels && r.parts <= MOST_BLOCKS);
            }
        }
    }
}
