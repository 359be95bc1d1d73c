//! Memory of Rust that Python reads and writes without a copy, by the buffer protocol.

use std::any::Any;
use std::ffi::{c_int, c_void};

use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;

use crate::fork::OfProcess;

/// Bytes that NumPy, torch and everything else sees without a copy: `numpy.frombuffer(buffer, dtype)`. The memory, a
/// file's map or a batch, stays for as long as anything looks at it.
#[pyclass(frozen, module = "in9._in9")]
pub(crate) struct Buffer {
    start: *mut u8,
    length: usize,
    writable: bool,
    /// Keeps the memory; never used.
    _owner: OfProcess<Box<dyn Any + Send + Sync>>,
}

// SAFETY: the pointer is to memory that `_owner` keeps and nobody in Rust touches any more; through it nothing is done
// here but to hand it to Python, whose rules for shared buffers hold from there on.
unsafe impl Send for Buffer {}
// SAFETY: as above.
unsafe impl Sync for Buffer {}

/// Plain numbers, any bytes of which are a value.
pub(crate) trait Number: Copy + Send + Sync + 'static {}
impl Number for u8 {}
impl Number for u32 {}
impl Number for i64 {}
impl Number for f32 {}

impl Buffer {
    /// Values that nobody else has: Python may write to them.
    pub(crate) fn of_vec<T: Number>(mut values: Vec<T>) -> Self {
        let (start, length) = (values.as_mut_ptr(), values.len());
        // SAFETY: the values stay where they are when the vector moves, `owner` keeps them and nobody else can reach
        // them.
        unsafe { Self::of_parts(start, length, true, Box::new(values)) }
    }

    /// Values that somebody else keeps and reads, such as a slice of a memory map: Python may only read them.
    ///
    /// # Safety
    /// `owner` must keep `values` alive and where they are, and nobody may change them as long as it lives.
    pub(crate) unsafe fn of_shared<T: Number>(values: &[T], owner: Box<dyn Any + Send + Sync>) -> Self {
        // SAFETY: by the caller's promise; Python is not allowed to write.
        unsafe { Self::of_parts(values.as_ptr().cast_mut(), values.len(), false, owner) }
    }

    /// # Safety
    /// `owner` must keep the `length` values from `start` on, alive and where they are; if `writable`, nobody else may
    /// use them as long as it lives.
    pub(crate) unsafe fn of_parts<T: Number>(
        start: *mut T,
        length: usize,
        writable: bool,
        owner: Box<dyn Any + Send + Sync>,
    ) -> Self {
        let length = length * size_of::<T>();
        Self { start: start.cast(), length, writable, _owner: OfProcess::new(owner) }
    }
}

#[pymethods]
impl Buffer {
    /// Number of bytes.
    fn __len__(&self) -> usize {
        self.length
    }

    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("no place for the view"));
        }
        let buffer = slf.get();
        let length = isize::try_from(buffer.length)?;
        // SAFETY: `view` is the place that Python offers, the object is alive and keeps the memory, and the function
        // takes a reference to it that lives as long as the view.
        let result = unsafe {
            ffi::PyBuffer_FillInfo(
                view,
                slf.as_ptr(),
                buffer.start.cast::<c_void>(),
                length,
                c_int::from(!buffer.writable),
                flags,
            )
        };
        if result == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) }
    }
}
