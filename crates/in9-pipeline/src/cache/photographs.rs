//! The user's photographs: too many to be read each time.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::error::{Error, Result};

/// Digest of a folder's names, sizes and times of change, which stand for the photographs' contents. Links
/// are followed; one that leads nowhere or back counts with its name alone.
///
/// # Errors
/// If a folder cannot be listed.
pub fn digest_of_photographs(path: &Path) -> Result<String> {
    let mut lines = Vec::new();
    let (mut seen, mut open) = (HashSet::new(), vec![path.to_path_buf()]);
    while let Some(at) = open.pop() {
        let name = at.strip_prefix(path).unwrap_or(&at).as_os_str().as_encoded_bytes().to_vec();
        let (mut size, mut changed) = (0, 0);
        match fs::metadata(&at) {
            Ok(about) if about.is_dir() => {
                // A link to a folder above would lead round for ever.
                let real = at.canonicalize().map_err(Error::read(&at))?;
                if seen.insert(real) {
                    for entry in fs::read_dir(&at).map_err(Error::read(&at))? {
                        open.push(entry.map_err(Error::read(&at))?.path());
                    }
                    continue;
                }
            }
            Ok(about) => {
                let since = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                size = about.len();
                changed = since.unwrap_or_default().as_nanos();
            }
            Err(error) => {
                let is_link = fs::symlink_metadata(&at).is_ok_and(|about| about.is_symlink());
                if !is_link {
                    return Err(Error::read(&at)(error));
                }
            }
        }
        lines.push((name, size, changed));
    }
    lines.sort();
    let mut hash = blake3::Hasher::new();
    for (name, size, changed) in lines {
        hash.update(&name);
        hash.update(&[0]);
        hash.update(&size.to_le_bytes());
        hash.update(&changed.to_le_bytes());
    }
    Ok(hash.finalize().to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_sees_sizes() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x"), "1").unwrap();
        let before = digest_of_photographs(folder.path()).unwrap();
        assert_eq!(digest_of_photographs(folder.path()).unwrap(), before);
        fs::write(folder.path().join("x"), "12").unwrap();
        assert_ne!(digest_of_photographs(folder.path()).unwrap(), before);
    }

    #[cfg(unix)]
    #[test]
    fn links_to_nowhere_and_back_end_nothing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x"), "1").unwrap();
        std::os::unix::fs::symlink("gone", folder.path().join("dangling")).unwrap();
        std::os::unix::fs::symlink(".", folder.path().join("round")).unwrap();
        let before = digest_of_photographs(folder.path()).unwrap();
        assert_eq!(digest_of_photographs(folder.path()).unwrap(), before);
        fs::write(folder.path().join("gone"), "1").unwrap();
        assert_ne!(digest_of_photographs(folder.path()).unwrap(), before);
    }
}
