//! What can go wrong, sorted by who is at fault.

use std::path::{Path, PathBuf};

use in9_base::Piece;

use crate::view::View;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of this crate. Each prints as one line that names the file, what was expected, what was
/// found, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // ---- the machine, and whose files they are ----
    /// A file or folder cannot be read or written, is larger than its limit, or is not ours to replace.
    #[error(transparent)]
    Files(#[from] in9_base::Error),
    /// The system refused the memory that one photograph takes.
    #[error(
        "{photograph}: the system refused {needed} bytes of memory for it; use fewer threads, or more memory, and run the same command again"
    )]
    Memory {
        /// The photograph.
        photograph: String,
        /// Bytes that decoding and preparing it take.
        needed: u64,
    },
    /// A photograph was asked for by an id that the split does not have.
    #[error("split {split} has no photograph {id}; samples.csv lists those there are")]
    UnknownId {
        /// The split.
        split: String,
        /// The id.
        id: String,
    },
    /// The system refused another thread.
    #[error("cannot start a thread ({source}); use fewer threads")]
    Thread {
        /// The operating system's error.
        source: std::io::Error,
    },

    // ---- what a file says ----
    /// A file is not of the format that is read here.
    #[error("{}: not {format} (expected {expected}, found {found}); {advice}", path.display())]
    NotOfFormat {
        /// File concerned.
        path: PathBuf,
        /// The format, with its article: `a shard`.
        format: &'static str,
        /// How a file of the format begins, or what is in it.
        expected: String,
        /// What is there.
        found: String,
        /// What the user can do about it.
        advice: &'static str,
    },
    /// A file is of another version of its format.
    #[error("{}: {format} of another version (expected {expected}, found {found}); build the dataset again", path.display())]
    OtherVersion {
        /// File concerned.
        path: PathBuf,
        /// The format: `shard`.
        format: &'static str,
        /// The version that is read.
        expected: u32,
        /// The version of the file.
        found: u32,
    },
    /// A file is not the one that was written.
    #[error("{}: {damage} (expected {expected}, found {found}); copy or build it again", path.display())]
    Damaged {
        /// File concerned.
        path: PathBuf,
        /// Which part of it, or in what it differs.
        damage: Damage,
        /// The checksum or length that it should have.
        expected: String,
        /// The one that it has.
        found: String,
    },
    /// A file of another dataset, or of other settings, stands where one of this dataset should be.
    #[error("{}: {difference} (expected {expected}, found {found}); do not mix datasets; build it again", path.display())]
    OtherDataset {
        /// File concerned.
        path: PathBuf,
        /// In what it differs.
        difference: &'static str,
        /// What the dataset's manifest says.
        expected: String,
        /// What the file says.
        found: String,
    },
    /// Pieces that do not make up one build.
    #[error("{}: {difference} (expected {expected}, found {found}); merge all pieces of one build, each once", path.display())]
    OtherPiece {
        /// What says which piece it is.
        path: PathBuf,
        /// In what it differs from the others.
        difference: &'static str,
        /// What the first piece says.
        expected: String,
        /// What this one says.
        found: String,
    },
    /// The metadata do not say which group a photograph is of.
    #[error("{}: photograph {photograph} has no group (expected one row of this name, found {found}); add it", path.display())]
    NoGroup {
        /// The metadata.
        path: PathBuf,
        /// The photograph's id.
        photograph: String,
        /// How many rows could be meant, in words.
        found: &'static str,
    },
    /// The metadata give photographs of two classes the same class.
    #[error(
        "{}: class {word:?} of photograph {photograph} is not that of the predictions or the dataset (expected {expected} as for others, found \
         {found}); is it another dataset's?",
        path.display()
    )]
    GroupClass {
        /// The metadata.
        path: PathBuf,
        /// The photograph.
        photograph: String,
        /// Its class in the metadata's words.
        word: Box<str>,
        /// The class that the same word stands for elsewhere.
        expected: Box<str>,
        /// The photograph's class in the prediction table or the dataset.
        found: Box<str>,
    },
    /// Groups were to be told by backgrounds, and a picture has none of another photograph.
    #[error(
        "photograph {photograph} has no background of another photograph that could tell its group (expected a mixed view); name \
         metadata with groups"
    )]
    NoBackground {
        /// The photograph's id.
        photograph: String,
    },
    /// A place where photographs are looked for holds none.
    #[error("{}: no photograph found (expected {expected}, found none); check the folder, the kind of source and the taxonomy", path.display())]
    NoPhotographs {
        /// The folder.
        path: PathBuf,
        /// What was looked for.
        expected: String,
    },
    /// A file does not hold what its format promises in some other way.
    #[error("{}: {what} (expected {expected}, found {found}); {advice}", path.display())]
    Malformed {
        /// File concerned.
        path: PathBuf,
        /// What is wrong, in a few words.
        what: String,
        /// What the format asks for.
        expected: String,
        /// What is there.
        found: String,
        /// What the user can do about it.
        advice: String,
    },
    /// A stored layer of a sample is not what its checksum was taken of.
    #[error("{}: {layer} of sample {index} ({id}) damaged (expected CRC-32 {expected:08x}, found {found:08x}); copy or build the shard again", path.display())]
    DamagedLayer {
        /// The shard.
        path: PathBuf,
        /// Number of the sample in the shard.
        index: usize,
        /// Id of the sample.
        id: String,
        /// `photo`, `tiled` or `mask`.
        layer: &'static str,
        /// The checksum that is stored.
        expected: u32,
        /// The checksum of the bytes.
        found: u32,
    },
    /// A manifest is not the one that was written: its seal does not fit its bytes.
    #[error("{}: the manifest was changed after it was written (expected the seal {expected}, found {found}); copy or build the dataset again", path.display())]
    Seal {
        /// The manifest.
        path: PathBuf,
        /// BLAKE3 (hex) of its bytes.
        expected: String,
        /// The seal in it.
        found: String,
    },
    /// A file asks for more than the limits allow.
    #[error("{}: {what} beyond the limit (expected at most {limit}, found {found}); raise the limit if you trust this file", path.display())]
    Limit {
        /// File concerned.
        path: PathBuf,
        /// The quantity that is limited, with its unit.
        what: &'static str,
        /// Its limit.
        limit: u64,
        /// What the file asks for.
        found: u64,
    },

    /// Every photograph of a build was rejected. Nothing is left of it, so that it can be mended and run again.
    #[error(
        "none of {photographs} photographs can be kept: {count} are rejected by {rule}, such as {example} (expected at least one sample, found none); mend that and build again"
    )]
    NothingKept {
        /// Photographs that there are.
        photographs: u64,
        /// The rule that most fell to, as in `rejected.csv`.
        rule: String,
        /// How many fell to it.
        count: u64,
        /// One of these, relative to the source's root.
        example: String,
        /// Damaged or contradictory inputs, which may be why: one line each, naming the file.
        faults: Vec<String>,
    },

    // ---- what the caller asked for ----
    /// A name that stands for nothing: of a view, a split, a profile, a source, a taxonomy.
    #[error("no {what} of this name (expected {known}, found {found:?}); choose one of these")]
    Unknown {
        /// What the name should be of.
        what: &'static str,
        /// The names that there are.
        known: String,
        /// The name that was given.
        found: String,
    },
    /// A setting out of its range.
    #[error("{setting} out of range (expected {expected}, found {found}); choose another value")]
    Setting {
        /// The setting.
        setting: &'static str,
        /// Its range.
        expected: &'static str,
        /// The value that was given.
        found: String,
    },
    /// A view that needs layers was asked of a split that holds photographs only.
    #[error(
        "split {split} holds photographs only (expected view original, found {view}); build the dataset with its layers"
    )]
    PhotographsOnly {
        /// The split.
        split: String,
        /// The view.
        view: View,
    },
    /// A dataset or an unfinished build of other settings, another program or other photographs stands where
    /// this one is wanted.
    #[error("{}: {what} (expected {expected}, found {found}); remove it or choose another place for the output", path.display())]
    OtherBuild {
        /// What is there.
        path: PathBuf,
        /// In what it differs.
        what: &'static str,
        /// What was asked for.
        expected: String,
        /// What is there.
        found: String,
    },
    /// Not all pieces of a build were given.
    #[error("{}: a piece is missing (expected all of {}, found no {missing}); build it, then merge again", path.display(), missing.of())]
    PieceMissing {
        /// The folder of one piece that is there.
        path: PathBuf,
        /// The first that is missing.
        missing: Piece,
    },
    /// Something else was asked for that does not exist or makes no sense.
    #[error("{what} (expected {expected}, found {found}); {advice}")]
    Argument {
        /// What is wrong, in a few words.
        what: String,
        /// What is possible.
        expected: String,
        /// What was asked for.
        found: String,
        /// What the user can do about it.
        advice: String,
    },
}

/// In what a file differs from the one that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// It ends before its header does.
    CutShort,
    /// It is not as long as its header says.
    Length,
    /// Its length has changed while it was open.
    ChangedWhileOpen,
    /// The header's checksum.
    Header,
    /// The index's checksum, or what the checksum is of.
    Index,
    /// The footer, which repeats the header.
    Footer,
    /// The hash of the whole file, although each layer is sound.
    OutsideLayers,
    /// The seal of a chunk of an unfinished build.
    Chunk,
    /// The digest of a table.
    Table,
    /// The digest of a pairing.
    Pairing,
    /// What an outline says of a shard.
    Outline,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::CutShort => "file cut short",
            Self::Length => "file of wrong length",
            Self::ChangedWhileOpen => "the file was changed while it was open",
            Self::Header => "header damaged",
            Self::Index => "index damaged",
            Self::Footer => "footer damaged",
            Self::OutsideLayers => "file damaged outside its layers",
            Self::Chunk => "chunk damaged",
            Self::Table => "table damaged",
            Self::Pairing => "pairing damaged",
            Self::Outline => "outline damaged",
        })
    }
}

impl Error {
    /// An operating-system error while reading `path`.
    pub fn read(path: &Path, source: std::io::Error) -> Self {
        in9_base::Error::read(path)(source).into()
    }

    /// An operating-system error while writing `path`.
    pub fn write(path: &Path, source: std::io::Error) -> Self {
        in9_base::Error::write(path)(source).into()
    }

    /// A file that is not the one that was written.
    pub(crate) fn damaged(
        path: &Path,
        damage: Damage,
        expected: impl ToString,
        found: impl ToString,
    ) -> Self {
        Self::Damaged { path: path.into(), damage, expected: expected.to_string(), found: found.to_string() }
    }

    /// A file whose contents break its format.
    pub fn malformed(
        path: &Path,
        what: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::Malformed {
            path: path.into(),
            what: what.into(),
            expected: expected.into(),
            found: found.into(),
            advice: advice.into(),
        }
    }

    /// A request of the caller that cannot be met.
    pub fn argument(
        what: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::Argument {
            what: what.into(),
            expected: expected.into(),
            found: found.into(),
            advice: advice.into(),
        }
    }

    /// Whether the machine is at fault and not the data: what is true of the machine now must never be
    /// recorded as true of a photograph.
    pub fn is_of_machine(&self) -> bool {
        match self {
            Self::Files(error) => error.is_of_machine(),
            Self::Memory { .. } | Self::Thread { .. } => true,
            _ => false,
        }
    }
}
