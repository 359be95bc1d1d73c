//! For build scripts: a digest of what a crate is built from.
#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![allow(clippy::print_stdout, reason = "a build script speaks to cargo")]

mod closure;
mod digest;
mod lock;
mod manifest;
mod sources;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use digest::Digest;

/// The digest of everything in the source of the crate in `folder`, of the path dependencies beside it, and of
/// the versions that `lock` (a `Cargo.lock`) names for the others; compiler and target left out.
pub fn digest_of_sources(folder: &Path, lock: &Path) -> String {
    let mut digest = Digest::default();
    closure::Closure::of(folder, Some(lock)).digest(&mut digest);
    digest.text()
}

/// Sets `IN9_IDENTITY` for the crate whose build script calls this, and tells cargo when it has to be found
/// anew. Outside a build script it prints the same lines to no effect.
pub fn emit() {
    let folder = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from);
    let lock = find_lock(&folder);
    let closure = closure::Closure::of(&folder, lock.as_deref());
    let mut digest = Digest::default();
    digest.part(compiler().as_bytes());
    for variable in ["TARGET", "CARGO_CFG_TARGET_FEATURE"] {
        digest.part(env::var(variable).unwrap_or_default().as_bytes());
    }
    // Where numbers are computed by other means, they may differ.
    digest.part(&[u8::from(env::var_os("CARGO_FEATURE_CUDA").is_some())]);
    closure.digest(&mut digest);
    for path in closure.watched().iter().chain(&lock) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    println!("cargo::rustc-env=IN9_IDENTITY={}", digest.text());
}

/// The lock file of whoever builds: above the target folder, else above the crate.
fn find_lock(folder: &Path) -> Option<PathBuf> {
    let above = |path: &Path| path.ancestors().map(|at| at.join("Cargo.lock")).find(|path| path.is_file());
    let target = env::var_os("OUT_DIR").map(PathBuf::from);
    target.and_then(|target| above(&target)).or_else(|| above(folder))
}

/// The compiler's version; empty if it does not tell.
fn compiler() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}
