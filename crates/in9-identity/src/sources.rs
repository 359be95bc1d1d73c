//! The files of a crate that its code is made of.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::digest::Digest;

/// Folders of a crate that its code is made of; tests, examples and benches change no result.
const FOLDERS: [&str; 3] = ["src", "templates", "kernels"];

/// The sources of the crate in `folder`.
pub(crate) struct Sources {
    folder: PathBuf,
    files: BTreeSet<PathBuf>,
}

impl Sources {
    pub(crate) fn of(folder: &Path) -> Self {
        let mut files = BTreeSet::new();
        for part in FOLDERS {
            collect(&folder.join(part), &mut files);
        }
        let included: Vec<PathBuf> = files.iter().flat_map(|path| included(path)).collect();
        files.extend(included);
        Self { folder: folder.to_owned(), files }
    }

    pub(crate) fn digest(&self, digest: &mut Digest) {
        for path in &self.files {
            // Of a file elsewhere, only its name: where a checkout lies must not count.
            let elsewhere = path.file_name().map_or(path.as_path(), Path::new);
            let name = path.strip_prefix(&self.folder).unwrap_or(elsewhere);
            // The same on systems with another separator.
            let name: Vec<_> = name.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            digest.part(name.join("/").as_bytes());
            digest.part(&fs::read(path).unwrap_or_default());
        }
    }

    /// What cargo has to watch: folders, so that new files are seen, and files outside of them.
    pub(crate) fn watched(&self) -> Vec<PathBuf> {
        let folders: Vec<PathBuf> =
            FOLDERS.iter().map(|part| self.folder.join(part)).filter(|path| path.is_dir()).collect();
        let outside = self.files.iter().filter(|path| !folders.iter().any(|folder| path.starts_with(folder)));
        folders.iter().chain(outside).cloned().collect()
    }
}

fn collect(path: &Path, files: &mut BTreeSet<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            collect(&entry.path(), files);
        }
    } else if path.is_file() {
        files.insert(path.to_owned());
    }
}

/// Files that a source includes by path, documentation left out.
fn included(path: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut found = Vec::new();
    for macro_name in ["include_str!(\"", "include_bytes!(\""] {
        for rest in text.split(macro_name).skip(1) {
            let name = rest.split('"').next().unwrap_or_default();
            let target = path.with_file_name(name);
            if target.is_file() && target.extension().is_none_or(|end| end != "md") {
                found.extend(target.canonicalize());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two checkouts of the same sources have the same digest, also of files that a link leads to.
    #[cfg(unix)]
    #[test]
    fn where_a_checkout_lies_does_not_count() {
        let digests: Vec<String> = ["one", "two"]
            .iter()
            .map(|name| {
                let root = std::env::temp_dir().join(format!("in9-identity-{}-{name}", std::process::id()));
                let source = root.join("crate/src");
                fs::create_dir_all(&source).unwrap();
                fs::create_dir_all(root.join("data")).unwrap();
                fs::write(root.join("data/paper.toml"), "x = 1").unwrap();
                std::os::unix::fs::symlink("../data/paper.toml", root.join("crate/paper.toml")).unwrap();
                fs::write(source.join("lib.rs"), "const P: &str = include_str!(\"../paper.toml\");").unwrap();
                let mut digest = Digest::default();
                let sources = Sources::of(&root.join("crate"));
                assert_eq!(sources.files.len(), 2);
                sources.digest(&mut digest);
                fs::remove_dir_all(&root).unwrap();
                digest.text()
            })
            .collect();
        assert_eq!(digests[0], digests[1]);
    }
}
