//! What must not be touched in a process that was forked from the one that made it.

use std::mem::ManuallyDrop;

/// A value whose parts other threads may be using: in a forked copy of the process those threads do not exist, so that
/// a lock they held is held for ever and joining them never ends. There the value is not given out, and forgotten
/// instead of dropped.
#[derive(Debug)]
pub(crate) struct OfProcess<T> {
    value: ManuallyDrop<T>,
    process: u32,
}

impl<T> OfProcess<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: ManuallyDrop::new(value), process: std::process::id() }
    }

    /// Whether this is the process that made it.
    pub(crate) fn is_here(&self) -> bool {
        self.process == std::process::id()
    }

    /// The value, where it was made.
    pub(crate) fn get(&self) -> Option<&T> {
        if self.is_here() { Some(&self.value) } else { None }
    }

    /// The value, where it was made.
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        if self.is_here() { Some(&mut self.value) } else { None }
    }
}

impl<T> Drop for OfProcess<T> {
    fn drop(&mut self) {
        if self.is_here() {
            // SAFETY: dropped here and nowhere else, and not used afterwards.
            unsafe { ManuallyDrop::drop(&mut self.value) }
        }
    }
}
