//! The unfinished file of a download, written by one process at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::fault::DownloadFault;
use super::{DownloadProgress, Failure, Patience};
use crate::error::Error;

/// Time between two looks at a lock.
const LOOK: Duration = Duration::from_millis(100);

/// The unfinished file at `path`, locked; `None` when another process finished it meanwhile.
///
/// A link or anything else that is no regular file is refused: what it leads to is not ours. While
/// another process holds the lock, this waits for as long as the file grows.
pub(super) fn open(
    path: &Path,
    patience: &Patience,
    progress: &mut dyn FnMut(DownloadProgress),
) -> Result<Option<File>, Failure> {
    refuse_others(path)?;
    let local = |e: io::Error| Failure::Local(Error::io(path)(e));
    let file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(local)?;
    let length = |file: &File| file.metadata().map(|m| m.len()).unwrap_or(0);
    let (mut seen, mut since, mut told) = (length(&file), Instant::now(), false);
    loop {
        match file.try_lock() {
            Ok(()) => break,
            // A file system without locks: better unlocked than unusable.
            Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => break,
            Err(TryLockError::Error(e)) => return Err(local(e)),
            Err(TryLockError::WouldBlock) => {}
        }
        if !told {
            progress(DownloadProgress::Waiting);
            told = true;
        }
        let now = length(&file);
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
        // The other process gives up at the same silence of its server; it is given time to say so.
        if since.elapsed() > 2 * patience.stall {
            let seconds = since.elapsed().as_secs();
            return Err(Failure::Remote(DownloadFault::Busy { path: path.to_owned(), seconds }));
        }
        thread::sleep(LOOK);
    }
    // Renamed or removed while we waited, or replaced by a link: then our file is not the one there.
    Ok(is_still(&file, path).map_err(local)?.then_some(file))
}

fn refuse_others(path: &Path) -> Result<(), Failure> {
    let found = match fs::symlink_metadata(path) {
        Err(_) => return Ok(()),
        Ok(metadata) if metadata.is_file() => return Ok(()),
        Ok(metadata) if metadata.is_symlink() => "a link",
        Ok(metadata) if metadata.is_dir() => "a folder",
        Ok(_) => "a pipe or device",
    };
    Err(Failure::Remote(DownloadFault::NotOurPart { path: path.to_owned(), found }))
}

/// Whether `file` is what stands at `path`.
fn is_still(file: &File, path: &Path) -> io::Result<bool> {
    let there = match fs::symlink_metadata(path) {
        Ok(there) => there,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(e),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let ours = file.metadata()?;
        Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino()))
    }
    #[cfg(not(unix))]
    Ok(there.is_file() && file.metadata()?.is_file())
}
