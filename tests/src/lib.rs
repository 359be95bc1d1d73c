//! Helpers shared by the end-to-end tests: the workspace's root, its programs, and real photographs if there are any.
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

pub mod faults;
pub mod ground;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The workspace's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the tests lie below the root").to_path_buf()
}

/// Cargo, called in the workspace's root.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// The folder with the workspace's programs, built with this test's own profile; or that in `IN9_TEST_PROGRAMS`, for
/// programs built elsewhere: a release, or an older state, on which a new test should fail.
pub fn programs() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        if let Some(folder) = std::env::var_os("IN9_TEST_PROGRAMS") {
            return folder.into();
        }
        let test = std::env::current_exe().expect("a test has a path");
        let folder = test.ancestors().nth(2).expect("a test lies in target/PROFILE/deps").to_path_buf();
        let mut build = cargo();
        build
            .args(["build", "--quiet", "--workspace", "--bins", "--target-dir"])
            .arg(folder.parent().expect("target"));
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo starts").success(), "the programs do not compile");
        folder
    })
}

/// A program of the workspace, ready to be given arguments.
pub fn program(name: &str) -> Command {
    Command::new(programs().join(name))
}

/// Runs `command`, asserts its exit code, and returns what it printed on (stdout, stderr).
#[track_caller]
pub fn expect(command: &mut Command, code: i32) -> (String, String) {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (stdout, stderr) =
        (String::from_utf8_lossy(&stdout).into_owned(), String::from_utf8_lossy(&stderr).into_owned());
    assert_eq!(status.code(), Some(code), "{command:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
    (stdout, stderr)
}

/// The folder of real photographs, or `None` with one printed line.
pub fn real_data(folder: &str) -> Option<PathBuf> {
    let base = std::env::var_os("IN9_REAL_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let path = base.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: real photographs are absent ({})", path.display());
    None
}

/// Copies a file, or a folder with all that it holds.
pub fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        std::fs::copy(from, to).expect("room for a copy");
        return;
    }
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a readable folder") {
        let entry = entry.expect("an entry");
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

/// Every file below `folder` with its bytes, by relative path.
pub fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                std::fs::read_dir(&path)
                    .expect("a readable folder")
                    .map(|entry| entry.expect("an entry").path()),
            );
        } else {
            let name = path.strip_prefix(folder).expect("below the folder").to_path_buf();
            found.push((name, std::fs::read(&path).expect("a readable file")));
        }
    }
    found.sort();
    found
}
