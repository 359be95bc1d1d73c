//! Prefetch hints for memory that will soon be read or written.

/// Bytes of a cache line.
const LINE: usize = 64;

/// Prefetches `values` for reading.
#[inline(always)]
pub(crate) fn to_read<T>(values: &[T]) {
    each_line(values, |address| {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a prefetch is a hint: it accesses no memory in the sense of the language and does not fault
        // for any address. Every x86-64 processor has the instruction or ignores it.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(address);
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = address;
    });
}

/// Prefetches `values` for writing.
#[inline(always)]
pub(crate) fn to_write<T>(values: &[T]) {
    each_line(values, |address| {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a prefetch is a hint: it accesses no memory in the sense of the language and does not fault
        // for any address. Every x86-64 processor has the instruction or ignores it.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_ET0>(address);
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = address;
    });
}

/// Calls `hint` with an address in every cache line of `values`.
#[inline(always)]
fn each_line<T>(values: &[T], hint: impl Fn(*const i8)) {
    let start = values.as_ptr().cast::<i8>();
    for offset in (0..size_of_val(values)).step_by(LINE) {
        hint(start.wrapping_add(offset));
    }
}
