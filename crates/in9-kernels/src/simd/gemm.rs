//! Matrix products of one thread.

/// A matrix inside a slice: element (r, c) lies at `offset + r * rows + c * columns`.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub(crate) offset: usize,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl View {
    /// A matrix stored row after row, `stride` numbers apart.
    pub(crate) fn row_major(offset: usize, stride: usize) -> Self {
        Self { offset, rows: stride, columns: 1 }
    }

    /// The transpose of a matrix stored row after row.
    pub(crate) fn transposed(offset: usize, stride: usize) -> Self {
        Self { offset, rows: 1, columns: stride }
    }

    fn end(&self, rows: usize, columns: usize) -> usize {
        self.offset + (rows - 1) * self.rows + (columns - 1) * self.columns + 1
    }
}

/// `C = A B`, or `C += A B` with `accumulate`, for A of m×k and B of k×n, on the calling thread. With an empty
/// sum (k = 0) C is left as it is.
///
/// One thread, whatever the pool's size: the product's rounding then depends on its sizes only.
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
    assert!(av.end(m, k) <= a.len(), "A lies outside its slice");
    assert!(bv.end(k, n) <= b.len(), "B lies outside its slice");
    assert!(cv.end(m, n) <= c.len(), "C lies outside its slice");
    // SAFETY: the three assertions above keep every element that the product reads or writes
    // inside its slice; `c` is borrowed mutably, so it overlaps neither `a` nor `b`.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr().add(cv.offset),
            cv.columns as isize,
            cv.rows as isize,
            accumulate,
            a.as_ptr().add(av.offset),
            av.columns as isize,
            av.rows as isize,
            b.as_ptr().add(bv.offset),
            bv.columns as isize,
            bv.rows as isize,
            1f32,
            1f32,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
