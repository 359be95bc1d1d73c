//! Files that appear whole or not at all.

use std::fs::{File, TryLockError};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{disk, is_planted, lock};
use crate::error::{Error, Result};

/// A file that is being written. It appears at its place whole, by [`NewFile::place`], or not at all.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    writer: BufWriter<disk::Writer<disk::Temporary>>,
}

impl NewFile {
    /// Begins a temporary file beside `path`.
    ///
    /// # Errors
    /// If none can be made there.
    pub fn begin(path: &Path) -> Result<Self> {
        let mut tries = 0;
        let temporary = loop {
            let temporary = disk::create_temporary(parent(path)).map_err(Error::write(path))?;
            tries += 1;
            // Held while the file is written, so that nobody takes it for one that a killed run left. Somebody who
            // clears up may have come between its making and this lock; then it goes, and another one is made.
            match temporary.as_file().try_lock() {
                Err(TryLockError::WouldBlock) => {}
                Ok(()) if !lock::stands_at(temporary.as_file(), temporary.path()) => {}
                // Some file systems have no locks; there, two runs in one folder are the caller's to avoid.
                _ => break temporary,
            }
            if tries == lock::TRIES {
                break temporary;
            }
        };
        let name = temporary.path().to_owned();
        let file = disk::Writer { file: disk::Temporary(temporary), path: name };
        Ok(Self { path: path.to_owned(), writer: BufWriter::with_capacity(1 << 20, file) })
    }

    /// Syncs the file, moves it to its place and syncs the folder. A file that was there stays valid for whoever has
    /// it open or mapped.
    ///
    /// # Errors
    /// If that is not possible; the temporary file is then removed.
    pub fn place(self) -> Result<()> {
        let Self { path, writer } = self;
        let name = writer.get_ref().path.clone();
        let early = is_planted("rename-before-sync");
        if early {
            disk::rename(&name, &path).map_err(Error::write(&path))?;
        }
        let written = writer.into_inner().map_err(|error| Error::write(&path)(error.into_error()))?;
        let temporary = written.file.0;
        if !is_planted("missing-sync") {
            disk::sync(temporary.as_file(), &name).map_err(Error::write(&path))?;
        }
        if !early {
            disk::rename(&name, &path).map_err(Error::write(&path))?;
        }
        let (file, gone) = temporary.into_parts();
        // The file is in its place; there is nothing left to remove.
        let _ = gone.keep();
        let _ = file.unlock();
        sync_folder(parent(&path))
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.writer.flush()
    }
}

/// Writes a file by way of a temporary sibling, as [`NewFile`] does.
///
/// # Errors
/// If the file cannot be written; the temporary file is then removed.
pub fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    let mut file = NewFile::begin(path)?;
    fill(&mut file).map_err(Error::write(path))?;
    file.place()
}

/// Writes a file inside a folder that will be synced ([`sync_tree`]) and moved into its place as a whole.
///
/// # Errors
/// If the file cannot be written.
pub fn write_within(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    append(&mut disk::create(path).map_err(Error::write(path))?, path, bytes.as_ref())
}

/// Adds `bytes` to `file`, which stands at `path`. They are not synced.
///
/// # Errors
/// If they cannot be written, or in part only.
pub fn append(file: &mut File, path: &Path, bytes: &[u8]) -> Result<()> {
    let mut writer = disk::Writer { file: Lent(file), path: path.to_owned() };
    writer.write_all(bytes).map_err(Error::write(path))
}

struct Lent<'f>(&'f mut File);

impl AsMut<File> for Lent<'_> {
    fn as_mut(&mut self) -> &mut File {
        self.0
    }
}

/// Writes `bytes` as [`write()`] does.
///
/// # Errors
/// As [`write()`].
pub fn write_bytes(path: &Path, bytes: impl AsRef<[u8]>) -> Result<()> {
    write(path, |file| file.write_all(bytes.as_ref()))
}

/// Syncs a folder, so that a rename inside it survives a power cut.
///
/// # Errors
/// If the folder cannot be opened or synced.
pub fn sync_folder(folder: &Path) -> Result<()> {
    disk::sync_folder(folder).map_err(Error::write(folder))
}

/// Syncs a folder and everything below it.
///
/// # Errors
/// If that is not possible.
pub fn sync_tree(folder: &Path) -> Result<()> {
    disk::sync_tree(folder).map_err(Error::write(folder))
}

/// Moves a file or folder to where nothing stands, and syncs the folder that it comes to.
///
/// # Errors
/// If it cannot be moved, or the folder not be synced.
pub fn move_to(from: &Path, to: &Path) -> Result<()> {
    disk::rename(from, to).map_err(Error::write(to))?;
    sync_folder(parent(to))
}

/// Creates a folder and its parents, where they are not there.
///
/// # Errors
/// If that is not possible.
pub fn create_folder(path: &Path) -> Result<()> {
    disk::create_folder(path).map_err(Error::write(path))
}

/// The folder that a path lies in; "." for a bare name.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A sibling of `path` whose name has `suffix` added.
pub fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(suffix);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write_bytes(&path, "old").unwrap();
        let failed = write(&path, |f| {
            f.write_all(b"new")?;
            Err(std::io::ErrorKind::StorageFull.into())
        });
        assert!(failed.unwrap_err().to_string().contains("free some space"));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_can_be_read_by_everybody() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        write_bytes(&path, "x").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    }

    #[test]
    fn errors_name_the_path() {
        let error = write_bytes(Path::new("/nonexistent/folder/file"), "").unwrap_err().to_string();
        assert!(error.starts_with("/nonexistent/folder/file: cannot write"), "{error}");
    }
}
