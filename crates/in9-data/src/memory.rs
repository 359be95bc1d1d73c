//! A budget of memory that workers share: large photographs wait for each other instead of being decoded
//! side by side until the machine has no memory left.

use std::sync::{Condvar, Mutex, PoisonError};

use in9_base::memory::may_be_refused;

/// Memory that may be in use at a time.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: u64,
    used: Mutex<u64>,
    freed: Condvar,
}

/// A part of the budget; goes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    pub(crate) fn new(bytes: u64) -> Self {
        Self { bytes, used: Mutex::new(0), freed: Condvar::new() }
    }

    /// Waits until `bytes` are free. What is larger than the whole budget waits until nobody else holds any,
    /// and is then alone.
    pub(crate) fn take(&self, bytes: u64) -> Share<'_> {
        let bytes = bytes.min(self.bytes);
        // A count is valid whatever panicked while it was locked.
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |used: &mut u64| *used > 0 && *used + bytes > self.bytes;
        *self.freed.wait_while(used, full).unwrap_or_else(PoisonError::into_inner) += bytes;
        Share { budget: self, bytes }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.budget.used.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.budget.freed.notify_all();
    }
}

/// Whether the system would give so many bytes now.
///
/// To run out of memory where a library allocates would end the process; to ask before is an error like any
/// other.
pub(crate) fn is_there(bytes: u64) -> bool {
    let ask = |bytes| may_be_refused(|| Vec::<u8>::new().try_reserve_exact(bytes).is_ok());
    usize::try_from(bytes).is_ok_and(ask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn workers_never_hold_more_than_the_budget_unless_one_is_alone() {
        let budget = Budget::new(100);
        let (held, most_of_small, alone) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for worker in 0..8u64 {
                let (budget, held, most_of_small, alone) = (&budget, &held, &most_of_small, &alone);
                scope.spawn(move || {
                    for turn in 0..200 {
                        let bytes = match (worker + turn) % 7 {
                            0 => 5000,
                            part => part * 15,
                        };
                        let share = budget.take(bytes);
                        let now = held.fetch_add(bytes, Ordering::SeqCst) + bytes;
                        if bytes > 100 {
                            assert_eq!(now, bytes, "a large one is alone");
                            alone.fetch_add(1, Ordering::SeqCst);
                        } else {
                            most_of_small.fetch_max(now, Ordering::SeqCst);
                        }
                        std::thread::yield_now();
                        held.fetch_sub(bytes, Ordering::SeqCst);
                        drop(share);
                    }
                });
            }
        });
        assert!(most_of_small.into_inner() <= 100);
        assert!(alone.into_inner() > 0);
        assert_eq!(*budget.used.lock().unwrap(), 0);
    }

    #[test]
    fn memory_that_no_machine_has_is_not_there() {
        assert!(is_there(1 << 20));
        assert!(!is_there(u64::MAX));
    }
}
