//! A folder of results that appears whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use super::lock::{LOCK, TRIES};
use super::{FolderLock, Owner, create_folder, disk, parent, remove_owned, sync_folder};
use crate::error::{Error, Result};

/// A folder under construction beside its destination.
#[derive(Debug)]
pub struct OutputFolder<'o> {
    building: tempfile::TempDir,
    /// Held while the folder is built, so that nobody takes it for one that a killed run left.
    lock: FolderLock,
    destination: PathBuf,
    owner: &'o Owner,
}

impl<'o> OutputFolder<'o> {
    /// Begins a folder that will stand at `destination`, in the place of an earlier one of `owner`'s. What killed runs
    /// left beside it goes.
    ///
    /// # Errors
    /// [`Error::NotOurs`] if something else is there, [`Error::InputInside`] if one of `inputs` lies in what
    /// would be replaced: both before any work is done. [`Error::Io`] if nothing can be written there.
    pub fn begin(destination: &Path, owner: &'o Owner, inputs: &[&Path]) -> Result<Self> {
        if fs::symlink_metadata(destination).is_ok() {
            for input in inputs {
                if is_inside(input, destination) {
                    return Err(Error::InputInside {
                        input: input.to_path_buf(),
                        output: destination.to_owned(),
                    });
                }
            }
            owner.may_write(destination)?;
        }
        let parent = parent(destination);
        create_folder(parent)?;
        let (building, lock) = locked_folder(parent)?;
        // What killed runs left. In a folder that is not this user's alone, some of it may not be theirs to remove.
        let _ = super::remove_leftovers(parent);
        owner.claim(building.path())?;
        Ok(Self { building, lock, destination: destination.to_owned(), owner })
    }

    /// Where the folder is built; what is written here by other means than [`OutputFolder::write`] is the
    /// caller's to sync.
    pub fn path(&self) -> &Path {
        self.building.path()
    }

    /// Writes one file and forces it to disk; `name` may hold folders.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<()> {
        let path = self.building.path().join(name);
        debug_assert!(
            self.owner.names.is_empty() || self.covers(name),
            "{name} is none of the owner's names"
        );
        create_folder(super::parent(&path))?;
        super::write_bytes(&path, bytes)
    }

    /// Moves the folder to its destination; an earlier one of the same owner goes.
    ///
    /// # Errors
    /// [`Error::NotOurs`] if something else is there by now; [`Error::Io`] if it cannot be moved.
    pub fn finish(self) -> Result<()> {
        let destination = &self.destination;
        let parent = parent(destination);
        open_to_all(self.building.path())?;
        sync_folder(self.building.path())?;
        let earlier = fs::symlink_metadata(destination).is_ok();
        if earlier {
            self.owner.may_write(destination)?;
        }
        let (aside, _lock_aside) = locked_folder(parent)?;
        let old = aside.path().join("old");
        if earlier {
            disk::rename(destination, &old).map_err(Error::write(destination))?;
        }
        // No folder can be renamed on Windows in which a file is open.
        let _held = if cfg!(windows) { None } else { Some(self.lock) };
        let built = self.building.keep();
        disk::rename(&built, destination).map_err(Error::write(destination))?;
        // Not before: a folder of this name without a lock is one that a killed run left, and anybody may clear it.
        remove_lock(destination)?;
        sync_folder(parent)?;
        // An earlier output that is only an empty folder has no mark; it goes with the one that it is in.
        if earlier && old.join(super::MARK).exists() {
            remove_owned(&old)?;
        }
        Ok(())
    }

    fn covers(&self, name: &str) -> bool {
        let mark = super::Mark {
            made_by: String::new(),
            names: self.owner.names.iter().map(ToString::to_string).collect(),
        };
        mark.covers(Path::new(name))
    }
}

/// Removes the lock that a run which was killed at the very end left in its finished folder, unless a living process
/// holds it.
///
/// # Errors
/// If it is there and cannot be removed.
pub fn clear_finished(folder: &Path) -> Result<()> {
    if fs::symlink_metadata(folder.join(LOCK)).is_err() {
        return Ok(());
    }
    match FolderLock::of(folder) {
        Err(Error::Locked { .. }) => Ok(()),
        Err(error) => Err(error),
        Ok(_lock) => remove_lock(folder),
    }
}

fn remove_lock(folder: &Path) -> Result<()> {
    super::remove_file(&folder.join(LOCK))?;
    sync_folder(folder)
}

/// A temporary folder that nobody takes for one that a killed run left. Whoever clears up may come between its making
/// and its lock; then another one is made.
fn locked_folder(parent: &Path) -> Result<(tempfile::TempDir, FolderLock)> {
    let mut tries = 0;
    loop {
        let folder = disk::create_temporary_folder(parent).map_err(Error::write(parent))?;
        tries += 1;
        match FolderLock::take(folder.path()) {
            Err(Error::Locked { .. }) if tries < TRIES => {}
            Err(Error::Io { source, .. })
                if tries < TRIES
                    && matches!(
                        source.kind(),
                        std::io::ErrorKind::NotFound | std::io::ErrorKind::AlreadyExists
                    ) => {}
            lock => return Ok((folder, lock?)),
        }
    }
}

/// Whether `path` is `folder` or lies below it, links resolved.
fn is_inside(path: &Path, folder: &Path) -> bool {
    match (path.canonicalize(), folder.canonicalize()) {
        (Ok(path), Ok(folder)) => path.starts_with(folder),
        _ => false,
    }
}

/// Temporary folders are private; results are not.
#[cfg(unix)]
fn open_to_all(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(Error::write(path))
}

#[cfg(not(unix))]
fn open_to_all(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Owner = Owner { made_by: "test score", names: &["*.csv", "deep/*.csv"] };

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn appears_whole_and_replaces_only_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        for text in ["first", "second"] {
            let folder = OutputFolder::begin(&out, &OWNER, &[]).unwrap();
            folder.write("a.csv", text).unwrap();
            folder.write("deep/b.csv", text).unwrap();
            assert_ne!(fs::read_to_string(out.join("a.csv")).unwrap_or_default(), text);
            folder.finish().unwrap();
            assert_eq!(fs::read_to_string(out.join("a.csv")).unwrap(), text);
        }
        fs::write(out.join("thesis.tex"), "precious").unwrap();
        let error = OutputFolder::begin(&out, &OWNER, &[]).unwrap_err();
        assert!(error.to_string().contains("thesis.tex"));
        assert_eq!(fs::read_to_string(out.join("a.csv")).unwrap(), "second");
        // Nothing half-built is left behind.
        assert_eq!(names(dir.path()), ["out"]);
    }

    #[test]
    fn the_lock_of_a_finished_folder_goes_unless_somebody_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        clear_finished(dir.path()).unwrap();
        let held = FolderLock::take(dir.path()).unwrap();
        clear_finished(dir.path()).unwrap();
        assert_eq!(names(dir.path()), [LOCK]);
        drop(held);
        clear_finished(dir.path()).unwrap();
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn what_a_killed_run_left_beside_it_goes() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(".in9-dead.partial")).unwrap();
        fs::write(dir.path().join(".in9-dead.partial/a.csv"), "half").unwrap();
        let folder = OutputFolder::begin(&dir.path().join("out"), &OWNER, &[]).unwrap();
        folder.write("a.csv", "x").unwrap();
        folder.finish().unwrap();
        assert_eq!(names(dir.path()), ["out"]);
    }

    #[test]
    fn a_folder_of_csv_files_that_nobody_marked_stays() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("r");
        fs::create_dir(&out).unwrap();
        fs::write(out.join("pred.csv"), "precious").unwrap();
        assert!(matches!(OutputFolder::begin(&out, &OWNER, &[]), Err(Error::NotOurs { .. })));
        assert_eq!(fs::read_to_string(out.join("pred.csv")).unwrap(), "precious");
    }

    #[test]
    fn an_input_is_never_inside_what_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let folder = OutputFolder::begin(&out, &OWNER, &[]).unwrap();
        folder.write("a.csv", "x").unwrap();
        folder.finish().unwrap();
        let input = out.join("a.csv");
        assert!(matches!(OutputFolder::begin(&out, &OWNER, &[&input]), Err(Error::InputInside { .. })));
        assert!(input.exists());
    }

    #[test]
    fn an_empty_folder_is_as_good_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        fs::create_dir(&out).unwrap();
        let folder = OutputFolder::begin(&out, &OWNER, &[]).unwrap();
        folder.write("a.csv", "x").unwrap();
        folder.finish().unwrap();
        assert!(out.join("a.csv").exists());
        assert_eq!(names(dir.path()), ["out"]);
    }
}
