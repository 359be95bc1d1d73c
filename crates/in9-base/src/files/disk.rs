//! The few operations by which files come and go. All of this crate's writers use them and no others, so
//! that the simulator of faults (feature `faults`) can stand between them and the disk.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

#[cfg(feature = "faults")]
use super::faults::{self, Operation};

#[cfg(not(feature = "faults"))]
macro_rules! step {
    ($operation:ident, $path:expr, $work:expr) => {{
        let _: &Path = $path;
        $work
    }};
}
#[cfg(feature = "faults")]
macro_rules! step {
    ($operation:ident, $path:expr, $work:expr) => {
        faults::around(Operation::$operation($path), || $work)
    };
}

pub(crate) fn open(path: &Path) -> io::Result<File> {
    step!(Open, path, File::open(path))
}

/// Makes a temporary file in `folder`, readable by everybody once it is in its place.
pub(super) fn create_temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(super::PREFIX).suffix(super::SUFFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    step!(Create, folder, builder.tempfile_in(folder))
}

/// Makes a temporary folder in `folder`.
pub(super) fn create_temporary_folder(folder: &Path) -> io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(super::PREFIX).suffix(super::SUFFIX);
    step!(Create, folder, builder.tempdir_in(folder))
}

/// Makes an empty file, or empties the one that is there.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    step!(Put, path, File::create(path))
}

pub(crate) fn sync(file: &File, path: &Path) -> io::Result<()> {
    step!(Sync, path, file.sync_all())
}

pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { step!(SyncFolder, folder, File::open(folder).and_then(|f| f.sync_all())) } else { Ok(()) }
}

/// Syncs a folder and all that is below it.
pub(crate) fn sync_tree(folder: &Path) -> io::Result<()> {
    step!(SyncTree, folder, sync_all_below(folder))
}

/// One call for the whole file system, which takes as long as what is not yet written needs. To sync a hundred
/// thousand small files one after the other takes many times as long.
#[cfg(target_os = "linux")]
fn sync_all_below(folder: &Path) -> io::Result<()> {
    let folder = File::open(folder)?;
    Ok(rustix::fs::syncfs(&folder)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_all_below(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_all_below(&entry.path())?;
        } else {
            File::options().write(true).open(entry.path())?.sync_all()?;
        }
    }
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(not(feature = "faults"))]
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}
#[cfg(feature = "faults")]
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    faults::around(Operation::Rename(from, to), || fs::rename(from, to))
}

pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    step!(CreateFolder, path, fs::create_dir_all(path))
}

pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    step!(Remove, path, fs::remove_file(path))
}

pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    step!(RemoveFolder, path, fs::remove_dir(path))
}

/// Writes some of `bytes` to `file`, which stands at `path`, and says how many.
pub(crate) fn write(file: &mut File, path: &Path, bytes: &[u8]) -> io::Result<usize> {
    #[cfg(feature = "faults")]
    return faults::write(file, path, bytes);
    #[cfg(not(feature = "faults"))]
    {
        let _: &Path = path;
        file.write(bytes)
    }
}

/// A file that stands at a path, and is written to.
#[derive(Debug)]
pub(crate) struct Writer<F> {
    pub(crate) file: F,
    pub(crate) path: std::path::PathBuf,
}

impl<F: AsMut<File>> Write for Writer<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write(self.file.as_mut(), &self.path, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A temporary file that goes with this value unless it is kept.
#[derive(Debug)]
pub(crate) struct Temporary(pub(crate) tempfile::NamedTempFile);

impl AsMut<File> for Temporary {
    fn as_mut(&mut self) -> &mut File {
        self.0.as_file_mut()
    }
}
