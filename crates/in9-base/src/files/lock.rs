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

/// How often a lock is asked for again that somebody removed while it was being taken.
pub(super) const TRIES: u32 = 100;

impl FolderLock {
    /// Takes the lock of `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// [`Error::Locked`] if another process holds it; [`Error::NotAFile`] if a link or a pipe stands in its place;
    /// [`Error::Io`] if the folder cannot be written to.
    pub fn take(folder: &Path) -> Result<Self> {
        create_folder(folder)?;
        Self::of(folder)
    }

    /// Takes the lock of a folder that is there.
    pub(super) fn of(folder: &Path) -> Result<Self> {
        let path = folder.join(LOCK);
        let locked = || Error::Locked { path: folder.to_owned() };
        if super::is_planted("lock-never-released") && path.exists() {
            return Err(locked());
        }
        for _ in 0..TRIES {
            // Opening a pipe would wait for its other end, and opening a link write to who knows where.
            if let Ok(about) = std::fs::symlink_metadata(&path) {
                if about.is_symlink() {
                    return Err(Error::NotAFile { path, found: "a link" });
                }
                match super::open(&path) {
                    Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                        continue;
                    }
                    other => other?,
                };
            }
            let file = File::options()
                .create(true)
                .write(true)
                .truncate(false)
                .open(&path)
                .map_err(Error::write(&path))?;
            match file.try_lock() {
                // Whoever had it before may have removed it meanwhile: a lock on nothing keeps nobody away.
                Ok(()) if !stands_at(&file, &path) => {}
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) => return Err(locked()),
                Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                    // A file system without locks: better unlocked than unusable.
                    return Ok(Self { _file: file });
                }
                Err(TryLockError::Error(error)) => return Err(Error::write(&path)(error)),
            }
        }
        Err(locked())
    }
}

/// Whether `path` still leads to the open `file`, itself and not by a link.
#[cfg(unix)]
pub(super) fn stands_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
pub(super) fn stands_at(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn one_writer_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("new");
        let lock = FolderLock::take(&folder).unwrap();
        assert!(matches!(FolderLock::take(&folder), Err(Error::Locked { .. })));
        drop(lock);
        FolderLock::take(&folder).unwrap();
    }

    /// Each of the threads finds the lock of the one before removed under its hands, and none takes one that is gone.
    #[test]
    fn a_lock_that_was_removed_keeps_nobody_away() {
        let dir = tempfile::tempdir().unwrap();
        let inside = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut held = 0;
                    while held < 200 {
                        let Ok(lock) = FolderLock::take(dir.path()) else { continue };
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        std::fs::remove_file(dir.path().join(LOCK)).unwrap();
                        held += 1;
                        drop(lock);
                    }
                });
            }
        });
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
