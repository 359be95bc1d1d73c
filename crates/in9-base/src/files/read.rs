//! Reading regular files within limits.

use std::fs::{self, File, FileType};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::disk;
use crate::error::{Error, Result};

/// Opens a regular file, following links.
///
/// # Errors
/// [`Error::NotAFile`] for a pipe, socket, device or folder: reading one could wait or go on for ever.
/// [`Error::Io`] if the file cannot be opened.
pub fn open(path: &Path) -> Result<File> {
    // Opening a pipe would itself wait for a writer, so what is there is asked first.
    regular(path, fs::metadata(path).map_err(Error::read(path))?.file_type())?;
    let file = disk::open(path).map_err(Error::read(path))?;
    regular(path, file.metadata().map_err(Error::read(path))?.file_type())?;
    Ok(file)
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// As [`open`]; [`Error::TooLarge`] before anything is read if the file is larger.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let file = open(path)?;
    let size = file.metadata().map_err(Error::read(path))?.len();
    let too_large = |found| Error::TooLarge { path: path.to_owned(), limit, found };
    if size > limit {
        return Err(too_large(size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    // A file may grow while it is read.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(Error::read(path))?;
    if bytes.len() as u64 > limit {
        return Err(too_large(bytes.len() as u64));
    }
    Ok(bytes)
}

/// Reads a regular file of at most `limit` bytes of UTF-8.
///
/// # Errors
/// As [`read()`]; [`Error::Io`] of kind `InvalidData` if the bytes are not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> Result<String> {
    let invalid = |e: std::string::FromUtf8Error| {
        Error::read(path)(std::io::Error::new(std::io::ErrorKind::InvalidData, e.utf8_error()))
    };
    String::from_utf8(read(path, limit)?).map_err(invalid)
}

/// `path` itself if it is a file, else all files below it in the order of their paths. Links are listed as
/// what they are and not followed.
///
/// # Errors
/// If a folder cannot be listed.
pub fn below(path: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![path.to_path_buf()];
    while let Some(at) = open.pop() {
        if fs::symlink_metadata(&at).map_err(Error::read(&at))?.is_dir() {
            for entry in fs::read_dir(&at).map_err(Error::read(&at))? {
                open.push(entry.map_err(Error::read(&at))?.path());
            }
        } else {
            found.push(at);
        }
    }
    found.sort();
    Ok(found)
}

fn regular(path: &Path, kind: FileType) -> Result<()> {
    let found = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "a folder"
    } else {
        special(kind)
    };
    Err(Error::NotAFile { path: path.to_owned(), found })
}

#[cfg(unix)]
fn special(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn special(_: FileType) -> &'static str {
    "no regular file"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn pipes_devices_and_folders_are_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for (path, found) in
            [(pipe.as_path(), "a pipe"), (Path::new("/dev/zero"), "a device"), (dir.path(), "a folder")]
        {
            match read(path, 10) {
                Err(Error::NotAFile { found: seen, .. }) => assert_eq!(seen, found),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_sparse_file_is_refused_before_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sparse");
        File::create(&path).unwrap().set_len(7 << 30).unwrap();
        assert!(matches!(read(&path, 1 << 20), Err(Error::TooLarge { found, .. }) if found == 7 << 30));
        fs::write(&path, "four").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"four");
        assert!(matches!(read(&path, 3), Err(Error::TooLarge { .. })));
    }

    #[test]
    fn bytes_that_are_no_text_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bytes");
        fs::write(&path, [0xff]).unwrap();
        let error = read_text(&path, 10).unwrap_err().to_string();
        assert!(error.contains("bytes: cannot read"), "{error}");
    }
}
