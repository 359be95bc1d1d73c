//! What an output consists of: every file with its size, its digest, and when and where it was written.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use in9_base::{digest, files};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Every file and folder of an output.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The files, in the order of their names.
    files: Vec<File>,
    /// The folders below the output, in the order of their names.
    folders: Vec<String>,
}

/// One file of an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct File {
    /// Relative to the output, with `/` between components; empty if the output is a file itself.
    name: String,
    bytes: u64,
    blake3: String,
    /// Nanoseconds after 1970.
    changed: u64,
    inode: u64,
}

/// What stands where a listed output was.
#[derive(Debug)]
pub enum Found {
    /// Every file as it was written.
    Intact,
    /// The same bytes with other times or in another place of the disk, such as after copying.
    Moved(Listing),
    /// This file is not what was written.
    Changed(PathBuf),
    /// A file, or all of them, is not there.
    Gone,
}

impl Listing {
    /// Reads every byte of the file or folder `path`.
    ///
    /// # Errors
    /// If something in it cannot be read, or is neither a file nor a folder.
    pub fn of(path: &Path) -> Result<Self> {
        let mut listing = Self::default();
        for (name, at) in everything(path)? {
            let about = fs::symlink_metadata(&at).map_err(Error::read(&at))?;
            if about.is_dir() {
                listing.folders.extend(Some(name).filter(|name| !name.is_empty()));
            } else {
                let blake3 = digest::file(&at)?.to_hex().to_string();
                let (changed, inode) = (changed(&about), inode(&about));
                listing.files.push(File { name, bytes: about.len(), blake3, changed, inode });
            }
        }
        Ok(listing)
    }

    /// Digest of the names and bytes. Event files are left out (they hold the times at which they were
    /// written), and so are marks and locks, which say whose the folder is and not what it holds.
    pub fn digest(&self) -> String {
        let mut hash = blake3::Hasher::new();
        for file in self.files.iter().filter(|file| counts(&file.name)) {
            hash.update(file.name.as_bytes());
            hash.update(&[0]);
            hash.update(file.blake3.as_bytes());
        }
        hash.finalize().to_hex().to_string()
    }

    /// Compares with what stands at `path`. Files of the same size, time and inode are taken to be the same
    /// unless `thorough`; all others are read. Files that are not listed are not looked at.
    ///
    /// # Errors
    /// If a file is there and cannot be read.
    pub fn compare(&self, path: &Path, thorough: bool) -> Result<Found> {
        if self.files.is_empty() && !path.is_dir() {
            return Ok(Found::Gone);
        }
        let mut moved = false;
        let mut now = self.clone();
        for file in &mut now.files {
            let at = file.at(path);
            let Ok(about) = fs::symlink_metadata(&at) else { return Ok(Found::Gone) };
            if !about.is_file() || about.len() != file.bytes {
                return Ok(Found::Changed(at));
            }
            let same = file.changed == changed(&about) && file.inode == inode(&about);
            if same && !thorough {
                continue;
            }
            if digest::file(&at)?.to_hex().as_str() != file.blake3 {
                return Ok(Found::Changed(at));
            }
            moved |= !same;
            (file.changed, file.inode) = (changed(&about), inode(&about));
        }
        Ok(if moved { Found::Moved(now) } else { Found::Intact })
    }

    /// The first thing at `path` that is not listed.
    ///
    /// # Errors
    /// If a folder cannot be listed.
    pub fn stranger(&self, path: &Path) -> Result<Option<PathBuf>> {
        if fs::symlink_metadata(path).is_err() {
            return Ok(None);
        }
        let files: HashSet<&str> = self.files.iter().map(|file| file.name.as_str()).collect();
        let folders: HashSet<&str> = self.folders.iter().map(String::as_str).collect();
        for (name, at) in everything(path)? {
            let about = fs::symlink_metadata(&at).map_err(Error::read(&at))?;
            let known = if about.is_dir() {
                folders.contains(name.as_str()) || name.is_empty() && !files.contains("")
            } else {
                about.is_file() && files.contains(name.as_str())
            };
            if !known {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Removes what is listed from `path`, and nothing else.
    ///
    /// # Errors
    /// If a file cannot be removed; a folder that holds something else stays, without an error.
    pub fn remove(&self, path: &Path) -> Result<()> {
        for file in &self.files {
            files::remove_file(&file.at(path))?;
        }
        for folder in self.folders.iter().rev() {
            let _ = files::remove_folder(&path.join(folder));
        }
        let _ = files::remove_folder(path);
        Ok(())
    }

    /// Number of files, and of their bytes.
    pub fn size(&self) -> (usize, u64) {
        (self.files.len(), self.files.iter().map(|file| file.bytes).sum())
    }

    /// Whether every name stays below the output. A listing is read from a file, which anybody may have changed.
    pub(super) fn is_sound(&self) -> bool {
        let names = self.files.iter().map(|file| &file.name).chain(&self.folders);
        names.into_iter().all(|name| {
            Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
                && !name.contains('\0')
        })
    }
}

impl File {
    fn at(&self, output: &Path) -> PathBuf {
        // Joining an empty name would add a separator.
        if self.name.is_empty() { output.to_owned() } else { output.join(&self.name) }
    }
}

/// `path` and all that is below it, by relative name, folders before what they hold. Links are not followed.
fn everything(path: &Path) -> Result<Vec<(String, PathBuf)>> {
    let (mut found, mut open) = (Vec::new(), vec![path.to_path_buf()]);
    while let Some(at) = open.pop() {
        if fs::symlink_metadata(&at).map_err(Error::read(&at))?.is_dir() {
            for entry in fs::read_dir(&at).map_err(Error::read(&at))? {
                open.push(entry.map_err(Error::read(&at))?.path());
            }
        }
        let name = at.strip_prefix(path).unwrap_or(&at);
        let parts = name.components().map(|part| part.as_os_str().to_string_lossy());
        found.push((parts.collect::<Vec<_>>().join("/"), at));
    }
    found.sort();
    Ok(found)
}

fn counts(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    !last.starts_with("events.out.tfevents") && last != files::MARK && last != ".lock"
}

fn changed(about: &Metadata) -> u64 {
    let since = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(unix)]
fn inode(about: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(about)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(path: &Path) -> String {
        Listing::of(path).unwrap().digest()
    }

    #[test]
    fn a_digest_sees_names_and_bytes_but_not_event_files() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/x"), "1").unwrap();
        let before = digest(folder.path());
        for unseen in ["events.out.tfevents.1", ".lock", files::MARK] {
            fs::write(folder.path().join(unseen), "now").unwrap();
        }
        assert_eq!(digest(folder.path()), before);
        fs::write(folder.path().join("a/x"), "2").unwrap();
        assert_ne!(digest(folder.path()), before);
        fs::write(folder.path().join("a/x"), "1").unwrap();
        assert_eq!(digest(folder.path()), before);
        fs::rename(folder.path().join("a/x"), folder.path().join("a/y")).unwrap();
        assert_ne!(digest(folder.path()), before);
    }

    #[test]
    fn a_zeroed_file_of_the_same_size_is_a_changed_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shard");
        fs::write(&path, "pixels").unwrap();
        let listing = Listing::of(folder.path()).unwrap();
        assert!(matches!(listing.compare(folder.path(), true).unwrap(), Found::Intact));
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&path, [0; 6]).unwrap();
        assert!(matches!(listing.compare(folder.path(), false).unwrap(), Found::Changed(at) if at == path));
        // Not even its time tells: only reading does.
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        assert!(matches!(listing.compare(folder.path(), false).unwrap(), Found::Intact));
        assert!(matches!(listing.compare(folder.path(), true).unwrap(), Found::Changed(at) if at == path));
    }

    #[test]
    fn a_copy_of_the_same_bytes_is_as_good() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, "1").unwrap();
        let listing = Listing::of(folder.path()).unwrap();
        fs::rename(&path, folder.path().join("y")).unwrap();
        assert!(matches!(listing.compare(folder.path(), false).unwrap(), Found::Gone));
        fs::copy(folder.path().join("y"), &path).unwrap();
        let Found::Moved(now) = listing.compare(folder.path(), false).unwrap() else { panic!("moved") };
        assert!(matches!(now.compare(folder.path(), false).unwrap(), Found::Intact));
        assert_eq!(now.digest(), listing.digest());
    }

    #[test]
    fn only_what_is_listed_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        fs::create_dir_all(out.join("a/b")).unwrap();
        fs::write(out.join("a/b/x"), "1").unwrap();
        let listing = Listing::of(&out).unwrap();
        assert_eq!(listing.stranger(&out).unwrap(), None);
        fs::write(out.join("thesis.tex"), "precious").unwrap();
        assert_eq!(listing.stranger(&out).unwrap(), Some(out.join("thesis.tex")));
        listing.remove(&out).unwrap();
        assert!(!out.join("a").exists());
        assert_eq!(fs::read_to_string(out.join("thesis.tex")).unwrap(), "precious");
        fs::remove_file(out.join("thesis.tex")).unwrap();
        listing.remove(&out).unwrap();
        assert!(!out.exists());
    }

    #[test]
    fn an_output_may_be_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        fs::write(&path, "1").unwrap();
        let listing = Listing::of(&path).unwrap();
        assert!(matches!(listing.compare(&path, true).unwrap(), Found::Intact));
        assert_eq!(listing.stranger(&path).unwrap(), None);
        listing.remove(&path).unwrap();
        assert!(!path.exists());
        // A folder in the place of the file is a stranger's.
        fs::create_dir(&path).unwrap();
        assert!(listing.stranger(&path).unwrap().is_some());
        assert!(matches!(listing.compare(&path, false).unwrap(), Found::Changed(_)));
    }

    #[test]
    fn a_listing_never_leads_out_of_its_output() {
        for bad in ["../victim", "/etc/passwd", "a/../../x"] {
            let file = File { name: bad.to_owned(), bytes: 0, blake3: String::new(), changed: 0, inode: 0 };
            assert!(!Listing { files: vec![file], folders: Vec::new() }.is_sound());
            assert!(!Listing { files: Vec::new(), folders: vec![bad.to_owned()] }.is_sound());
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_nobodys_output() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x"), "1").unwrap();
        let listing = Listing::of(folder.path()).unwrap();
        std::os::unix::fs::symlink("/nowhere", folder.path().join("link")).unwrap();
        assert!(matches!(listing.compare(folder.path(), true).unwrap(), Found::Intact));
        assert_eq!(listing.stranger(folder.path()).unwrap(), Some(folder.path().join("link")));
    }
}
