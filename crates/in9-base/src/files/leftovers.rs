//! What killed runs left behind.

use std::fs::{self, File};
use std::path::Path;

use super::{FolderLock, is_temporary};
use crate::error::{Error, Result};

/// Removes the temporary files and folders that killed runs left in `folder`. Those that a living process
/// still writes are locked by it and stay.
///
/// # Errors
/// If the folder cannot be listed or a leftover cannot be removed.
pub fn remove_leftovers(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::read(folder))? {
        let entry = entry.map_err(Error::read(folder))?;
        if !is_temporary(&entry.file_name()) {
            continue;
        }
        let path = entry.path();
        let kind = entry.file_type().map_err(Error::read(&path))?;
        let removed = if kind.is_dir() {
            match FolderLock::take(&path) {
                Err(Error::Locked { .. }) => continue,
                _ => fs::remove_dir_all(&path),
            }
        } else if kind.is_file() {
            match File::open(&path).map(|file| file.try_lock()) {
                Ok(Err(fs::TryLockError::WouldBlock)) => continue,
                _ => fs::remove_file(&path),
            }
        } else {
            continue;
        };
        match removed {
            // Another process clears up at the same time.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            other => other.map_err(Error::remove(&path))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{OutputFolder, Owner, write};

    #[test]
    fn leftovers_go_and_what_is_being_written_stays() {
        const OWNER: Owner = Owner { made_by: "test", names: &["a.csv"] };
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".in9-dead.partial"), "x").unwrap();
        fs::create_dir(dir.path().join(".in9-dead-folder.partial")).unwrap();
        fs::write(dir.path().join(".in9-dead-folder.partial/a.csv"), "x").unwrap();
        fs::write(dir.path().join("results.csv"), "x").unwrap();
        let living = OutputFolder::begin(&dir.path().join("out"), &OWNER, &[]).unwrap();
        write(&dir.path().join("file"), |file| {
            remove_leftovers(dir.path()).unwrap();
            file.write_all(b"whole")
        })
        .unwrap();
        assert_eq!(fs::read(dir.path().join("file")).unwrap(), b"whole");
        living.write("a.csv", "x").unwrap();
        living.finish().unwrap();
        let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["file", "out", "results.csv"]);
    }
}
