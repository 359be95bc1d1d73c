//! How many worker threads a program uses.

use std::num::NonZeroUsize;
use std::str::FromStr;

/// A number of worker threads: at least one, and never so many that the machine cannot hold them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jobs(NonZeroUsize);

impl Jobs {
    /// The number: what was asked for, or the cap of four threads a core (at least 16) where that is less.
    /// Results never depend on it.
    pub fn count(self) -> usize {
        self.0.get().min(cap())
    }
}

impl FromStr for Jobs {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("expected a number of threads from 1 up, found {text}"))
    }
}

/// Cores that this process may use: those that the scheduler, the container or the affinity mask leaves
/// it, not all that the machine has.
pub fn available() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let granted = std::env::var("SLURM_CPUS_PER_TASK").ok().and_then(|n| n.parse().ok());
    granted.filter(|n| *n > 0).map_or(cores, |n: usize| n.min(cores))
}

/// The number that `RAYON_NUM_THREADS` asks for, else the available cores.
pub(super) fn from_environment() -> usize {
    let asked = std::env::var("RAYON_NUM_THREADS").ok().and_then(|n| n.parse().ok());
    asked.map_or_else(available, Jobs::count)
}

/// Starts the process's pool of `threads` worker threads.
///
/// # Errors
/// If the system gives that many no more.
pub fn start_pool(threads: usize) -> anyhow::Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build_global().map_err(|e| anyhow::anyhow!("cannot start {threads} threads ({e}); use fewer --jobs"))
}

fn cap() -> usize {
    (4 * available()).max(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_threads_are_sane() {
        assert!("0".parse::<Jobs>().is_err());
        assert!("-1".parse::<Jobs>().is_err());
        assert!("many".parse::<Jobs>().is_err());
        assert_eq!("2".parse::<Jobs>().unwrap().count(), 2);
        assert_eq!("1000000000".parse::<Jobs>().unwrap().count(), cap());
    }
}
