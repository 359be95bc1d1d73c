//! The output folder of a run: marked as this program's, and written by one run at a time.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use in9_base::files::{self, FolderLock, Owner};

use crate::error::Result;

/// How long a run that was killed may take to be gone: a process that it was just starting still holds what it
/// held.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whose an output folder is. The stages' outputs below it have marks or stamps of their own.
const OWNER: Owner = Owner { made_by: "in9 reproduce", names: &[] };

/// Held while a run writes to its output folder.
#[derive(Debug)]
pub struct OutputPlace {
    _lock: FolderLock,
}

impl OutputPlace {
    /// Takes the folder `out`, which is made if it is not there.
    ///
    /// # Errors
    /// [`in9_base::Error::NotOurs`] if it holds anything and no run has made it, [`in9_base::Error::Locked`]
    /// if another run writes there, [`in9_base::Error::Io`] if it cannot be written to.
    pub fn take(out: &Path) -> Result<Self> {
        let ours = fs::symlink_metadata(out).is_ok()
            && out.is_dir()
            && files::mark_of(out)?.is_some_and(|mark| mark.made_by == OWNER.made_by);
        if !ours {
            OWNER.claim(out)?;
        }
        let started = Instant::now();
        let lock = loop {
            match FolderLock::take(out) {
                Err(in9_base::Error::Locked { .. }) if started.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                taken => break taken?,
            }
        };
        files::remove_leftovers(out)?;
        let stamps = out.join(".stages");
        if stamps.is_dir() {
            files::remove_leftovers(&stamps)?;
        }
        Ok(Self { _lock: lock })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("recipe.toml"), "precious").unwrap();
        let error = OutputPlace::take(folder.path()).unwrap_err();
        assert!(matches!(error, Error::Files(in9_base::Error::NotOurs { .. })), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn one_run_at_a_time_and_again_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let held = OutputPlace::take(&out).unwrap();
        let error = OutputPlace::take(&out).unwrap_err();
        assert!(matches!(error, Error::Files(in9_base::Error::Locked { .. })), "{error}");
        drop(held);
        fs::write(out.join("notes.txt"), "mine").unwrap();
        OutputPlace::take(&out).unwrap();
    }
}
