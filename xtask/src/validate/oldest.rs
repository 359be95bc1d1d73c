//! The oldest Rust that the manifest promises.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::metadata;

/// Type-checks the workspace with the toolchain of `rust-version`, where rustup has it.
pub(super) fn check() -> Result<()> {
    let metadata = metadata(false)?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let version = packages.iter().find_map(|package| package["rust_version"].as_str());
    let version = version.context("no crate names its rust-version")?;
    let own =
        Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("--version").output();
    if own.is_ok_and(|own| own.stdout.starts_with(format!("rustc {version}.").as_bytes())) {
        eprintln!("   Rust {version} is what everything here is compiled with");
        return Ok(());
    }
    let there = Command::new("rustup")
        .args(["run", version, "cargo", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !there {
        eprintln!("   skipped: Rust {version} is not installed (rustup toolchain install {version})");
        return Ok(());
    }
    let mut check = Command::new("rustup");
    check.args([
        "run",
        version,
        "cargo",
        "check",
        "--workspace",
        "--locked",
        "--target-dir",
        "target/oldest",
    ]);
    // Set for the toolchain that runs this.
    for variable in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        check.env_remove(variable);
    }
    eprintln!("   cargo +{version} check --workspace");
    if !check.status().context("starting rustup")?.success() {
        bail!("the workspace does not compile with Rust {version}");
    }
    Ok(())
}
