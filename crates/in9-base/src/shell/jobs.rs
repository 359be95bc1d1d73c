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

/// Cores that this process may use: those that the scheduler, the container (control groups, either version) or the
/// affinity mask leaves it, not all that the machine has.
pub fn available() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    granted(&|name| std::env::var(name).ok()).map_or(cores, |granted| granted.min(cores))
}

/// Cores that Slurm or HyperQueue say they have given: without control groups, nothing else would tell.
fn granted(environment: &dyn Fn(&str) -> Option<String>) -> Option<usize> {
    let slurm = || environment("SLURM_CPUS_PER_TASK")?.trim().parse().ok();
    // A list of the cores' numbers.
    let hyperqueue =
        || Some(environment("HQ_CPUS")?.split(',').filter(|core| !core.trim().is_empty()).count());
    slurm().or_else(hyperqueue).filter(|cores| *cores > 0)
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

    #[test]
    fn a_schedulers_grant_is_read() {
        let of = |variable: &'static str, value: &'static str| {
            granted(&move |name| (name == variable).then(|| value.to_owned()))
        };
        assert_eq!((of("SLURM_CPUS_PER_TASK", "3"), of("HQ_CPUS", "0,2,5,7")), (Some(3), Some(4)));
        assert_eq!((of("SLURM_CPUS_PER_TASK", "0"), of("HQ_CPUS", ""), of("OTHER", "2")), (None, None, None));
    }
}
