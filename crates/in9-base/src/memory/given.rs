//! How much memory this process was given, which may be less than the machine has.

use std::path::{Path, PathBuf};

/// Where Linux shows its control groups.
const GROUPS: &str = "/sys/fs/cgroup";

/// Bytes of memory that this process may use: the least of what its control groups (either version), Slurm's variables and
/// the machine allow. `None` where none of them tells.
pub fn given() -> Option<u64> {
    let text = |path: &Path| std::fs::read_to_string(path).ok();
    least(&text, &|name| std::env::var(name).ok())
}

fn least(
    text: &dyn Fn(&Path) -> Option<String>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Option<u64> {
    let groups = text(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let limits = limit_files(&groups);
    let limits = limits.iter().filter_map(|path| text(path)?.trim().parse::<u64>().ok());
    limits.chain(of_slurm(environment)).chain(of_machine(text)).min()
}

/// The files in which the control groups of `/proc/self/cgroup` say how much they may use; a group's limit holds for all
/// below it. A file that says `max` is no number, and sets no limit.
fn limit_files(groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(kinds), Some(group)) = (parts.next(), parts.next()) else { continue };
        let (root, name) = match kinds {
            "" => (PathBuf::from(GROUPS), "memory.max"),
            kinds if kinds.split(',').any(|kind| kind == "memory") => {
                (Path::new(GROUPS).join("memory"), "memory.limit_in_bytes")
            }
            _ => continue,
        };
        // Inside a container the path may be that of the host, which is not there; the root is the container's own.
        let below = Path::new(group.trim_start_matches('/'));
        files.extend(below.ancestors().map(|group| root.join(group).join(name)));
    }
    files
}

/// What a job was given, in megabytes in its variables.
fn of_slurm(environment: &dyn Fn(&str) -> Option<String>) -> Option<u64> {
    let number = |name: &str| environment(name)?.trim().parse::<u64>().ok();
    let of_node = number("SLURM_MEM_PER_NODE");
    let of_core = || number("SLURM_MEM_PER_CPU")?.checked_mul(number("SLURM_CPUS_ON_NODE")?);
    // 0 stands for all that the node has.
    of_node.or_else(of_core).filter(|megabytes| *megabytes > 0)?.checked_mul(1 << 20)
}

fn of_machine(text: &dyn Fn(&Path) -> Option<String>) -> Option<u64> {
    let all = text(Path::new("/proc/meminfo"))?;
    let kilobytes = all.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    kilobytes.trim().trim_end_matches("kB").trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    const GIB: u64 = 1 << 30;

    fn of(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Option<u64> {
        let files: HashMap<&Path, &str> =
            files.iter().map(|(path, text)| (Path::new(*path), *text)).collect();
        let variables: HashMap<&str, &str> = variables.iter().copied().collect();
        let text = |path: &Path| files.get(path).map(|text| (*text).to_owned());
        least(&text, &|name| variables.get(name).map(|value| (*value).to_owned()))
    }

    #[test]
    fn the_least_of_all_limits_holds() {
        let machine = ("/proc/meminfo", "MemTotal:       67108864 kB\nMemFree: 1 kB\n");
        assert_eq!(of(&[], &[]), None);
        assert_eq!(of(&[machine], &[]), Some(64 * GIB));
        // Version 2: the job's group, within a larger one, around one without a limit.
        let job = "0::/slurm/job_7/step_batch\n";
        let second = [
            machine,
            ("/proc/self/cgroup", job),
            ("/sys/fs/cgroup/slurm/job_7/step_batch/memory.max", "max\n"),
            ("/sys/fs/cgroup/slurm/job_7/memory.max", "8589934592\n"),
            ("/sys/fs/cgroup/slurm/memory.max", "34359738368\n"),
        ];
        assert_eq!(of(&second, &[]), Some(8 * GIB));
        // Version 1, beside groups of other kinds.
        let first = [
            machine,
            ("/proc/self/cgroup", "9:cpu,cpuacct:/x\n4:memory:/slurm/uid_0/job_7\n"),
            ("/sys/fs/cgroup/memory/slurm/uid_0/job_7/memory.limit_in_bytes", "4294967296\n"),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ];
        assert_eq!(of(&first, &[]), Some(4 * GIB));
        // In a container that sees its own group as the root.
        let inside = [machine, ("/proc/self/cgroup", "0::/\n"), ("/sys/fs/cgroup/memory.max", "1073741824")];
        assert_eq!(of(&inside, &[]), Some(GIB));
        assert_eq!(of(&[machine], &[("SLURM_MEM_PER_NODE", "2048")]), Some(2 * GIB));
        let per_core = [("SLURM_MEM_PER_CPU", "1024"), ("SLURM_CPUS_ON_NODE", "3")];
        assert_eq!(of(&[machine], &per_core), Some(3 * GIB));
        assert_eq!(of(&[machine], &[("SLURM_MEM_PER_NODE", "0")]), Some(64 * GIB));
    }
}
