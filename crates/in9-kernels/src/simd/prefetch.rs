//! Hints to the processor about memory that will be needed.

/// Bytes of a cache line.
const LINE: usize = 64;

/// Asks for `values` to be brought near, to be read.
#[inline(always)]
pub(crate) fn to_read<T>(values: &[T]) {
    each_line(values, |address| {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a hint reads nothing and faults nowhere.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(address);
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = address;
    });
}

/// Asks for `values` to be brought near, to be written.
#[inline(always)]
pub(crate) fn to_write<T>(values: &[T]) {
    each_line(values, |address| {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a hint reads nothing and faults nowhere.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_ET0>(address);
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = address;
    });
}

#[inline(always)]
fn each_line<T>(values: &[T], hint: impl Fn(*const i8)) {
    let start = values.as_ptr().cast::<i8>();
    for offset in (0..size_of_val(values)).step_by(LINE) {
        hint(start.wrapping_add(offset));
    }
}
