//! A stage's log, which is also how one knows that no process of an earlier run still writes.

use std::fs::{self, File, TryLockError};
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use in9_base::files;

use crate::error::{Error, Result};

/// How long a process of an ended run may take to end too.
const PATIENCE: Duration = Duration::from_secs(20);

/// Opens an empty log. A program writes its standard output to it, and so holds its lock for as long as it
/// lives: when it can be locked here, no process of an earlier run is left that could write the same output.
pub(super) fn open(path: &Path) -> Result<File> {
    files::create_folder(files::parent(path))?;
    if let Ok(about) = fs::symlink_metadata(path) {
        // What a link leads to would be emptied.
        if about.is_symlink() {
            return Err(in9_base::Error::NotAFile { path: path.to_owned(), found: "a link" }.into());
        }
        // Refuses pipes and devices, at which opening would hang.
        files::open(path)?;
    }
    let file = File::options().append(true).create(true).open(path).map_err(Error::write(path))?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => return Err(Error::StillRunning { log: path.to_owned() }),
            // A file system without locks: better unlocked than unusable.
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => break,
            Err(TryLockError::Error(error)) => return Err(Error::write(path)(error)),
        }
    }
    file.set_len(0).map_err(Error::write(path))?;
    Ok(file)
}

/// Calls `line` with each line or carriage-returned bar that `reader` gives.
pub(super) fn follow(reader: impl Read, mut line: impl FnMut(&str)) {
    for bytes in BufReader::new(reader).split(b'\n').map_while(std::result::Result::ok) {
        let text = String::from_utf8_lossy(&bytes);
        if let Some(last) = text.split('\r').rev().map(str::trim_end).find(|part| !part.is_empty()) {
            line(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_lines_are_followed() {
        let mut seen = Vec::new();
        follow(&b"one\n10 %\r20 %\r\n\nlast"[..], |line| seen.push(line.to_owned()));
        assert_eq!(seen, ["one", "20 %", "last"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_place_of_a_log_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, victim) = (folder.path().join("log"), folder.path().join("victim"));
        fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        let error = open(&path).unwrap_err();
        assert!(matches!(error, Error::Files(in9_base::Error::NotAFile { found: "a link", .. })), "{error}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }

    #[test]
    fn a_log_waits_for_whoever_still_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let held = open(&path).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| open(&path).unwrap());
            std::thread::sleep(Duration::from_millis(60));
            assert!(!second.is_finished());
            drop(held);
            second.join().unwrap();
        });
    }
}
