//! What several tests need: real photographs, a Python, a small toy world, the bytes of a folder.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use in9_toy::{WorldConfig, render};

/// The folder of real photographs, or `None` with one printed line.
pub fn real_data(folder: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let base = std::env::var_os("IN9_REAL_DATA").map_or_else(beside, PathBuf::from);
    let path = base.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: real photographs are absent ({})", path.display());
    None
}

/// A Python that can import `modules` (`$IN9_PYTHON`, else `python3`), or `None` with one printed line.
pub fn python(modules: &str) -> Option<PathBuf> {
    if !oracle("").is_dir() {
        println!("skipped: the oracles are in the repository, not in the package");
        return None;
    }
    let python = std::env::var_os("IN9_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let found = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
    if found.is_ok_and(|out| out.status.success()) {
        return Some(python);
    }
    println!("skipped: no Python with {modules} (name one in IN9_PYTHON)");
    None
}

/// A script of `tests/oracles`.
pub fn oracle(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracles").join(name)
}

/// Renders a toy world of a few photographs below `dir`.
pub fn world(dir: &Path, train_per_class: u32, test_per_class: u32) -> PathBuf {
    let root = dir.join("world");
    let config = WorldConfig { seed: 3, rho: 0.5, train_per_class, test_per_class, ..WorldConfig::default() };
    render(&config, &root, &|_, _| ()).unwrap();
    root
}

/// Every file below a folder with its bytes.
pub fn contents(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(root).unwrap().into(), std::fs::read(&path).unwrap());
            }
        }
    }
    files
}
