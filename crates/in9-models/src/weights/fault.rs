//! What is wrong with a file, before the path is known.

use std::path::Path;

use crate::error::Error;

/// One broken rule: what was looked at, what the rule asks, what was there.
#[derive(Debug)]
pub(crate) struct Fault {
    what: String,
    expected: String,
    found: String,
}

pub(crate) type Checked<T> = std::result::Result<T, Fault>;

/// A fault with its three parts.
pub(crate) fn fault(what: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Fault {
    Fault { what: what.into(), expected: expected.into(), found: found.into() }
}

impl Fault {
    /// The library's error for this fault in the file at `path`.
    pub(crate) fn at(self, path: &Path) -> Error {
        Error::File { path: path.to_path_buf(), what: self.what, expected: self.expected, found: self.found }
    }
}

#[cfg(test)]
impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (expected {}, found {})", self.what, self.expected, self.found)
    }
}
