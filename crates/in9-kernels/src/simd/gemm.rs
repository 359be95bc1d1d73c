//! Single-threaded matrix products by the `gemm` crate.

/// A matrix in a slice: element (r, c) is at `offset + r * row_stride + c * column_stride`.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub(crate) offset: usize,
    pub(crate) row_stride: usize,
    pub(crate) column_stride: usize,
}

impl View {
    /// A matrix stored row after row, `stride` elements apart.
    pub(crate) fn row_major(offset: usize, stride: usize) -> Self {
        Self { offset, row_stride: stride, column_stride: 1 }
    }

    /// The transpose of a matrix stored row after row.
    pub(crate) fn transposed(offset: usize, stride: usize) -> Self {
        Self { offset, row_stride: 1, column_stride: stride }
    }

    /// One more than the largest index of an element; both sizes must be at least 1.
    fn end(&self, rows: usize, columns: usize) -> usize {
        self.offset + (rows - 1) * self.row_stride + (columns - 1) * self.column_stride + 1
    }
}

/// `C = A B`, or `C += A B` with `accumulate`, for A of m×k and B of k×n, on the calling thread. If any size
/// is 0, C keeps its values.
///
/// With one thread the rounding of the product depends on its sizes only.
pub(crate) fn gemm(
    [m, n, k]: [usize; 3],
    a: (&[f32], View),
    b: (&[f32], View),
    c: (&mut [f32], View),
    accumulate: bool,
) {
    if m == 0 || n == 0 || k == 0 {
        return;
    }
    let ((a, av), (b, bv), (c, cv)) = (a, b, c);
    assert!(av.end(m, k) <= a.len(), "A does not fit its slice");
    assert!(bv.end(k, n) <= b.len(), "B does not fit its slice");
    assert!(cv.end(m, n) <= c.len(), "C does not fit its slice");
    // SAFETY: by the three assertions, every element that the product reads or writes is inside its slice
    // (all strides are positive, so the last element has the largest index). `c` is borrowed mutably and
    // thus overlaps neither `a` nor `b`. The strides fit `isize`, because slices are no larger.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr().add(cv.offset),
            cv.column_stride as isize,
            cv.row_stride as isize,
            accumulate,
            a.as_ptr().add(av.offset),
            av.column_stride as isize,
            av.row_stride as isize,
            b.as_ptr().add(bv.offset),
            bv.column_stride as isize,
            bv.row_stride as isize,
            1f32,
            1f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 2×3 product of 2×4 and 4×3, rows and columns apart, out of slices that end with the last element that is
    /// used, or `short` elements before it.
    fn product(short: [usize; 3]) -> Vec<f32> {
        let (av, bv) = (View::row_major(1, 5), View::transposed(2, 4));
        let cv = View { offset: 1, row_stride: 7, column_stride: 2 };
        let values = |length: usize| (0..length).map(|i| (i % 5) as f32).collect::<Vec<_>>();
        let a = values(av.end(2, 4) - short[0]);
        let b = values(bv.end(4, 3) - short[1]);
        let mut c = vec![-1f32; cv.end(2, 3) - short[2]];
        gemm([2, 3, 4], (&a, av), (&b, bv), (&mut c, cv), false);
        for row in 0..2 {
            for column in 0..3 {
                let sum: f32 = (0..4).map(|k| a[1 + row * 5 + k] * b[2 + column * 4 + k]).sum();
                let at = 1 + row * 7 + column * 2;
                assert_eq!(std::mem::replace(&mut c[at], -1.0), sum, "{row} {column}");
            }
        }
        c
    }

    #[test]
    fn a_product_writes_its_elements_and_nothing_else() {
        assert!(product([0; 3]).iter().all(|&v| v == -1.0));
    }

    #[test]
    fn slices_that_are_one_element_too_short_are_refused_before_anything_is_read() {
        for short in [[1, 0, 0], [0, 1, 0], [0, 0, 1]] {
            let refused = std::panic::catch_unwind(|| product(short));
            let said = refused.unwrap_err().downcast_ref::<&str>().map(|said| said.to_string());
            assert!(said.is_some_and(|said| said.ends_with("does not fit its slice")), "{short:?}");
        }
    }
}
