//! Files that appear whole or not at all.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// How the names of temporary files begin and end.
const PREFIX: &str = ".in9-";
const SUFFIX: &str = ".partial";

/// Writes a file through a temporary sibling: write, sync, rename, sync the folder. A file that
/// was there stays valid for whoever has it open or mapped.
///
/// # Errors
/// If the file cannot be written; the temporary file is removed.
pub(crate) fn write(path: &Path, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    let error = |e| Error::write(path, e);
    let folder = parent(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    // Readable by everybody, as any other program's file would be; tempfile's default is private.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut temporary = builder.tempfile_in(folder).map_err(error)?;
    let mut writer = BufWriter::with_capacity(1 << 20, temporary.as_file_mut());
    fill(&mut writer).and_then(|()| writer.flush()).map_err(error)?;
    drop(writer);
    temporary.as_file().sync_all().map_err(error)?;
    temporary.persist(path).map_err(|e| error(e.error))?;
    sync_folder(folder)
}

/// Syncs a folder, so that a rename inside it survives a power cut.
///
/// # Errors
/// If the folder cannot be opened or synced.
pub(crate) fn sync_folder(folder: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(folder).and_then(|f| f.sync_all()).map_err(|e| Error::write(folder, e))?;
    }
    Ok(())
}

/// Removes the temporary files that killed runs left in `folder`.
///
/// # Errors
/// If the folder cannot be read or a file cannot be removed.
pub(crate) fn remove_partial(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(|e| Error::read(folder, e))? {
        let path = entry.map_err(|e| Error::read(folder, e))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(PREFIX) && name.ends_with(SUFFIX) && path.is_file() {
            std::fs::remove_file(&path).map_err(|e| Error::write(&path, e))?;
        }
    }
    Ok(())
}

/// Creates a folder and its parents.
///
/// # Errors
/// If that is not possible.
pub(crate) fn create_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|e| Error::write(path, e))
}

/// The folder of a path; "." for a bare file name.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A sibling of `path` whose name has `suffix` added.
pub(crate) fn sibling(path: &Path, suffix: &str) -> PathBuf {
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
        write(&path, |f| f.write_all(b"old")).unwrap();
        let failed = write(&path, |f| {
            f.write_all(b"new")?;
            Err(std::io::ErrorKind::StorageFull.into())
        });
        assert!(failed.unwrap_err().to_string().contains("free some space"));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn errors_name_the_path() {
        let error = write(Path::new("/nonexistent/folder/file"), |_| Ok(())).unwrap_err().to_string();
        assert!(error.starts_with("/nonexistent/folder/file: cannot write"), "{error}");
    }
}
