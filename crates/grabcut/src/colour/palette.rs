//! The colours of a region, gathered into cells of 8 × 8 × 8 levels.
//!
//! K-means needs to see how colours are distributed, not every pixel: a image of 200,000
//! pixels fills a few thousand cells. A cell keeps exact moments, so mixtures fitted to clusters
//! of cells are those of the pixels themselves.

use super::moments::Moments;

const CELLS: usize = 1 << 15;
const EMPTY: u32 = u32::MAX;

/// Occupied cells, in the order in which the image first shows them.
#[derive(Debug, Default)]
pub(crate) struct Palette {
    slot: Vec<u32>,
    cells: Vec<Moments>,
}

impl Palette {
    /// Forgets all colours and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.slot.clear();
        self.slot.resize(CELLS, EMPTY);
        self.cells.clear();
    }

    /// Adds one pixel.
    #[inline(always)]
    pub(crate) fn push(&mut self, [r, g, b]: [u8; 3]) {
        let key = usize::from(r >> 3) << 10 | usize::from(g >> 3) << 5 | usize::from(b >> 3);
        let slot = &mut self.slot[key];
        if *slot == EMPTY {
            *slot = self.cells.len() as u32;
            self.cells.push(Moments::default());
        }
        self.cells[*slot as usize].push([r, g, b]);
    }

    /// Moments of every occupied cell.
    pub(crate) fn cells(&self) -> &[Moments] {
        &self.cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_cell() {
        let mut palette = Palette::default();
        palette.clear();
        palette.push([0, 0, 0]);
        palette.push([7, 7, 7]);
        palette.push([8, 7, 7]);
        assert_eq!(palette.cells().iter().map(|c| c.count).collect::<Vec<_>>(), [2, 1]);
        palette.clear();
        assert!(palette.cells().is_empty());
    }
}
