//! Every library builds without its features, and with each of them alone.

use anyhow::{Context as _, Result};

use super::{cargo, metadata};

/// Features that need a toolkit to build; `cargo xtask check-cuda` brings one.
const NEED_A_TOOLKIT: [&str; 1] = ["cuda"];

pub(super) fn check() -> Result<()> {
    let metadata = metadata(false)?;
    for package in metadata["packages"].as_array().context("cargo metadata names no packages")? {
        let name = package["name"].as_str().context("a package without a name")?;
        let targets = package["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_library = targets.iter().any(|target| target["kind"][0] == "lib");
        let target = if is_library { "--lib" } else { "--bins" };
        let Some(features) = package["features"].as_object().filter(|features| !features.is_empty()) else {
            continue;
        };
        let alone = ["check", "--quiet", "--locked", "--package", name, target, "--no-default-features"];
        cargo(&alone).run()?;
        for feature in features.keys() {
            // Features made of dependencies are no choice of anybody's.
            if feature != "default" && !NEED_A_TOOLKIT.contains(&feature.as_str()) {
                cargo(&[&alone[..], &["--features", feature]].concat()).run()?;
            }
        }
    }
    Ok(())
}
