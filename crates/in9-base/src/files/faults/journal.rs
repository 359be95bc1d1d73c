//! What a power cut would undo: everything that was not synced.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::Operation;
use crate::files::parent;
use crate::rng;

/// An entry of a folder that was changed and not synced.
#[derive(Debug)]
enum Change {
    /// A file or folder came.
    Came(PathBuf),
    /// A file was renamed; with what stood in its place before.
    Moved(PathBuf, PathBuf, Option<Vec<u8>>),
    /// A file of these bytes went.
    Went(PathBuf, Vec<u8>),
    /// An empty folder went.
    FolderWent(PathBuf),
}

impl Change {
    /// Whether it is one of an entry for which `here` holds.
    fn is_of(&self, here: &dyn Fn(&Path) -> bool) -> bool {
        match self {
            Self::Came(path) | Self::Went(path, _) | Self::FolderWent(path) => here(path),
            Self::Moved(from, to, _) => here(from) || here(to),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Journal {
    /// Length up to which the contents of a changed file are on the disk.
    synced: BTreeMap<PathBuf, u64>,
    changes: Vec<Change>,
    /// What an operation that has begun would overwrite or remove.
    doomed: Option<Vec<u8>>,
    /// The entries of a folder before a temporary file is made in it.
    entries: Vec<PathBuf>,
}

impl Journal {
    pub(super) fn before(&mut self, operation: Operation<'_>) {
        self.doomed = match operation {
            Operation::Rename(_, path) | Operation::Remove(path) | Operation::Put(path) => {
                fs::read(path).ok()
            }
            _ => None,
        };
        if let Operation::Write(path) = operation
            && !self.synced.contains_key(path)
        {
            // What was there before is on the disk.
            self.synced.insert(path.to_owned(), fs::metadata(path).map_or(0, |about| about.len()));
        }
        self.entries = match operation {
            Operation::Create(folder) => entries(folder),
            Operation::CreateFolder(path) => {
                // Only the folders that were missing come.
                path.ancestors().filter(|folder| folder.exists()).map(Path::to_path_buf).collect()
            }
            _ => Vec::new(),
        };
    }

    pub(super) fn after(&mut self, operation: Operation<'_>) {
        match operation {
            Operation::Open(_) | Operation::Write(_) => {}
            Operation::Put(path) => {
                self.synced.insert(path.to_owned(), 0);
                self.changes.push(match self.doomed.take() {
                    // What is emptied may come back whole.
                    Some(bytes) => Change::Went(path.to_owned(), bytes),
                    None => Change::Came(path.to_owned()),
                });
            }
            Operation::Create(folder) => {
                for path in entries(folder) {
                    if !self.entries.contains(&path) {
                        self.synced.insert(path.clone(), 0);
                        self.changes.push(Change::Came(path));
                    }
                }
            }
            Operation::Sync(path) => {
                self.synced.remove(path);
            }
            Operation::SyncTree(folder) => {
                let here = |path: &Path| path.starts_with(folder) && path != folder;
                self.synced.retain(|path, _| !here(path));
                self.changes.retain(|change| !change.is_of(&here));
            }
            Operation::SyncFolder(folder) => {
                let here = |path: &Path| parent(path) == folder;
                self.changes.retain(|change| !change.is_of(&here));
            }
            Operation::Rename(from, to) => {
                // Files below a moved folder keep what was not synced of them.
                let moved: Vec<_> =
                    self.synced.keys().filter(|path| path.starts_with(from)).cloned().collect();
                for path in moved {
                    if let (Some(length), Ok(rest)) = (self.synced.remove(&path), path.strip_prefix(from)) {
                        let path = if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) };
                        self.synced.insert(path, length);
                    }
                }
                for change in &mut self.changes {
                    if let Change::Came(path) | Change::Went(path, _) | Change::FolderWent(path) = change
                        && path != from
                        && let Ok(rest) = path.strip_prefix(from)
                    {
                        *path = to.join(rest);
                    }
                }
                self.changes.push(Change::Moved(from.to_owned(), to.to_owned(), self.doomed.take()));
            }
            Operation::CreateFolder(path) => {
                let new = path.ancestors().take_while(|folder| !self.entries.iter().any(|e| e == folder));
                let new: Vec<_> = new.filter(|folder| !folder.as_os_str().is_empty()).collect();
                self.changes.extend(new.into_iter().rev().map(|folder| Change::Came(folder.to_owned())));
            }
            Operation::Remove(path) => {
                self.synced.remove(path);
                self.changes.push(Change::Went(path.to_owned(), self.doomed.take().unwrap_or_default()));
            }
            Operation::RemoveFolder(path) => self.changes.push(Change::FolderWent(path.to_owned())),
        }
    }

    /// Loses what was not synced. Changes to one folder may reach the disk in any order; here each is kept or
    /// undone by itself, from the last to the first, where that is still possible.
    pub(super) fn lose(&mut self, seed: u64) {
        let mut rng = rng::stream(seed, "faults: power", 0, 0);
        for (path, kept) in &self.synced {
            let Ok(about) = fs::metadata(path) else { continue };
            let more = u32::try_from(about.len().saturating_sub(*kept)).unwrap_or(u32::MAX - 1);
            let length = kept + u64::from(rng::below(&mut rng, more + 1));
            if let Ok(file) = fs::File::options().write(true).open(path) {
                let _ = file.set_len(length);
            }
        }
        for change in self.changes.drain(..).rev() {
            if rng::below(&mut rng, 2) == 0 {
                continue;
            }
            // What cannot be undone, because something else was built on it, has reached the disk.
            let _ = match change {
                Change::Came(path) if path.is_dir() => fs::remove_dir(path),
                Change::Came(path) => fs::remove_file(path),
                Change::Went(path, bytes) => fs::write(path, bytes),
                Change::FolderWent(path) => fs::create_dir(path),
                Change::Moved(from, to, before) => {
                    let back = if from.exists() { Ok(()) } else { fs::rename(&to, from) };
                    back.and_then(|()| before.map_or(Ok(()), |bytes| fs::write(to, bytes)))
                }
            };
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.filter_map(|entry| Some(folder.join(entry.ok()?.file_name()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that is renamed into place, with the steps of `synced` before it.
    fn replaced(dir: &Path, sync_file: bool, sync_folder: bool, seed: u64) -> Vec<u8> {
        let (temporary, path) = (dir.join("t"), dir.join("f"));
        fs::write(&path, "old").unwrap();
        let mut journal = Journal::default();
        let mut step = |operation: Operation<'_>, work: &dyn Fn()| {
            journal.before(operation);
            work();
            journal.after(operation);
        };
        step(Operation::Create(dir), &|| fs::write(&temporary, "").unwrap());
        step(Operation::Write(&temporary), &|| fs::write(&temporary, "new").unwrap());
        if sync_file {
            step(Operation::Sync(&temporary), &|| {});
        }
        step(Operation::Rename(&temporary, &path), &|| fs::rename(&temporary, &path).unwrap());
        if sync_folder {
            step(Operation::SyncFolder(dir), &|| {});
        }
        journal.lose(seed);
        fs::read(&path).unwrap()
    }

    #[test]
    fn what_was_synced_stays_and_what_was_not_may_go() {
        let mut seen = [false; 3];
        for seed in 0..50 {
            let dir = tempfile::tempdir().unwrap();
            assert_eq!(replaced(dir.path(), true, true, seed), b"new");
            let whole = replaced(dir.path(), true, false, seed);
            assert!(whole == b"new" || whole == b"old", "{whole:?}");
            match replaced(dir.path(), false, false, seed).as_slice() {
                b"old" => seen[0] = true,
                b"new" => seen[1] = true,
                _ => seen[2] = true,
            }
        }
        assert_eq!(seen, [true; 3], "old, new and torn contents must all occur");
    }

    /// What stood in an appended file before is on the disk; a folder that is synced with all that is in it is, too.
    #[test]
    fn what_was_there_before_and_synced_trees_stay() {
        let mut shorter = false;
        for seed in 0..20 {
            let dir = tempfile::tempdir().unwrap();
            let (log, tree) = (dir.path().join("log"), dir.path().join("tree"));
            fs::write(&log, "before").unwrap();
            fs::create_dir(&tree).unwrap();
            let (inside, place) = (tree.join("file"), dir.path().join("place"));
            let mut journal = Journal::default();
            let mut step = |operation: Operation<'_>, work: &dyn Fn()| {
                journal.before(operation);
                work();
                journal.after(operation);
            };
            step(Operation::Write(&log), &|| fs::write(&log, "before and after").unwrap());
            step(Operation::Put(&inside), &|| fs::write(&inside, "").unwrap());
            step(Operation::Write(&inside), &|| fs::write(&inside, "whole").unwrap());
            step(Operation::SyncTree(&tree), &|| {});
            step(Operation::Rename(&tree, &place), &|| fs::rename(&tree, &place).unwrap());
            step(Operation::SyncFolder(dir.path()), &|| {});
            journal.lose(seed);
            let left = fs::read_to_string(&log).unwrap();
            assert!(left.starts_with("before"), "{left}");
            shorter |= left.len() < "before and after".len();
            assert_eq!(fs::read_to_string(place.join("file")).unwrap(), "whole");
        }
        assert!(shorter, "what was appended is never lost");
    }
}
