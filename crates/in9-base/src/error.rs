//! What can go wrong with files, names and tables, sorted by who is at fault.

use std::path::{Path, PathBuf};

use crate::name::BadName;
use crate::table::{Mistake, Unit};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of this crate. Each prints as one line that names the path, what was found and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // ---- the machine ----
    /// The operating system refused: missing file, no permission, full disk.
    #[error("{}: cannot {action}: {source}; {}", path.display(), advice(*action, source))]
    Io {
        /// File or folder concerned.
        path: PathBuf,
        /// What was being done.
        action: Action,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// Another process writes to the same folder.
    #[error("{}: another process is writing here; wait for it or choose another folder", path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },

    // ---- what the caller named ----
    /// A pipe, device or folder stands where a file is read.
    #[error("{}: is {found} (expected a regular file); copy its contents to a file", path.display())]
    NotAFile {
        /// The path that was to be read.
        path: PathBuf,
        /// What is there, such as "a pipe".
        found: &'static str,
    },
    /// A file is larger than anything that its reader would accept.
    #[error("{}: larger than its format allows (expected at most {limit} bytes, found {found})", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest size that is read, in bytes.
        limit: u64,
        /// Its size in bytes.
        found: u64,
    },
    /// Something that would be replaced or removed was not made by the program that asks for it.
    #[error(
        "{}: stands where {made_by} would write, and was not written by it; nothing was changed: move it away or choose another place for the output",
        path.display()
    )]
    NotOurs {
        /// The file or folder that is in the way.
        path: PathBuf,
        /// Who wanted to write there.
        made_by: String,
    },
    /// The journal of unfinished work belongs to other work, or is none.
    #[error(
        "{}: is no journal of this work: other settings, weights, normalisation, mapping, data or program; finish that work \
         as it was begun, choose another place for the output, or remove the file to begin anew",
        path.display()
    )]
    OtherWork {
        /// The file where the journal would be.
        path: PathBuf,
    },
    /// An input lies inside the folder that the output would replace.
    #[error(
        "{}: is an input and lies inside the output folder {}, which would be replaced; choose another place for the output",
        input.display(), output.display()
    )]
    InputInside {
        /// The input.
        input: PathBuf,
        /// The output folder.
        output: PathBuf,
    },
    /// A text that should become part of a path cannot.
    #[error(transparent)]
    Name(#[from] BadName),

    // ---- what a file says ----
    /// Lines of a table that cannot be used.
    #[error("{}: {} (of {rows} rows); mend these {}s", path.display(), listed(mistakes, *more), unit(mistakes))]
    Table {
        /// The table.
        path: PathBuf,
        /// The first mistakes, in the order of their lines.
        mistakes: Vec<Mistake>,
        /// How many more there are.
        more: u64,
        /// Rows that were read.
        rows: u64,
    },
    /// A table has more of something than its reader accepts.
    #[error("{}: more {what} than are read (expected at most {limit})", path.display())]
    TableLimit {
        /// The table.
        path: PathBuf,
        /// What there is too much of, such as "rows".
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A file is a table in no form that is read.
    #[error("{}: {what} (expected {expected}, found {found})", path.display())]
    TableForm {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What would be read.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The mark of an output folder cannot be read.
    #[error("{}: not the mark of an output folder ({what}); move the folder away", path.display())]
    Mark {
        /// The mark's path.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// What was being done when the operating system refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Opening, reading or listing.
    Read,
    /// Creating, writing, syncing or renaming.
    Write,
    /// Removing.
    Remove,
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Remove => "remove",
        })
    }
}

impl Error {
    /// The operating system refused to read `path`; shaped for `map_err`.
    pub fn read(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        Self::io(path, Action::Read)
    }

    /// The operating system refused to write `path`; shaped for `map_err`.
    pub fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        Self::io(path, Action::Write)
    }

    pub(crate) fn remove(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        Self::io(path, Action::Remove)
    }

    fn io(path: &Path, action: Action) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, action, source }
    }

    /// Whether the machine is at fault and not the file: no descriptors or memory left, a failing or
    /// full disk. What is true of the machine now must never be recorded as true of the data.
    pub fn is_of_machine(&self) -> bool {
        match self {
            Self::Io { source, .. } => is_of_machine(source),
            Self::Locked { .. } => true,
            _ => false,
        }
    }
}

/// Whether an operating-system error says something of the machine and not of the file that was asked for.
pub fn is_of_machine(error: &std::io::Error) -> bool {
    use std::io::ErrorKind as Kind;
    // Numbers of POSIX systems that the standard library has no stable names for.
    const EIO: i32 = 5;
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    matches!(
        error.kind(),
        Kind::OutOfMemory
            | Kind::StorageFull
            | Kind::QuotaExceeded
            | Kind::ReadOnlyFilesystem
            | Kind::StaleNetworkFileHandle
            | Kind::TimedOut
            | Kind::Interrupted
    ) || (cfg!(unix) && matches!(error.raw_os_error(), Some(EIO | ENFILE | EMFILE)))
}

fn advice(action: Action, source: &std::io::Error) -> &'static str {
    use std::io::ErrorKind as Kind;
    match (action, source.kind()) {
        (Action::Read, Kind::NotFound) => "check the path",
        (Action::Read, Kind::PermissionDenied) => "check the permissions",
        (Action::Read, _) => "check the file and its disk",
        (_, Kind::PermissionDenied | Kind::ReadOnlyFilesystem) => "choose a folder you may write to",
        (_, Kind::StorageFull | Kind::QuotaExceeded) => {
            "free some space and run the same command again: it continues where it stopped"
        }
        _ => "check the folder and its disk",
    }
}

fn unit(mistakes: &[Mistake]) -> Unit {
    mistakes.first().map_or(Unit::Line, |mistake| mistake.unit)
}

fn listed(mistakes: &[Mistake], more: u64) -> String {
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    let count = mistakes.len() as u64 + more;
    let word = if count == 1 { "mistake" } else { "mistakes" };
    let tail = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{count} {word}: {}{tail}", lines.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_the_machine_are_told_from_faults_of_the_file() {
        use std::io::Error as Io;
        for code in [5, 23, 24] {
            assert!(is_of_machine(&Io::from_raw_os_error(code)), "{code}");
        }
        assert!(is_of_machine(&std::io::ErrorKind::StorageFull.into()));
        assert!(!is_of_machine(&std::io::ErrorKind::NotFound.into()));
        assert!(!is_of_machine(&std::io::ErrorKind::InvalidData.into()));
    }

    #[test]
    fn a_full_disk_comes_with_advice() {
        let error = Error::write(Path::new("d/f"))(std::io::ErrorKind::StorageFull.into()).to_string();
        assert!(error.starts_with("d/f: cannot write: ") && error.contains("free some space"), "{error}");
    }
}
