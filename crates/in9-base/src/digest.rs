//! BLAKE3 of files and folders.

use std::path::Path;

use crate::error::{Error, Result};
use crate::files;

/// BLAKE3 of a file's bytes.
///
/// # Errors
/// If the file cannot be read or is none.
pub fn file(path: &Path) -> Result<blake3::Hash> {
    let mut hash = blake3::Hasher::new();
    hash.update_reader(files::open(path)?).map_err(Error::read(path))?;
    Ok(hash.finalize())
}

/// BLAKE3 over the names and contents of the files below `folder` for which `counts` is true of their
/// path relative to `folder`, in the order of their names; empty folders do not count.
///
/// # Errors
/// If something below cannot be read.
pub fn folder(folder: &Path, counts: impl Fn(&Path) -> bool) -> Result<blake3::Hash> {
    let mut hash = blake3::Hasher::new();
    for path in files::below(folder)? {
        let name = path.strip_prefix(folder).unwrap_or(&path);
        if counts(name) {
            hash.update(name.as_os_str().as_encoded_bytes());
            hash.update(&[0]);
            hash.update(file(&path)?.as_bytes());
        }
    }
    Ok(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_digest_sees_names_and_bytes() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a/x"), "1").unwrap();
        let all = |path: &Path| folder(path, |name| name != Path::new("skipped")).unwrap();
        let before = all(dir.path());
        fs::write(dir.path().join("skipped"), "now").unwrap();
        assert_eq!(all(dir.path()), before);
        fs::write(dir.path().join("a/x"), "2").unwrap();
        assert_ne!(all(dir.path()), before);
        fs::write(dir.path().join("a/x"), "1").unwrap();
        assert_eq!(all(dir.path()), before);
        fs::rename(dir.path().join("a/x"), dir.path().join("a/y")).unwrap();
        assert_ne!(all(dir.path()), before);
    }
}
