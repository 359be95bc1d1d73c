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

pub(crate) fn sync(file: &File, path: &Path) -> io::Result<()> {
    step!(Sync, path, file.sync_all())
}

pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { step!(SyncFolder, folder, File::open(folder).and_then(|f| f.sync_all())) } else { Ok(()) }
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

/// Passes writes to `file` on.
pub(crate) struct Writer<'f> {
    pub(crate) file: &'f mut File,
    #[cfg_attr(
        not(feature = "faults"),
        expect(dead_code, reason = "only the simulator asks which file it is")
    )]
    pub(crate) path: &'f Path,
}

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[cfg(feature = "faults")]
        return faults::write(self.file, self.path, bytes);
        #[cfg(not(feature = "faults"))]
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
