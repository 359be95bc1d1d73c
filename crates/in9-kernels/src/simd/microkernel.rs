//! The microkernel of matrix products: a tile of the result in registers, its columns in vectors, its rows
//! multiplied by broadcast scalars.

use super::vector::{LANES, Vector};

/// The memory layout of the factor whose elements are broadcast, in elements.
#[derive(Clone, Copy)]
pub(crate) struct Broadcast {
    /// From one row to the next.
    pub(crate) row: usize,
    /// From one term of the sum to the next, inside a block.
    pub(crate) step: usize,
    /// Terms of a block.
    pub(crate) steps: usize,
    /// From one block of terms to the next.
    pub(crate) block: usize,
    /// Number of blocks.
    pub(crate) blocks: usize,
}

impl Broadcast {
    /// One more than the largest index of an element of `rows` rows.
    fn end(&self, rows: usize) -> usize {
        (rows - 1) * self.row + (self.blocks - 1) * self.block + (self.steps - 1) * self.step + 1
    }
}

/// `C = A B`, or `C += A B` with `accumulate`, for `rows` rows and a panel of `WIDTH` vectors of columns.
///
/// `layout` is that of A. The rows of B are `WIDTH * 16` elements apart, those of C `c_stride` elements.
/// Every element of C is one sum in the order of k, whatever the number of rows.
#[inline(always)]
pub(crate) fn multiply_panel<V: Vector, const WIDTH: usize>(
    rows: usize,
    a: &[f32],
    layout: Broadcast,
    b: &[f32],
    c: &mut [f32],
    c_stride: usize,
    accumulate: bool,
) {
    if rows == 0 || layout.blocks == 0 || layout.steps == 0 {
        return;
    }
    assert!(layout.end(rows) <= a.len());
    assert!(layout.blocks * layout.steps * WIDTH * LANES <= b.len());
    assert!((rows - 1) * c_stride + WIDTH * LANES <= c.len());
    // Tiles of nearly equal size: a small one would leave its multiply-adds waiting for each other.
    let tiles = rows.div_ceil(V::ROWS);
    for i in 0..tiles {
        let (start, end) = (rows * i / tiles, rows * (i + 1) / tiles);
        macro_rules! sizes {
            ($($size:literal)*) => {
                match end - start {
                    $($size if $size <= V::ROWS => {
                        let c_start = start * c_stride;
                        // SAFETY: start + $size <= rows, and by the assertions above all elements of A, B and C of the
                        // first `rows` rows are inside their slices; column `j` is one of the `WIDTH` vectors of a row
                        // of B and of C. `c` is borrowed mutably and thus overlaps neither `a` nor `b`.
                        unsafe {
                            let (a, b) = (a.as_ptr().add(start * layout.row), b.as_ptr());
                            let c = c.as_mut_ptr().add(c_start);
                            if V::NARROW {
                                for j in (0..WIDTH).map(|j| j * LANES) {
                                    let (b, c) = (b.add(j), c.add(j));
                                    tile::<V, $size, 1>(a, layout, b, WIDTH, c, c_stride, accumulate);
                                }
                            } else {
                                tile::<V, $size, WIDTH>(a, layout, b, WIDTH, c, c_stride, accumulate);
                            }
                        }
                    })*
                    _ => unreachable!("tiles are neither empty nor larger than the largest"),
                }
            };
        }
        sizes!(1 2 3 4 5 6 7 8 9 10 11 12);
    }
}

/// One register tile of [`multiply_panel`], of `R` rows. The rows of B are `b_step` vectors apart.
///
/// # Safety
/// `a` must be valid for reads up to `layout.end(R)`, `b` for reads of `WIDTH` vectors of each of its
/// `blocks * steps` rows, and `c` for reads and writes of `(R - 1) * c_stride + WIDTH * 16` elements; nothing else may refer to the
/// elements of `c` meanwhile.
#[inline(always)]
unsafe fn tile<V: Vector, const R: usize, const WIDTH: usize>(
    a: *const f32,
    layout: Broadcast,
    b: *const f32,
    b_step: usize,
    c: *mut f32,
    c_stride: usize,
    accumulate: bool,
) {
    // SAFETY: `a` advances by at most (blocks - 1) * block + (steps - 1) * step and is read at rows below R;
    // `b` is read at `WIDTH` consecutive vectors for each of the blocks * steps terms; `c` is read and
    // written at `WIDTH` vectors of each of R rows. By this function's contract all of that is valid. A
    // pointer one term behind the last is computed but never read: it may lie outside the slice by a whole
    // step, which `wrapping_add` allows and `add` does not.
    unsafe {
        let mut sums = [[V::splat(0.0); WIDTH]; R];
        let mut b = b.cast::<[f32; LANES]>();
        for block in 0..layout.blocks {
            let mut a = a.add(block * layout.block);
            for _ in 0..layout.steps {
                let mut columns = [V::splat(0.0); WIDTH];
                for (j, column) in columns.iter_mut().enumerate() {
                    *column = V::load(&*b.add(j));
                }
                for (r, sums) in sums.iter_mut().enumerate() {
                    let factor = V::splat(*a.add(r * layout.row));
                    for (sum, column) in sums.iter_mut().zip(columns) {
                        *sum = factor.mul_add(column, *sum);
                    }
                }
                a = a.wrapping_add(layout.step);
                b = b.wrapping_add(b_step);
            }
        }
        for (r, sums) in sums.into_iter().enumerate() {
            let c = c.add(r * c_stride).cast::<[f32; LANES]>();
            for (j, sum) in sums.into_iter().enumerate() {
                let c = &mut *c.add(j);
                let sum = if accumulate { V::load(c).add(sum) } else { sum };
                sum.store(c);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Level, vector::for_each_vector};

    for_each_vector! {
        fn multiply_two_vectors<V>(rows: usize, a: &[f32], layout: Broadcast, b: &[f32], c: &mut [f32], accumulate: bool) {
            multiply_panel::<V, 2>(rows, a, layout, b, c, 32, accumulate);
        }
    }

    #[test]
    fn equals_the_definition_on_small_integers() {
        for rows in [1, 3, 7, 13, 25] {
            let (steps, blocks) = (4, 3);
            let layout = Broadcast { row: 4, step: 1, steps, block: rows * 4, blocks };
            let a: Vec<f32> = (0..rows * 12).map(|i| (i % 7) as f32 - 3.0).collect();
            let b: Vec<f32> = (0..12 * 32).map(|i| (i % 5) as f32 - 2.0).collect();
            for level in Level::available() {
                let mut c = vec![1f32; rows * 32];
                multiply_two_vectors(level, rows, &a, layout, &b, &mut c, true);
                for r in 0..rows {
                    for j in 0..32 {
                        let sum: f32 =
                            (0..12).map(|k| a[k / 4 * rows * 4 + r * 4 + k % 4] * b[k * 32 + j]).sum();
                        assert_eq!(c[r * 32 + j], 1.0 + sum, "{level:?} {rows} {r} {j}");
                    }
                }
            }
        }
    }

    /// The slice ends with the last element that is read, far from a step behind it. Miri, and only Miri, tells
    /// when a pointer leaves a slice without being read.
    #[test]
    fn terms_that_lie_apart_are_read_to_the_end_of_their_slice_and_no_further() {
        let (rows, steps) = (3, 5);
        let layout = Broadcast { row: 1, step: 7, steps, block: 0, blocks: 1 };
        let a: Vec<f32> = (0..layout.end(rows)).map(|i| i as f32).collect();
        let b = vec![1f32; steps * 32];
        for level in Level::available() {
            let mut c = vec![0f32; rows * 32];
            multiply_two_vectors(level, rows, &a, layout, &b, &mut c, false);
            for (r, row) in c.chunks(32).enumerate() {
                let sum: f32 = (0..steps).map(|k| a[r + 7 * k]).sum();
                assert!(row.iter().all(|&v| v == sum), "{level:?} {r}");
            }
        }
    }
}
