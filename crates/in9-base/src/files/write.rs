//! Files that appear whole or not at all.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{disk, is_planted};
use crate::error::{Error, Result};

/// Writes a file by way of a temporary sibling: fill, sync, rename, sync the folder. A file that was there
/// stays valid for whoever has it open or mapped.
///
/// # Errors
/// If the file cannot be written; the temporary file is then removed.
pub fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    let folder = parent(path);
    let mut temporary = disk::create_temporary(folder).map_err(Error::write(path))?;
    // Held while the file is written, so that nobody takes it for one that a killed run left. Some file
    // systems have no locks; there, two runs in one folder are the caller's to avoid.
    let _ = temporary.as_file().try_lock();
    let name = temporary.path().to_owned();
    let file = disk::Writer { file: temporary.as_file_mut(), path: &name };
    let mut writer = BufWriter::with_capacity(1 << 20, file);
    fill(&mut writer).map_err(Error::write(path))?;
    let early = is_planted("rename-before-sync");
    if early {
        disk::rename(&name, path).map_err(Error::write(path))?;
    }
    writer.flush().map_err(Error::write(path))?;
    drop(writer);
    if !is_planted("missing-sync") {
        disk::sync(temporary.as_file(), &name).map_err(Error::write(path))?;
    }
    if !early {
        disk::rename(&name, path).map_err(Error::write(path))?;
    }
    let (file, gone) = temporary.into_parts();
    // The file is in its place; there is nothing left to remove.
    let _ = gone.keep();
    let _ = file.unlock();
    sync_folder(folder)
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
