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
