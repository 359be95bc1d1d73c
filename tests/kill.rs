//! A run that is killed leaves no process and no rubbish, and the same command ends in the same bytes.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "a test says how much it tried")]

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use in9_tests::{contents, expect, program, root};

/// How many kills: 20, or as many as `IN9_KILLS` says.
fn kills_wanted() -> u64 {
    std::env::var("IN9_KILLS").map_or(20, |n| n.parse().expect("IN9_KILLS is a number"))
}

fn reproduce(out: &Path) -> Command {
    let mut command = program("in9");
    command.args(["reproduce", "--jobs", "2", "--recipe"]).arg(root().join("tests/kill.toml"));
    command.arg("--out").arg(out);
    command
}

/// Every file by name, with its bytes where these must be the same: stamps and logs hold times.
fn files(out: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = contents(out);
    for (name, bytes) in &mut files {
        if name.starts_with(".stages") || name.starts_with("logs") {
            bytes.clear();
        }
    }
    files.retain(|(name, _)| !name.to_string_lossy().contains("tfevents"));
    files
}

/// Processes whose command line names the folder.
fn processes(out: &Path) -> Vec<String> {
    let name = out.to_string_lossy().into_owned();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        // A process that has ended and was not waited for has no command line any more.
        if line.contains(&name) {
            found.push(line);
        }
    }
    found
}

#[track_caller]
fn assert_same(wanted: &[(PathBuf, Vec<u8>)], out: &Path, after: &str) {
    let found = files(out);
    let names = |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(wanted), names(&found), "the list of files differs after {after}");
    for ((name, a), (_, b)) in wanted.iter().zip(&found) {
        assert!(a == b, "{} differs after {after}", name.display());
    }
}

/// Waits for `child` until `moment`; its exit code if it has ended by itself.
fn wait_until(child: &mut Child, moment: Instant) -> Option<i32> {
    while Instant::now() < moment {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status.code().unwrap_or(-1));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

#[test]
fn a_killed_run_leaves_nothing_and_ends_in_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let reference = folder.path().join("reference");
    let started = Instant::now();
    expect(&mut reproduce(&reference), 0);
    let whole = started.elapsed();
    let wanted = files(&reference);
    let out = folder.path().join("killed");
    let (mut random, mut kills, mut history) = (0x9e37_79b9_7f4a_7c15_u64, 0, String::new());
    let (mut tried, mut reruns) = (std::collections::BTreeMap::<String, u64>::new(), 0);
    while kills < kills_wanted() {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drawn = random >> 33;
        let (signal, code) = [("TERM", 143), ("KILL", 137), ("INT", 130)][(drawn % 3) as usize];
        let to_group = drawn / 3 % 2 == 1;
        // A third of a whole run, so that every few kills a run comes to its end.
        let delay = Duration::from_millis(150) + whole.mul_f64((drawn / 6 % 1000) as f64 / 3000.0);
        let mut child =
            reproduce(&out).process_group(0).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let what =
            format!("SIG{signal} to the {} after {delay:?}", if to_group { "group" } else { "process" });
        history += &format!("; {what}");
        let ended = wait_until(&mut child, Instant::now() + delay);
        if ended.is_none() {
            let target = if to_group { format!("-{}", child.id()) } else { child.id().to_string() };
            let killed = Command::new("kill").args([&format!("-{signal}"), "--", &target]).status().unwrap();
            assert!(killed.success());
            kills += 1;
            *tried
                .entry(format!("{signal} to the {}", if to_group { "group" } else { "process" }))
                .or_default() += 1;
        }
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if ended.is_some() || output.status.success() {
            assert!(output.status.success(), "a rerun is stuck{history}\n{said}");
            assert_same(&wanted, &out, &history);
            reruns += 1;
            std::fs::remove_dir_all(&out).unwrap();
            history.clear();
        } else if let Some(found) = output.status.code() {
            assert_eq!(found, code, "{what}\n{said}");
            assert!(said.contains("the same command goes on"), "{what}\n{said}");
            assert!(!said.contains("panicked"), "{what}\n{said}");
        } else {
            // SIGKILL, or any signal before the program listens to it.
            assert_eq!(output.status.signal().map(|number| number + 128), Some(code), "{what}\n{said}");
        }
        let patience = Instant::now() + Duration::from_secs(10);
        while !processes(&out).is_empty() {
            assert!(Instant::now() < patience, "{what} left {:?}", processes(&out));
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    expect(&mut reproduce(&out), 0);
    assert_same(&wanted, &out, &history);
    println!(
        "{kills} kills ({tried:?}): 0 processes left; {} runs went on to their end, 0 stuck; {} files, 0 bytes and 0 \
         files different",
        reruns + 1,
        wanted.len()
    );
}
