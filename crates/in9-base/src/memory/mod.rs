//! How much memory there is, and what happens where the system refuses it: a program ends with one line, unless somebody
//! has asked whether it is there.

mod given;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs::File;
use std::io::Write as _;
use std::sync::OnceLock;

pub use given::given;

/// What is said when memory is refused.
const REFUSED: &[u8] =
    b"error: the system refused memory; use fewer threads (--jobs), smaller batches or more memory, \
    then run the same command again\n";

thread_local! {
    /// Whether this thread handles a refusal itself.
    static ASKS: Cell<bool> = const { Cell::new(false) };
}

/// Where the last line goes: a descriptor of its own, so that no lock and no memory is needed to write to it.
static LINE: OnceLock<File> = OnceLock::new();

/// The system's allocator for programs, as their `#[global_allocator]`. Where a library would stop at a refusal of
/// memory, and be it only with two lines and a signal, the process says one line and ends with exit code 1.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory;

/// Does `work`, in which a refusal of memory is an answer: [`Vec::try_reserve`] returns it.
pub fn may_be_refused<T>(work: impl FnOnce() -> T) -> T {
    let before = ASKS.replace(true);
    let result = work();
    ASKS.set(before);
    result
}

/// Sets where the last line goes; without, a refusal is left to the standard library.
pub fn say_refusals_to(out: File) {
    // The first one stays.
    let _ = LINE.set(out);
}

/// Ends the process at a refusal, unless the thread handles it.
fn checked(memory: *mut u8) -> *mut u8 {
    if memory.is_null()
        && !ASKS.try_with(Cell::get).unwrap_or(true)
        && let Some(mut out) = LINE.get()
    {
        let _ = out.write_all(REFUSED);
        // Its handler ends the process with exit code 1.
        std::process::abort();
    }
    memory
}

// SAFETY: every call is passed to the system's allocator as it is, and what that returns is returned, or the process
// ends. `checked` allocates nothing: the thread's cell needs no memory and no destructor, and the file writes by a
// system call.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`, which is the system allocator's.
        checked(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        checked(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above; `memory` came from the system's allocator, because all of ours does.
        checked(unsafe { System.realloc(memory, layout, size) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tests of this crate run with it.
    #[global_allocator]
    static MEMORY: Memory = Memory;

    #[test]
    fn whoever_asks_is_answered() {
        say_refusals_to(tempfile::tempfile().unwrap());
        let asked = may_be_refused(|| Vec::<u8>::new().try_reserve_exact(isize::MAX as usize));
        assert!(asked.is_err());
        assert!(!ASKS.get());
        assert_eq!(vec![0u8; 1 << 20].len(), 1 << 20);
    }
}
