//! Whose a folder is: a mark inside it names its maker and the files that the maker writes.

use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lock::LOCK;
use super::{below, create_folder, disk, is_temporary, read_text, write_bytes};
use crate::error::{Error, Result};

/// Name of the mark inside a folder.
pub const MARK: &str = ".in9-output.json";

/// A mark longer than this is none.
const LONGEST_MARK: u64 = 1 << 20;

/// What a program writes into a folder of its own.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    /// The maker, such as `in9-models train`.
    pub made_by: &'static str,
    /// The files that it may write, as paths relative to the folder with `/` between components; `*` stands
    /// for any text within one component: `shards/*.in9`.
    pub names: &'static [&'static str],
}

/// The contents of a mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The maker.
    pub made_by: String,
    /// The files that it may write, as in [`Owner::names`].
    pub names: Vec<String>,
}

impl Owner {
    /// Makes `folder` this owner's: it is created if it is not there, and marked if it is empty or marked by
    /// the same maker already.
    ///
    /// # Errors
    /// [`Error::NotOurs`] if something else is there; nothing is changed then.
    pub fn claim(&self, folder: &Path) -> Result<()> {
        match fs::symlink_metadata(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => create_folder(folder)?,
            Err(error) => return Err(Error::read(folder)(error)),
            Ok(_) => self.may_write(folder)?,
        }
        let mark = self.mark();
        if mark_of(folder)?.as_ref() != Some(&mark) {
            let text = serde_json::to_string_pretty(&mark)
                .map_err(|e| Error::Mark { path: folder.join(MARK), what: e.to_string() })?;
            write_bytes(&folder.join(MARK), text + "\n")?;
        }
        Ok(())
    }

    /// Checks that `folder` may be written to and replaced by this owner: it is empty, or the owner's and
    /// nothing else is in it.
    ///
    /// # Errors
    /// [`Error::NotOurs`] with the first thing that is in the way.
    pub fn may_write(&self, folder: &Path) -> Result<()> {
        let not_ours = |path: PathBuf| Error::NotOurs { path, made_by: self.made_by.to_owned() };
        if !folder.is_dir() {
            return Err(not_ours(folder.to_owned()));
        }
        match mark_of(folder)? {
            Some(mark) if mark.made_by != self.made_by => Err(not_ours(folder.to_owned())),
            Some(mark) => stranger(folder, |name| mark.covers(name) || self.mark().covers(name))?
                .map_or(Ok(()), |path| Err(not_ours(path))),
            None => stranger(folder, is_of_any_owner)?.map_or(Ok(()), |path| Err(not_ours(path))),
        }
    }

    fn mark(&self) -> Mark {
        Mark { made_by: self.made_by.to_owned(), names: self.names.iter().map(ToString::to_string).collect() }
    }
}

impl Mark {
    /// Whether the maker writes a file of this name, relative to its folder.
    pub fn covers(&self, name: &Path) -> bool {
        is_of_any_owner(name) || self.names.iter().any(|pattern| matches(pattern, name))
    }
}

/// The mark of a folder, if it has one.
///
/// # Errors
/// [`Error::Mark`] if it cannot be understood.
pub fn mark_of(folder: &Path) -> Result<Option<Mark>> {
    let path = folder.join(MARK);
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::read(&path)(error)),
        Ok(_) => {}
    }
    let text = read_text(&path, LONGEST_MARK)?;
    serde_json::from_str(&text).map(Some).map_err(|e| Error::Mark { path, what: e.to_string() })
}

/// Checks that `folder` has a mark and holds nothing that its mark does not cover; returns the mark.
///
/// # Errors
/// [`Error::NotOurs`] with the first thing that is not covered, or with the folder if it has no mark.
pub fn check_owned(folder: &Path) -> Result<Mark> {
    let is_folder = fs::symlink_metadata(folder).map_err(Error::read(folder))?.is_dir();
    let not_ours = |path: PathBuf| Error::NotOurs { path, made_by: "this program".to_owned() };
    let mark = if is_folder { mark_of(folder)? } else { None };
    let Some(mark) = mark else { return Err(not_ours(folder.to_owned())) };
    match stranger(folder, |name| mark.covers(name))? {
        Some(path) => Err(Error::NotOurs { path, made_by: mark.made_by }),
        None => Ok(mark),
    }
}

/// Removes a folder that has a mark and holds nothing that its mark does not cover.
///
/// The mark goes last, so that a removal that was interrupted can be done again.
///
/// # Errors
/// As [`check_owned`], before anything is removed; [`Error::Io`] if something cannot be removed.
pub fn remove_owned(folder: &Path) -> Result<()> {
    check_owned(folder)?;
    let mark = folder.join(MARK);
    let (mut files, mut folders) = (below(folder)?, folders_below(folder)?);
    files.retain(|path| *path != mark);
    for path in files {
        disk::remove_file(&path).map_err(Error::remove(&path))?;
    }
    // Deepest first; a folder into which somebody has written meanwhile is not empty and stays.
    folders.sort_by_key(|path| std::cmp::Reverse(path.components().count()));
    for path in folders {
        disk::remove_folder(&path).map_err(Error::remove(&path))?;
    }
    disk::remove_file(&mark).map_err(Error::remove(&mark))?;
    disk::remove_folder(folder).map_err(Error::remove(folder))
}

/// What every owner may have in its folder: the mark, the lock, and temporary files.
fn is_of_any_owner(name: &Path) -> bool {
    let temporary = name.components().any(|part| is_temporary(part.as_os_str()));
    temporary || name == Path::new(MARK) || name == Path::new(LOCK)
}

/// The first file below `folder` whose relative name is not one of the owner's.
fn stranger(folder: &Path, owns: impl Fn(&Path) -> bool) -> Result<Option<PathBuf>> {
    let files = below(folder)?;
    Ok(files.into_iter().find(|path| !owns(path.strip_prefix(folder).unwrap_or(path))))
}

fn folders_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).map_err(Error::read(&at))? {
            let entry = entry.map_err(Error::read(&at))?;
            if entry.file_type().map_err(Error::read(&at))?.is_dir() {
                open.push(entry.path());
                found.push(entry.path());
            }
        }
    }
    Ok(found)
}

/// Whether a relative path is of the form `pattern`, component by component.
fn matches(pattern: &str, name: &Path) -> bool {
    let mut parts = name.components();
    let all = pattern.split('/').all(|form| match parts.next() {
        Some(Component::Normal(part)) => part.to_str().is_some_and(|part| part_matches(form, part)),
        _ => false,
    });
    all && parts.next().is_none()
}

fn part_matches(form: &str, part: &str) -> bool {
    let Some((first, rest)) = form.split_once('*') else { return form == part };
    let Some(mut part) = part.strip_prefix(first) else { return false };
    let mut middles: Vec<&str> = rest.split('*').collect();
    let last = middles.pop().unwrap_or("");
    for middle in middles {
        match part.find(middle) {
            Some(at) => part = &part[at + middle.len()..],
            None => return false,
        }
    }
    part.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Owner = Owner { made_by: "test make", names: &["run.toml", "shards/*.in9", "log-*-*.csv"] };

    fn owned(dir: &Path) -> PathBuf {
        let folder = dir.join("out");
        OWNER.claim(&folder).unwrap();
        fs::write(folder.join("run.toml"), "x").unwrap();
        fs::create_dir(folder.join("shards")).unwrap();
        fs::write(folder.join("shards/0.in9"), "x").unwrap();
        folder
    }

    #[test]
    fn names_match_component_by_component() {
        for (pattern, name, is) in [
            ("a.csv", "a.csv", true),
            ("a.csv", "b/a.csv", false),
            ("*.csv", "a.csv", true),
            ("*.csv", "b/a.csv", false),
            ("d/*.csv", "d/a.csv", true),
            ("d/*.csv", "d/e/a.csv", false),
            ("log-*-*.csv", "log-1-2.csv", true),
            ("log-*-*.csv", "log-1.csv", false),
            ("*", "anything", true),
        ] {
            assert_eq!(matches(pattern, Path::new(name)), is, "{pattern} {name}");
        }
    }

    #[test]
    fn what_an_owner_made_can_be_claimed_again_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = owned(dir.path());
        OWNER.claim(&folder).unwrap();
        remove_owned(&folder).unwrap();
        assert!(!folder.exists());
    }

    #[test]
    fn a_strangers_file_keeps_the_whole_folder() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["thesis.tex", "shards/deep/x.in9", "notes.csv", "report.html"] {
            let folder = owned(dir.path());
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "precious").unwrap();
            for result in [remove_owned(&folder), OWNER.claim(&folder)] {
                match result {
                    Err(Error::NotOurs { path: found, .. }) => assert_eq!(found, path),
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
            assert!(folder.join("run.toml").exists());
            fs::remove_dir_all(folder).unwrap();
        }
    }

    #[test]
    fn what_was_never_marked_is_nobodys_to_remove() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("data");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("run.toml"), "mine").unwrap();
        assert!(matches!(remove_owned(&folder), Err(Error::NotOurs { .. })));
        assert!(matches!(OWNER.claim(&folder), Err(Error::NotOurs { .. })));
        let other = Owner { made_by: "test other", names: OWNER.names };
        let theirs = dir.path().join("theirs");
        other.claim(&theirs).unwrap();
        assert!(matches!(OWNER.claim(&theirs), Err(Error::NotOurs { .. })));
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(OWNER.claim(&file), Err(Error::NotOurs { .. })));
        assert!(matches!(remove_owned(&file), Err(Error::NotOurs { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_neither_followed_nor_owned() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::create_dir(&victim).unwrap();
        fs::write(victim.join("run.toml"), "precious").unwrap();
        let folder = owned(dir.path());
        std::os::unix::fs::symlink(&victim, folder.join("link")).unwrap();
        assert!(matches!(remove_owned(&folder), Err(Error::NotOurs { .. })));
        let link = dir.path().join("way");
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        assert!(matches!(remove_owned(&link), Err(Error::NotOurs { .. })));
        assert!(victim.join("run.toml").exists());
    }
}
