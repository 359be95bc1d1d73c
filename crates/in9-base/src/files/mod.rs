//! Files and folders that appear whole or not at all, and belong to whoever made them.
//!
//! Three rules, in one place for all programs:
//!
//! - **Whole or not at all.** [`write()`] fills a temporary sibling, syncs it, renames it and syncs the
//!   folder. [`OutputFolder`] does the same for a folder. What takes long keeps a [`Journal`] beside its place, from which
//!   a run that was killed goes on.
//! - **Nothing of others is removed.** A folder of results holds a mark ([`Owner::claim`]) that names its
//!   maker and the files that it writes. What is not so marked, or not among those files, is never
//!   replaced or removed.
//! - **Only regular files are read.** [`open`] refuses pipes and devices, at which a reader would hang;
//!   [`read()`] refuses what is larger than its format allows, before it is read.

mod disk;
#[cfg(feature = "faults")]
mod faults;
mod journal;
mod leftovers;
mod lock;
mod output;
mod owner;
mod read;
mod remove;
mod write;

pub use journal::Journal;
pub use leftovers::remove_leftovers;
pub use lock::FolderLock;
pub use output::{OutputFolder, clear_finished};
pub use owner::{MARK, Mark, Owner, check_owned, mark_of, remove_owned};
pub use read::{below, open, read, read_text};
pub use remove::{remove_file, remove_folder, remove_tree};
pub use write::{
    NewFile, append, create_folder, move_to, parent, sibling, sync_folder, sync_tree, write, write_bytes,
    write_within,
};

#[cfg(feature = "faults")]
pub(crate) use faults::follow as power_follows;

/// How the names of temporary files and folders begin.
const PREFIX: &str = ".in9-";
/// How the names of temporary files and folders end.
const SUFFIX: &str = ".partial";

/// Whether a name is one of our temporary files' or folders'.
fn is_temporary(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Whether a bug is planted on purpose, to show that the simulator of faults finds it (feature `faults`). The names:
/// `missing-sync` and `rename-before-sync` in [`write()`], `lock-never-released` in [`FolderLock`],
/// `resumed-offset` and `stamp-before-output` in the crates that resume and stamp.
#[doc(hidden)]
#[inline]
pub fn is_planted(bug: &str) -> bool {
    #[cfg(feature = "faults")]
    return faults::is_planted(bug);
    #[cfg(not(feature = "faults"))]
    {
        let _ = bug;
        false
    }
}
