//! Scratch buffers, kept by each thread from call to call.

use std::cell::RefCell;

thread_local! {
    static FREE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// f32 elements of a cache line. A vector that starts on a cache line is loaded in one access.
const LINE: usize = 16;

/// Runs `f` on a buffer of `len` elements of unspecified content that starts on a cache line.
///
/// Nested calls get different buffers. A thread keeps its buffers, so a second call of the same size
/// allocates nothing.
pub(crate) fn with<R>(len: usize, f: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut buffer = FREE.with(|free| take(&mut free.borrow_mut(), len + LINE));
    if buffer.len() < len + LINE {
        buffer.resize(len + LINE, 0.0);
    }
    // `align_offset` may return `usize::MAX`. Any start is correct; an aligned one is faster.
    let start = buffer.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
    let result = f(&mut buffer[start..start + len]);
    FREE.with(|free| free.borrow_mut().push(buffer));
    result
}

/// Takes the smallest buffer that is large enough, or else the largest, which the caller then grows.
fn take(free: &mut Vec<Vec<f32>>, len: usize) -> Vec<f32> {
    let fits = |buffer: &Vec<f32>| buffer.len() >= len;
    let rank =
        |buffer: &Vec<f32>| if fits(buffer) { (0, buffer.len()) } else { (1, usize::MAX - buffer.len()) };
    match (0..free.len()).min_by_key(|&i| rank(&free[i])) {
        Some(best) => free.swap_remove(best),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_buffers_are_different_and_aligned() {
        with(100, |a| {
            with(50, |b| {
                a.fill(1.0);
                b.fill(2.0);
                assert!(a.iter().all(|&v| v == 1.0) && a.len() == 100 && b.len() == 50);
                assert_eq!((a.as_ptr() as usize % 64, b.as_ptr() as usize % 64), (0, 0));
            });
        });
    }

    #[test]
    fn the_smallest_that_fits_is_taken_else_the_largest() {
        let mut free = vec![vec![0f32; 5], vec![0.0; 20], vec![0.0; 10]];
        assert_eq!(take(&mut free, 7).len(), 10);
        assert_eq!(take(&mut free, 50).len(), 20);
        assert_eq!(take(&mut free, 5).len(), 5);
        assert!(take(&mut free, 5).is_empty());
    }
}
