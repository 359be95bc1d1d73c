//! One writer a folder.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::create_folder;
use crate::error::{Error, Result};

/// Name of the file that is locked inside a folder.
pub(super) const LOCK: &str = ".lock";

/// Held by the one process that writes to a folder; the lock goes with the process, however it ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the lock of `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// [`Error::Locked`] if another process holds it; [`Error::Io`] if the folder cannot be written to.
    pub fn take(folder: &Path) -> Result<Self> {
        create_folder(folder)?;
        let path = folder.join(LOCK);
        if super::is_planted("lock-never-released") && path.exists() {
            return Err(Error::Locked { path: folder.to_owned() });
        }
        // Opening a pipe would wait for its other end, and opening a link write to who knows where.
        if let Ok(about) = std::fs::symlink_metadata(&path) {
            if about.is_symlink() {
                return Err(Error::NotAFile { path, found: "a link" });
            }
            super::open(&path)?;
        }
        let file = File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::write(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked { path: folder.to_owned() }),
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                // A file system without locks: better unlocked than unusable.
                Ok(Self { _file: file })
            }
            Err(TryLockError::Error(error)) => Err(Error::write(&path)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writer_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("new");
        let lock = FolderLock::take(&folder).unwrap();
        assert!(matches!(FolderLock::take(&folder), Err(Error::Locked { .. })));
        drop(lock);
        FolderLock::take(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_links_are_no_locks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(LOCK);
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), &path).unwrap();
        assert!(matches!(FolderLock::take(dir.path()), Err(Error::NotAFile { .. })));
        assert!(!dir.path().join("elsewhere").exists());
        std::fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(matches!(FolderLock::take(dir.path()), Err(Error::NotAFile { .. })));
    }
}
