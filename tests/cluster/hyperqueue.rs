//! HyperQueue from its Python package, and what it is put through.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use in9_tests::{expect, root};

use super::support::{
    Mortal, alone, assert_same, cluster_file, only_the_broken_piece_is_left, reproduce, retry, status,
    wait_for,
};

/// A server and a worker, which end with this.
struct HyperQueue {
    folder: tempfile::TempDir,
    server: Child,
}

impl HyperQueue {
    /// Starts it; `None`, with one line, where it is not installed.
    fn start() -> Option<Self> {
        let python = std::env::var_os("IN9_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
        let there = Command::new(&python).args(["-c", "import hyperqueue, tomllib"]).output();
        if !there.is_ok_and(|there| there.status.success()) {
            println!("skipped: the Python package hyperqueue is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let (bin, server) = (folder.path().join("bin"), folder.path().join("server"));
        std::fs::create_dir(&bin).unwrap();
        std::fs::create_dir(&server).unwrap();
        let hq = bin.join("hq");
        let text = format!(
            "#!/bin/sh\nHQ_TEST_SERVER='{}' exec '{}' '{}' \"$@\"\n",
            server.display(),
            python.display(),
            root().join("tests/cluster/hq.py").display()
        );
        write_program(&hq, &text);
        let mut server = Command::new(&hq);
        server.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = server.spawn().unwrap();
        let lines = BufReader::new(server.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line == "ready"), "HyperQueue does not start");
        Some(Self { folder, server })
    }

    fn environment(&self) -> Vec<(String, String)> {
        let path = std::env::var_os("PATH").unwrap();
        let path = std::iter::once(self.folder.path().join("bin")).chain(std::env::split_paths(&path));
        vec![("PATH".to_owned(), std::env::join_paths(path).unwrap().into_string().unwrap())]
    }

    fn wait(&self) {
        wait_for("the queue", || {
            let mut list = Command::new(self.folder.path().join("bin/hq"));
            let said = list.args(["--output-mode=json", "job", "list", "--all"]).output().unwrap();
            let jobs: Vec<serde_json::Value> = serde_json::from_slice(&said.stdout).unwrap();
            jobs.iter().all(|job| job["task_stats"]["waiting"] == 0)
        });
    }
}

impl Drop for HyperQueue {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        let _ = self.server.wait();
    }
}

fn write_program(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn hyperqueue_gives_the_same_bytes_whatever_is_killed() {
    let _alone = alone();
    let Some(hq) = HyperQueue::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (out, cluster) = (folder.path().join("out"), folder.path().join("cluster.toml"));
    let scratch = folder.path().join("scratch");
    std::fs::create_dir(&scratch).unwrap();
    cluster_file(&cluster, Some(&scratch));
    let mortal = Mortal::new(true);
    mortal.breaks(true);
    mortal.holds(true);
    let file = cluster.display().to_string();
    let mut submit = reproduce(mortal.programs(), &out, &["--executor", "hyperqueue", "--cluster", &file]);
    expect(submit.envs(hq.environment()), 0);
    // Nothing is submitted twice.
    let mut again = reproduce(mortal.programs(), &out, &["--executor", "hyperqueue", "--cluster", &file]);
    let (_, said) = expect(again.envs(hq.environment()), 1);
    assert!(said.contains("jobs 1 of an earlier submission"), "{said}");
    mortal.holds(false);
    let mut retries = 0;
    loop {
        hq.wait();
        let states = status(&out, &hq.environment());
        if states.values().all(|(word, _)| word == "done") {
            break;
        }
        if mortal.killed() == 9 && only_the_broken_piece_is_left(&states) {
            mortal.breaks(false);
        }
        retries += 1;
        assert!(retries < 15, "{states:?}");
        retry(&out, &[], &hq.environment());
    }
    assert_eq!(mortal.killed(), 10);
    assert_same(&out);
    println!("10 kinds of stages killed, {retries} retries: the same bytes");
}
