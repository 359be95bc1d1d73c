//! Dependencies that nothing uses, found by `cargo machete`.

use anyhow::Result;

use super::cargo;

pub(super) fn check() -> Result<()> {
    if cargo(&["machete", "--version"]).output().is_err() {
        eprintln!("   skipped: cargo-machete is not installed (cargo install cargo-machete)");
        return Ok(());
    }
    cargo(&["machete"]).run()
}
