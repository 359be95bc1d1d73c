//! The kernels as a library for the host.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A change of a kernel file: the text that is replaced, once, and what by.
pub(crate) struct Fault {
    pub(crate) file: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
}

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The compiler's name, if one answers.
fn compiler() -> Option<String> {
    let named = std::env::var("CXX").ok();
    let candidates = named.into_iter().chain(["c++", "g++", "clang++"].map(str::to_owned));
    candidates.into_iter().find(|name| {
        let version = Command::new(name).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    })
}

/// Compiles these kernel files; none, after one line, without a compiler.
fn compile(folder: &Path, files: &[impl AsRef<str>], optimisation: &str) -> Option<PathBuf> {
    let Some(compiler) = compiler() else {
        println!("skipped: no C++ compiler (CXX, c++, g++ or clang++) to compile the kernels for the host");
        return None;
    };
    let library = folder.join("kernels.so");
    let all: String = files.iter().map(|file| format!("#include \"kernels/{}\"\n", file.as_ref())).collect();
    std::fs::write(folder.join("all.cpp"), format!("{all}#include \"emulation/emulator.cpp\"\n")).unwrap();
    let output = Command::new(compiler)
        .current_dir(folder)
        .args([optimisation, "-std=c++17", "-ffp-contract=off", "-shared", "-fPIC", "-fvisibility=hidden"])
        .args([
            "-Wall",
            "-Werror",
            "-Wno-unknown-pragmas",
            "-Wno-maybe-uninitialized",
            "-Wno-unused-function",
        ])
        .args(["all.cpp", "-o"])
        .arg(&library)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(library)
}

/// Copies the sources to `folder`; the names of the kernel files.
fn copy_sources(folder: &Path) -> Vec<String> {
    let mut kernels = Vec::new();
    for part in ["kernels", "emulation"] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
        for entry in std::fs::read_dir(crate_folder().join(part)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            std::fs::copy(&path, folder.join(part).join(&name)).unwrap();
            if name.ends_with(".cu") {
                kernels.push(name);
            }
        }
    }
    kernels.sort();
    kernels
}

/// All kernels as they are, compiled once for all tests.
pub(crate) fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<(tempfile::TempDir, PathBuf)>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let files = copy_sources(folder.path());
        compile(folder.path(), &files, "-O1").map(|library| (folder, library))
    });
    library.as_ref().map(|(_, library)| library.as_path())
}

/// These files alone, with the fault planted.
pub(crate) fn faulty(folder: &Path, fault: &Fault, kernels: &[&str]) -> Option<PathBuf> {
    copy_sources(folder);
    let path = folder.join("kernels").join(fault.file);
    let text = std::fs::read_to_string(&path).unwrap();
    let found = text.matches(fault.from).count();
    assert_eq!(found, 1, "{}: {:?} stands there {found} times", fault.file, fault.from);
    std::fs::write(&path, text.replace(fault.from, fault.to)).unwrap();
    compile(folder, kernels, "-O0")
}
