//! Everything that a crate is built from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::lock::{self, Package};
use crate::manifest;
use crate::sources::Sources;

/// A crate, the path dependencies beside it, and the locked packages of all of them.
#[derive(Default)]
pub(crate) struct Closure {
    /// By the crate's name.
    crates: BTreeMap<String, Sources>,
    manifests: Vec<PathBuf>,
    /// Lines of name, version, source and checksum.
    locked: BTreeSet<String>,
}

impl Closure {
    /// What the crate in `folder` is built from, with the versions that the file `lock` names.
    pub(crate) fn of(folder: &Path, lock: Option<&Path>) -> Self {
        let text = lock.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        let packages = lock::packages(&text);
        let mut closure = Self::default();
        closure.add_crate(folder, &packages);
        closure
    }

    pub(crate) fn digest(&self, digest: &mut Digest) {
        for (name, sources) in &self.crates {
            digest.part(name.as_bytes());
            sources.digest(digest);
        }
        for line in &self.locked {
            digest.part(line.as_bytes());
        }
    }

    pub(crate) fn watched(&self) -> Vec<PathBuf> {
        self.crates.values().flat_map(Sources::watched).chain(self.manifests.iter().cloned()).collect()
    }

    fn add_crate(&mut self, folder: &Path, packages: &[Package]) {
        let manifest = folder.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap_or_default();
        let Some(name) = name(&text) else { return };
        if self.crates.contains_key(&name) {
            return;
        }
        self.crates.insert(name.clone(), Sources::of(folder));
        self.manifests.push(manifest);
        let own = packages.iter().find(|package| package.name == name && package.source.is_empty());
        for dependency in manifest::dependencies(&text) {
            // The lock names the version where there are several.
            let entries = own.map(|own| own.dependencies.as_slice()).unwrap_or_default();
            let entry = entries.iter().find(|entry| entry.split(' ').next() == Some(&dependency));
            let package = lock::find(packages, entry.map_or(dependency.as_str(), String::as_str));
            match package {
                Some(package) if !package.source.is_empty() => self.add_locked(package, packages),
                _ => self.add_crate(&folder.join("..").join(&dependency), packages),
            }
        }
    }

    fn add_locked(&mut self, package: &Package, packages: &[Package]) {
        let line = format!("{} {} {} {}", package.name, package.version, package.source, package.checksum);
        if !self.locked.insert(line) {
            return;
        }
        for entry in &package.dependencies {
            if let Some(next) = lock::find(packages, entry) {
                self.add_locked(next, packages);
            }
        }
    }
}

/// The name of a manifest's package.
fn name(manifest: &str) -> Option<String> {
    let line = manifest.lines().map(str::trim).find(|line| line.starts_with("name"))?;
    Some(line.split_once('=')?.1.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report that uses statistics and a library, beside a crate that it does not use.
    fn workspace(root: &Path) {
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for (name, dependencies) in
            [("stats", "csv.workspace = true"), ("report", "stats.workspace = true"), ("train", "")]
        {
            let manifest = format!("[package]\nname = \"{name}\"\n[dependencies]\n{dependencies}\n");
            write(&format!("crates/{name}/Cargo.toml"), &manifest);
            write(&format!("crates/{name}/src/lib.rs"), &format!("//! {name}"));
            write(&format!("crates/{name}/tests/all.rs"), "//! tests");
        }
        let package =
            |name: &str, more: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"1\"\n{more}\n");
        let lock = [
            package("stats", "dependencies = [\n \"csv\",\n \"proptest\",\n]"),
            package("report", "dependencies = [\n \"stats\",\n]"),
            package("train", ""),
            package("csv", "source = \"r\"\nchecksum = \"1\"\ndependencies = [\n \"memchr\",\n]"),
            package("memchr", "source = \"r\"\nchecksum = \"2\""),
            package("proptest", "source = \"r\"\nchecksum = \"3\""),
        ];
        write("Cargo.lock", &lock.concat());
    }

    fn identity(root: &Path, name: &str) -> String {
        crate::digest_of_sources(&root.join("crates").join(name), &root.join("Cargo.lock"))
    }

    /// What of (stats, report, train) changes with a change of the workspace.
    fn changes(change: impl Fn(&Path)) -> Vec<&'static str> {
        let root = std::env::temp_dir().join(format!("in9-identity-{:?}", std::thread::current().id()));
        let _ = fs::remove_dir_all(&root);
        workspace(&root);
        let names = ["stats", "report", "train"];
        let before = names.map(|name| identity(&root, name));
        change(&root);
        let after = names.map(|name| identity(&root, name));
        fs::remove_dir_all(&root).unwrap();
        (0..names.len()).filter(|at| before[*at] != after[*at]).map(|at| names[at]).collect()
    }

    fn replace(path: &Path, from: &str, to: &str) {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(from));
        fs::write(path, text.replace(from, to)).unwrap();
    }

    #[test]
    fn a_change_reaches_only_what_is_built_from_it() {
        let edit =
            |name: &'static str| changes(move |root| fs::write(root.join(name), "//! changed").unwrap());
        assert_eq!(edit("crates/report/src/lib.rs"), ["report"]);
        assert_eq!(edit("crates/report/src/new.rs"), ["report"]);
        assert_eq!(edit("crates/stats/src/lib.rs"), ["stats", "report"]);
        assert_eq!(edit("crates/train/src/lib.rs"), ["train"]);
        assert!(edit("crates/stats/tests/all.rs").is_empty());
        assert!(edit("crates/stats/README.md").is_empty());
    }

    #[test]
    fn locked_versions_count_for_whoever_uses_them() {
        let lock = |from: &'static str, to: &'static str| {
            changes(move |root| replace(&root.join("Cargo.lock"), from, to))
        };
        assert_eq!(lock("checksum = \"1\"", "checksum = \"9\""), ["stats", "report"]);
        assert_eq!(lock("checksum = \"2\"", "checksum = \"9\""), ["stats", "report"]);
        // A development dependency is in the lock, but in no result.
        assert!(lock("checksum = \"3\"", "checksum = \"9\"").is_empty());
    }

    #[test]
    fn files_that_are_included_count() {
        let changed = changes(|root| {
            fs::write(root.join("table.toml"), "a = 1").unwrap();
            fs::write(root.join("crates/train/src/lib.rs"), "include_str!(\"../../../table.toml\")").unwrap();
            let before = identity(root, "train");
            fs::write(root.join("table.toml"), "a = 2").unwrap();
            assert_ne!(before, identity(root, "train"));
        });
        assert_eq!(changed, ["train"]);
    }
}
