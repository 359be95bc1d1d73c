//! What killed runs left behind.

use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{FolderLock, PREFIX, SUFFIX, disk, is_temporary, remove_tree};
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
        let kind = match entry.file_type() {
            // Its maker was faster.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            kind => kind.map_err(Error::read(&path))?,
        };
        if kind.is_dir() {
            remove_dead_folder(&path)?;
        } else if kind.is_file() {
            remove_dead_file(&path)?;
        }
    }
    Ok(())
}

fn remove_dead_file(path: &Path) -> Result<()> {
    // Its lock is held until it is gone: whoever has just made it and not locked it yet sees that, and makes another.
    let held = File::open(path).map(|file| (file.try_lock(), file));
    match held {
        Ok((Err(fs::TryLockError::WouldBlock), _)) => Ok(()),
        _ => super::remove_file(path),
    }
}

fn remove_dead_folder(path: &Path) -> Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let lock = match FolderLock::of(path) {
        Err(Error::Locked { .. }) => return Ok(()),
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        lock => lock,
    };
    if cfg!(windows) {
        // No folder can be renamed there in which a file is open.
        drop(lock);
        return remove_tree(path);
    }
    // Under another name it is nobody's but this process's, even for whoever has just made it and not locked it yet.
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("{PREFIX}{}-{count}{SUFFIX}", std::process::id());
    let gone = path.with_file_name(name);
    match disk::rename(path, &gone) {
        // Another process clears up at the same time.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        renamed => renamed.map_err(Error::remove(path))?,
    }
    let removed = remove_tree(&gone);
    drop(lock);
    match removed {
        // Another process that clears up has come to it after its lock had gone, and finishes the work.
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::DirectoryNotEmpty => Ok(()),
        other => other,
    }
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

    /// Between the making of a temporary file or folder and its lock, another process may take it for a leftover. The
    /// writers then make another one; once, they failed.
    #[test]
    fn those_who_clear_up_disturb_no_writer() {
        const OWNER: Owner = Owner { made_by: "test", names: &["a.csv"] };
        /// Counts down even when its writer fails, so that the test ends.
        struct Ended<'c>(&'c AtomicU64);
        impl Drop for Ended<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let writing = AtomicU64::new(3);
        std::thread::scope(|scope| {
            for writer in 0..3 {
                let (dir, writing) = (dir.path(), &writing);
                scope.spawn(move || {
                    let _ended = Ended(writing);
                    for text in (0..150).map(|round| format!("{writer} {round}")) {
                        let file = dir.join(format!("file-{writer}"));
                        crate::files::write_bytes(&file, &text).unwrap();
                        let folder = dir.join(format!("folder-{writer}"));
                        let output = OutputFolder::begin(&folder, &OWNER, &[]).unwrap();
                        output.write("a.csv", &text).unwrap();
                        output.finish().unwrap();
                        assert_eq!(fs::read_to_string(&file).unwrap(), text);
                        assert_eq!(fs::read_to_string(folder.join("a.csv")).unwrap(), text);
                    }
                });
            }
            scope.spawn(|| {
                while writing.load(Ordering::Relaxed) > 0 {
                    remove_leftovers(dir.path()).unwrap();
                }
            });
        });
        remove_leftovers(dir.path()).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 6);
        assert!(!dir.path().join("folder-0/.lock").exists());
    }
}
