//! Outputs that are made on a node's own disk and copied to the output folder when they are done.
//!
//! A shared file system is slow at what programs do while they work: small writes, syncs and locks. It sees one copy and
//! one rename. What a program that can go on has made when it is stopped is copied too, so that it goes on elsewhere.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use in9_base::files::{self, NewFile, OutputFolder, Owner};

use crate::error::{Error, Result};
use crate::graph::{Kind, Stage};

/// Whose a folder on scratch is while it stands.
const OWNER: Owner = Owner { made_by: "in9 pieces", names: &[] };

/// A folder on a node's own disk, which goes when this is dropped; what killed runs left there goes when the next begins.
pub(super) struct Scratch {
    folder: OutputFolder<'static>,
    /// Where the output belongs.
    output: PathBuf,
    name: PathBuf,
}

impl Scratch {
    /// A folder below `root` for the output of `stage` that belongs to `output`, with what an earlier run of it has left;
    /// `None` for a stage that writes to its place at once: what a training has reached must outlive its node.
    pub(super) fn begin(root: Option<&Path>, stage: &Stage, output: &Path) -> Result<Option<Self>> {
        let Some(root) = root.filter(|_| stage.kind != Kind::Train) else { return Ok(None) };
        let Some(name) = output.file_name().map(PathBuf::from) else { return Ok(None) };
        if !root.is_dir() {
            return Err(Error::NoScratch { folder: root.to_owned() });
        }
        let folder = OutputFolder::begin(&root.join("in9"), &OWNER, &[])?;
        let scratch = Self { folder, output: output.to_owned(), name };
        if let Some(kept) = stage.resumes_from() {
            let from = output.with_file_name(&kept);
            if from.exists() {
                copy(&from, &scratch.folder.path().join(&kept))?;
            }
        }
        Ok(Some(scratch))
    }

    /// Where the stage's program writes.
    pub(super) fn output(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    /// Copies the finished output to where it belongs.
    pub(super) fn deliver(self, stage: &Stage) -> Result<()> {
        let made = self.output();
        if fs::symlink_metadata(&made).is_err() {
            return Err(Error::NoOutput { path: made });
        }
        for ending in stage.beside() {
            let from = files::sibling(&made, ending);
            if fs::symlink_metadata(&from).is_ok() {
                replace(&from, &files::sibling(&self.output, ending))?;
            }
        }
        replace(&made, &self.output)
    }

    /// Copies what a program that can go on has made so far.
    pub(super) fn save(self, stage: &Stage) -> Result<()> {
        let Some(kept) = stage.resumes_from() else { return Ok(()) };
        let made = self.folder.path().join(&kept);
        if made.exists() { replace(&made, &self.output.with_file_name(&kept)) } else { Ok(()) }
    }
}

/// A folder's name with each `$NAME` replaced by what `environment` has of it.
///
/// # Errors
/// [`Error::NoVariable`] if it has nothing.
pub fn expanded(text: &str, environment: &dyn Fn(&str) -> Option<std::ffi::OsString>) -> Result<PathBuf> {
    let mut parts = text.split('$');
    let mut path = std::ffi::OsString::from(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        let value = environment(name).filter(|value| !value.is_empty());
        path.push(value.ok_or_else(|| Error::NoVariable { name: name.to_owned(), text: text.to_owned() })?);
        path.push(rest);
    }
    Ok(path.into())
}

/// Puts a copy of `from` in the place of `to`: beside it first, so that half a copy never stands there.
fn replace(from: &Path, to: &Path) -> Result<()> {
    let beside = files::sibling(to, ".copy");
    remove(&beside)?;
    copy(from, &beside)?;
    remove(to)?;
    Ok(files::move_to(&beside, to)?)
}

fn remove(path: &Path) -> Result<()> {
    match path.is_dir() {
        true => files::remove_tree(path)?,
        false => files::remove_file(path)?,
    }
    Ok(())
}

/// Copies a file, or a folder with all that is in it but locks.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        let mut read = files::open(from)?;
        let mut written = NewFile::begin(to)?;
        io::copy(&mut read, &mut written).map_err(Error::write(to))?;
        return Ok(written.place()?);
    }
    files::create_folder(to)?;
    for entry in fs::read_dir(from).map_err(Error::read(from))? {
        let name = entry.map_err(Error::read(from))?.file_name();
        if name != OsStr::new(".lock") {
            copy(&from.join(&name), &to.join(&name))?;
        }
    }
    Ok(files::sync_folder(to)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_node_are_read() {
        let environment = |name: &str| match name {
            "TMPDIR" => Some("/local/job_7".into()),
            "EMPTY" => Some("".into()),
            _ => None,
        };
        let of = |text| expanded(text, &environment);
        assert_eq!(of("$TMPDIR").unwrap(), Path::new("/local/job_7"));
        assert_eq!(of("/scratch$TMPDIR/x").unwrap(), Path::new("/scratch/local/job_7/x"));
        assert_eq!(of("/scratch").unwrap(), Path::new("/scratch"));
        for missing in ["$SCRATCH/x", "$EMPTY", "/a/$"] {
            assert!(matches!(of(missing), Err(Error::NoVariable { .. })), "{missing}");
        }
    }

    #[test]
    fn half_a_copy_never_stands_in_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("from/deep")).unwrap();
        fs::write(at("from/deep/file"), "new").unwrap();
        fs::write(at("from/.lock"), "").unwrap();
        for name in ["to", "to.copy"] {
            fs::create_dir(at(name)).unwrap();
            fs::write(at(name).join("old"), "old").unwrap();
        }
        replace(&at("from"), &at("to")).unwrap();
        assert_eq!(fs::read(at("to/deep/file")).unwrap(), b"new");
        assert!(!at("to/old").exists() && !at("to/.lock").exists() && !at("to.copy").exists());
    }
}
