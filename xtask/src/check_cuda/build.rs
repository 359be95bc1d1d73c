//! Programs with the feature `cuda`, linked on a machine without a GPU.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::toolkit;

/// The program that checks a GPU, and the one of every day.
const PROGRAMS: [&str; 2] = ["in9-models", "in9"];

/// Builds them; the folder that they are in.
pub(super) fn build(toolkit: &Path, folder: &Path, compute_cap: &str) -> Result<PathBuf> {
    let stubs = toolkit::stub(folder, &cudarc()?)?;
    // A folder of its own: other features would have the usual one compiled anew each time.
    let target = folder.join("target");
    for program in PROGRAMS {
        eprintln!("== cargo build --features cuda --package {program}");
        let mut build = Command::new(cargo());
        build.args(["build", "--release", "--locked", "--package", program, "--bin", program]);
        build.args(["--features", "cuda", "--target-dir"]).arg(&target);
        toolkit::environment(&mut build, toolkit)?;
        let libraries = [toolkit.join("lib"), toolkit.join("lib64"), stubs.clone()];
        build.env("LIBRARY_PATH", std::env::join_paths(libraries)?).env("CUDA_COMPUTE_CAP", compute_cap);
        ensure!(build.status().context("starting cargo")?.success(), "{program} does not build with CUDA");
    }
    Ok(target.join("release"))
}

fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The folder of cudarc's sources, whose list of the driver's functions is the newest.
fn cudarc() -> Result<PathBuf> {
    let output = Command::new(cargo())
        .args(["metadata", "--format-version", "1", "--locked", "--features", "in9-models/cuda"])
        .output()?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let manifest = packages.filter(|p| p["name"] == "cudarc").find_map(|p| p["manifest_path"].as_str());
    let manifest = Path::new(manifest.context("cudarc is no dependency any more")?);
    Ok(manifest.parent().context("a manifest in no folder")?.to_path_buf())
}

/// Copies what --run needs to `folder`, for a machine with a GPU: the program that checks, and this one. Names of
/// symbols, which nobody reads there, are left out where `strip` is there.
pub(super) fn collect(programs: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    for (name, from) in [("in9-models", programs.join("in9-models")), ("xtask", std::env::current_exe()?)] {
        let to = folder.join(name);
        fs::copy(&from, &to).with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
        let _ = Command::new("strip").arg(&to).output();
        println!("{}: {} MiB", to.display(), fs::metadata(&to)?.len() >> 20);
    }
    Ok(())
}
