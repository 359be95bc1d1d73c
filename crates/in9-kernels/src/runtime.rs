//! Process-wide settings that make Candle and these kernels fast.

/// Applies the settings. Call it first in `main`, before any thread starts.
///
/// - The number of worker threads is `threads`, or else `RAYON_NUM_THREADS`, or else the number of
///   cores. It is written to `RAYON_NUM_THREADS`, because Candle 0.11 parses `/proc/cpuinfo` in every
///   matrix product while that variable is unset.
/// - If there are several workers, the calling thread is one of them. An operation that it starts then
///   need not wake another thread and wait for it, which for a small layer takes as long as the layer.
///   (While the calling thread is busy, operations started by other threads have one worker less.)
/// - On Linux with glibc, the process keeps freed memory instead of returning it to the system, so that
///   the next layer's output does not cause page faults again.
///
/// Results never depend on these settings. If the process has other threads already, the environment is
/// not changed, because that would be unsound; only the size of the pool is set.
pub fn init(threads: Option<usize>) {
    keep_freed_memory();
    let threads = threads.filter(|&n| n > 0).or_else(from_environment);
    let threads = threads
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get));
    if only_thread() {
        // SAFETY: this is the only thread of the process, so no other thread can read or write the
        // environment at the same time.
        unsafe { std::env::set_var("RAYON_NUM_THREADS", threads.to_string()) };
    }
    let mut pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    // If this thread were the only worker, other threads would wait for it.
    if threads > 1 {
        pool = pool.use_current_thread();
    }
    // An error means that the pool exists already; its size then stays as it is.
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
        // SAFETY: mallopt takes two integers, no pointer, and changes only settings of the allocator,
        // under the allocator's own lock.
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
