//! What can be wrong with a weight file, before the path is known.

use std::io;
use std::path::Path;

use crate::error::Error;

/// One broken rule of a weight file.
///
/// Names that come from the file are shown with control characters escaped and cut after 80
/// characters, so that a message is one printable line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// The file ends before something that it announces.
    #[error("{what} is cut off (expected {needed} bytes, found {left})")]
    CutOff {
        /// What ends too early.
        what: String,
        /// Bytes that it needs.
        needed: u64,
        /// Bytes that are left.
        left: u64,
    },
    /// Something is larger than [`Limits`](super::Limits) allow.
    #[error("{what} (expected at most {most} {unit}, found {found})")]
    AboveLimit {
        /// What is too large.
        what: String,
        /// The limit.
        most: u64,
        /// What is counted: `bytes`, `tensors`.
        unit: &'static str,
        /// What the file asks for.
        found: u64,
    },
    /// A pickle names something that is neither a tensor nor a plain container.
    #[error(
        "the pickle wants to use `{name}` (expected tensors and plain containers, as nothing in a pickle is \
         ever executed, found another name at byte {at})"
    )]
    Forbidden {
        /// `module.name`.
        name: String,
        /// Position in the pickle.
        at: usize,
    },
    /// A name stands twice where each may stand once.
    #[error("{what}: duplicate name (expected each name once, found `{name}` twice)")]
    Duplicate {
        /// Where.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A checksum does not fit the bytes that it was made of.
    #[error("{what} is damaged (expected checksum {expected}, found {found}); take another copy of the file")]
    Damaged {
        /// The part of the file.
        what: String,
        /// The checksum in the file.
        expected: String,
        /// The checksum of what is there.
        found: String,
    },
    /// A tensor reaches beyond the storage that it looks into.
    #[error(
        "tensor `{tensor}` reaches outside its storage (expected at most {elements} elements, found shape \
         {shape:?}, stride {stride:?}, offset {offset})"
    )]
    OutsideStorage {
        /// The tensor's name.
        tensor: String,
        /// Elements of the storage.
        elements: usize,
        /// The tensor's sizes.
        shape: Vec<usize>,
        /// Elements between neighbours along each axis.
        stride: Vec<usize>,
        /// The tensor's first element.
        offset: usize,
    },
    /// A parameter has an element that is infinite or not a number.
    #[error("parameter `{name}` is not usable (expected finite numbers, found {value} at element {index})")]
    NotFinite {
        /// The parameter's name.
        name: String,
        /// The first such element, row-major.
        index: usize,
        /// Its value.
        value: f32,
    },
    /// The tensors are not those of the architecture.
    #[error(
        "the weights are not those of {arch}; nothing was loaded. {}; {}; {} (expected {expected} tensors, \
         found {found})",
        some("missing", .missing), some("of another shape", .reshaped), some("left over", .unused)
    )]
    OtherArchitecture {
        /// The architecture's name.
        arch: String,
        /// `name [shape]` of parameters that the file lacks.
        missing: Vec<String>,
        /// `name [shape] is [shape]` of parameters with another shape in the file.
        reshaped: Vec<String>,
        /// `name [shape]` of tensors that the architecture does not ask for.
        unused: Vec<String>,
        /// Parameters of the architecture.
        expected: usize,
        /// Tensors in the file.
        found: usize,
    },
    /// Any other rule of the format is broken.
    #[error("{what} (expected {expected}, found {found})")]
    Malformed {
        /// What was looked at.
        what: String,
        /// What the format asks for.
        expected: String,
        /// What is there.
        found: String,
    },
}

pub(crate) type Checked<T> = std::result::Result<T, Fault>;

/// A broken rule that has no variant of its own.
pub(crate) fn fault(what: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Fault {
    Fault::Malformed { what: what.into(), expected: expected.into(), found: found.into() }
}

impl Fault {
    /// The library's error for this fault in the file at `path`.
    pub(crate) fn at(self, path: &Path) -> Error {
        let path = path.to_path_buf();
        match self {
            Self::Read(source) => Error::Io { path, source },
            fault => Error::Weights { path, fault: Box::new(fault) },
        }
    }
}

/// A name out of a file as it may be printed: escaped, and at most 80 characters of it.
pub(crate) fn shown(name: &str) -> String {
    let start: String = name.chars().take(80).collect();
    let more = if start.len() < name.len() { "…" } else { "" };
    format!("{}{more}", start.escape_debug())
}

/// How many there are, and the first few.
fn some(kind: &str, names: &[String]) -> String {
    const SHOWN: usize = 8;
    if names.is_empty() {
        return format!("0 {kind}");
    }
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{} {kind}: {}{more}", names.len(), names[..names.len().min(SHOWN)].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_a_file_cannot_steer_a_terminal() {
        assert_eq!(shown("a\x1b[2Jb\n"), "a\\u{1b}[2Jb\\n");
        assert_eq!(shown(&"x".repeat(100)).chars().count(), 81);
        assert_eq!(shown("layer1.0.größe"), "layer1.0.größe");
    }
}
