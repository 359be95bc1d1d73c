//! What an output consists of: every file with its size, its digest, and when and where it was written. A file may have
//! others beside it that belong to it and are named after it, such as the card of a prediction table.

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
    /// Files beside the output, by what their names have behind its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    beside: Vec<File>,
}

/// One file of an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct File {
    /// Relative to the output, with `/` between components; empty if the output is a file itself. Of a file beside it, what
    /// its name has behind the output's.
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
    /// Reads every byte of the file or folder `path`, and of those of the files beside it that are there, named after it with
    /// one of `endings` behind.
    ///
    /// # Errors
    /// If something in it cannot be read, or is neither a file nor a folder.
    pub fn of(path: &Path, endings: &[&str]) -> Result<Self> {
        let mut listing = Self::default();
        for (name, at) in everything(path)? {
            if fs::symlink_metadata(&at).map_err(Error::read(&at))?.is_dir() {
                listing.folders.extend(Some(name).filter(|name| !name.is_empty()));
            } else {
                listing.files.push(File::read(name, &at)?);
            }
        }
        for ending in endings {
            let at = files::sibling(path, ending);
            if fs::symlink_metadata(&at).is_ok() {
                listing.beside.push(File::read((*ending).to_owned(), &at)?);
            }
        }
        Ok(listing)
    }

    /// Digest of the names and bytes. Event files are left out (they hold the times at which they were
    /// written), and so are marks and locks, which say whose the folder is and not what it holds.
    pub fn digest(&self) -> String {
        let mut hash = blake3::Hasher::new();
        for file in self.files.iter().filter(|file| counts(&file.name)).chain(&self.beside) {
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
        let beside = now.beside.iter_mut().map(|file| (file.beside(path), file));
        for (at, file) in now.files.iter_mut().map(|file| (file.at(path), file)).chain(beside) {
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

    /// The first file beside `path`, named after it with one of `endings` behind, that is not listed.
    pub fn stranger_beside(&self, path: &Path, endings: &[&str]) -> Option<PathBuf> {
        let listed = |ending: &str| self.beside.iter().any(|file| file.name == ending);
        let mut places = endings.iter().map(|ending| (files::sibling(path, ending), listed(ending)));
        places
            .find(|(at, listed)| match fs::symlink_metadata(at) {
                Ok(about) => !(*listed && about.is_file()),
                Err(_) => false,
            })
            .map(|(at, _)| at)
    }

    /// Removes what is listed from `path`, and nothing else.
    ///
    /// # Errors
    /// If a file cannot be removed; a folder that holds something else stays, without an error.
    pub fn remove(&self, path: &Path) -> Result<()> {
        for file in &self.files {
            files::remove_file(&file.at(path))?;
        }
        for file in &self.beside {
            files::remove_file(&file.beside(path))?;
        }
        for folder in self.folders.iter().rev() {
            let _ = files::remove_folder(&path.join(folder));
        }
        let _ = files::remove_folder(path);
        Ok(())
    }

    /// Number of files, and of their bytes.
    pub fn size(&self) -> (usize, u64) {
        let all = self.files.iter().chain(&self.beside);
        (self.files.len() + self.beside.len(), all.map(|file| file.bytes).sum())
    }

    /// Whether every name stays below the output. A listing is read from a file, which anybody may have changed.
    pub(super) fn is_sound(&self) -> bool {
        let names = self.files.iter().map(|file| &file.name).chain(&self.folders);
        let below = |name: &String| {
            Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
                && !name.contains('\0')
        };
        let is_ending = |file: &File| file.name.starts_with('.') && !file.name.contains(['/', '\\', '\0']);
        names.into_iter().all(below) && self.beside.iter().all(is_ending)
    }
}

impl File {
    /// The file at `at`, every byte of which is read.
    fn read(name: String, at: &Path) -> Result<Self> {
        let about = fs::symlink_metadata(at).map_err(Error::read(at))?;
        let blake3 = digest::file(at)?.to_hex().to_string();
        Ok(Self { name, bytes: about.len(), blake3, changed: changed(&about), inode: inode(&about) })
    }

    /// Where it is, of a file beside the output.
    fn beside(&self, output: &Path) -> PathBuf {
        files::sibling(output, &self.name)
    }

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
        Listing::of(path, &[]).unwrap().digest()
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
        let listing = Listing::of(folder.path(), &[]).unwrap();
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
        let listing = Listing::of(folder.path(), &[]).unwrap();
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
        let listing = Listing::of(&out, &[]).unwrap();
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
        let listing = Listing::of(&path, &[]).unwrap();
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
    fn a_file_may_have_others_beside_it_that_come_and_go_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let (path, card) = (folder.path().join("p.csv"), folder.path().join("p.csv.card"));
        fs::write(&path, "1").unwrap();
        let alone = Listing::of(&path, &[".card"]).unwrap();
        fs::write(&card, "2").unwrap();
        assert_eq!(alone.stranger_beside(&path, &[".card"]), Some(card.clone()));
        let both = Listing::of(&path, &[".card"]).unwrap();
        assert!(both.digest() != alone.digest() && both.size() == (2, 2) && both.is_sound());
        assert_eq!((both.stranger_beside(&path, &[".card"]), both.stranger(&path).unwrap()), (None, None));
        fs::write(&card, "3").unwrap();
        assert!(matches!(both.compare(&path, true).unwrap(), Found::Changed(at) if at == card));
        fs::remove_file(&card).unwrap();
        assert!(matches!(both.compare(&path, false).unwrap(), Found::Gone));
        fs::write(&card, "2").unwrap();
        fs::write(folder.path().join("p.csv.notes"), "precious").unwrap();
        both.remove(&path).unwrap();
        assert!(!path.exists() && !card.exists() && folder.path().join("p.csv.notes").exists());
    }

    #[test]
    fn a_listing_never_leads_out_of_its_output() {
        for bad in ["../victim", "/etc/passwd", "a/../../x"] {
            let file = File { name: bad.to_owned(), bytes: 0, blake3: String::new(), changed: 0, inode: 0 };
            assert!(!Listing { beside: vec![file.clone()], ..Listing::default() }.is_sound());
            assert!(!Listing { files: vec![file], ..Listing::default() }.is_sound());
            assert!(!Listing { folders: vec![bad.to_owned()], ..Listing::default() }.is_sound());
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_nobodys_output() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x"), "1").unwrap();
        let listing = Listing::of(folder.path(), &[]).unwrap();
        std::os::unix::fs::symlink("/nowhere", folder.path().join("link")).unwrap();
        assert!(matches!(listing.compare(folder.path(), true).unwrap(), Found::Intact));
        assert_eq!(listing.stranger(folder.path()).unwrap(), Some(folder.path().join("link")));
    }
}
