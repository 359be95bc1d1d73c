//! Settings of the process that make Candle and these kernels fast.

/// Applies the settings. Call it first in `main`, before any thread starts.
///
/// - The number of worker threads (`threads`, else `RAYON_NUM_THREADS`, else every core) goes
///   into `RAYON_NUM_THREADS`: where that is unset, Candle parses `/proc/cpuinfo` in every matrix
///   product.
/// - The calling thread is one of the workers, if there are several: an operation that it starts need
///   not wake another thread and sleep until that is done, which for small layers takes as long as
///   their work. (Operations that another thread starts have one worker less while this one is busy.)
/// - On Linux with glibc, freed memory is kept by the process rather than given back, so that the
///   next activation does not fault its pages in again.
///
/// Results never depend on either. If other threads already run, the environment is left alone
/// (changing it then would be unsound) and only the pool's size is set.
pub fn init(threads: Option<usize>) {
    keep_freed_memory();
    let threads = threads.filter(|&n| n > 0).or_else(from_environment);
    let threads = threads
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get));
    if only_thread() {
        // SAFETY: this is the process's only thread, so nobody reads the environment meanwhile.
        unsafe { std::env::set_var("RAYON_NUM_THREADS", threads.to_string()) };
    }
    let mut pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    // A pool of nothing but this thread would leave other threads waiting for it.
    if threads > 1 {
        pool = pool.use_current_thread();
    }
    // An error means that the pool exists already; its size is then not ours to choose.
    let _ = pool.build_global();
}

fn from_environment() -> Option<usize> {
    let value = std::env::var("RAYON_NUM_THREADS").ok()?;
    value.parse().ok().filter(|&n| n > 0)
}

#[cfg(target_os = "linux")]
fn only_thread() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() == 1)
}

#[cfg(not(target_os = "linux"))]
fn only_thread() -> bool {
    false
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep_freed_memory() {
    const MIB: libc::c_int = 1 << 20;
    let set = |parameter: libc::c_int, value: libc::c_int| {
        // SAFETY: mallopt takes two integers and touches only the allocator's own settings.
        unsafe { libc::mallopt(parameter, value) == 1 }
    };
    // Some versions of glibc refuse thresholds above half the size of a thread's heap.
    let _ = set(libc::M_MMAP_THRESHOLD, 1024 * MIB) || set(libc::M_MMAP_THRESHOLD, 32 * MIB);
    set(libc::M_TRIM_THRESHOLD, 2047 * MIB);
    set(libc::M_TOP_PAD, 64 * MIB);
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_freed_memory() {}

#[cfg(test)]
mod tests {
    #[test]
    fn init_may_be_called_twice() {
        super::init(Some(2));
        super::init(None);
        assert!(rayon::current_num_threads() >= 1);
    }
}
