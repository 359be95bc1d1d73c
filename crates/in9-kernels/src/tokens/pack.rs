//! Matrices as the panels that [`multiply`](crate::blocked::product::multiply) reads.

use crate::blocked::lanes::for_each_isa;
use crate::blocked::product::panels;

/// A matrix stored row after row, `stride` elements apart.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub(super) data: &'a [f32],
    pub(super) stride: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
}

for_each_isa! {
    /// Rows become outputs, columns inputs, times `scale`; the last rows, up to `outputs`, are zeros.
    ///
    /// # Safety
    /// None is needed beyond the bounds of the slices, which are checked.
    pub(super) unsafe fn pack_rows_as_outputs<I>(from: Matrix<'_>, outputs: usize, scale: f32, to: &mut [f32]) {
        for panel in panels::<I>(0..outputs) {
            let to = &mut to[panel.start * from.columns..panel.end * from.columns];
            for lane in 0..panel.len() {
                let row = panel.start + lane;
                if row < from.rows {
                    let from = &from.data[row * from.stride..][..from.columns];
                    for (to, from) in to.chunks_exact_mut(panel.len()).zip(from) {
                        to[lane] = scale * from;
                    }
                } else {
                    for to in to.chunks_exact_mut(panel.len()) {
                        to[lane] = 0.0;
                    }
                }
            }
        }
    }
}

for_each_isa! {
    /// Columns become outputs, rows inputs.
    ///
    /// # Safety
    /// None is needed beyond the bounds of the slices, which are checked.
    pub(super) unsafe fn pack_columns_as_outputs<I>(from: Matrix<'_>, to: &mut [f32]) {
        for panel in panels::<I>(0..from.columns) {
            let to = &mut to[panel.start * from.rows..panel.end * from.rows];
            for (row, to) in to.chunks_exact_mut(panel.len()).enumerate() {
                to.copy_from_slice(&from.data[row * from.stride..][panel.clone()]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    /// Five rows of sixteen columns in a matrix of twenty.
    #[test]
    fn both_ways_hold_every_element_once() {
        let data: Vec<f32> = (0..100).map(|i| i as f32).collect();
        let from = Matrix { data: &data, stride: 20, rows: 5, columns: 16 };
        for level in Level::available() {
            let (mut rows, mut columns) = ([-1f32; 8 * 16], [-1f32; 5 * 16]);
            // SAFETY: the functions need no promise.
            unsafe {
                pack_rows_as_outputs(level, from, 8, 2.0, &mut rows);
                pack_columns_as_outputs(level, from, &mut columns);
            }
            for (column, row) in (0..16).flat_map(|column| (0..8).map(move |row| (column, row))) {
                let expected = if row < 5 { 2.0 * data[row * 20 + column] } else { 0.0 };
                assert_eq!(rows[column * 8 + row], expected, "{level:?}");
            }
            // Sixteen columns are one panel where it has sixteen channels.
            let mut sorted = columns;
            sorted.sort_by(f32::total_cmp);
            let expected: Vec<f32> =
                (0..5).flat_map(|row| (0..16).map(move |column| (row * 20 + column) as f32)).collect();
            assert_eq!(sorted.to_vec(), expected, "{level:?}");
        }
    }
}
