//! Weight files: safetensors, torch's zip files, torch's legacy pickles, training checkpoints.
//!
//! A file is recognised by its first bytes, never by its name. Whatever a stranger's file claims is
//! checked against the bytes that are there before anything is allocated ([`Limits`]), and a
//! pickle is interpreted, never executed.
//!
//! ```no_run
//! use in9_models::weights::{self, Limits};
//! let file = weights::read("resnet50-0676ba61.pth".as_ref(), &Limits::default())?;
//! println!("{:?}, {} tensors", file.format, file.tensors.len());
//! # Ok::<(), in9_models::Error>(())
//! ```

mod checkpoint;
mod fault;
mod limits;
mod load;
mod pickle;
mod rename;
mod safetensors_file;
mod seal;
mod source;
mod state_dict;
mod torch;

use std::path::Path;

use in9_data::Normalization;
use sha2::{Digest as _, Sha256};

pub use fault::Fault;
#[cfg(feature = "transformers")]
pub(crate) use fault::shown;
pub use limits::Limits;
#[cfg(feature = "transformers")]
pub(crate) use load::check_shapes;
pub(crate) use load::finite;
#[cfg(feature = "transformers")]
pub(crate) use load::identity_head;
pub use load::{Head, load, load_from};
pub use safetensors_file::write;
pub use seal::Metadata;
pub use state_dict::{RawTensor, StateDict};

use crate::error::Result;
use fault::{Checked, fault};
use source::Source;
use torch::{legacy, zip};

/// How a weight file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A safetensors file.
    Safetensors,
    /// A torch zip archive (version 1.6 and later).
    TorchZip,
    /// A row of pickles (torch before 1.6).
    TorchLegacy,
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Safetensors => "safetensors",
            Self::TorchZip => "torch zip",
            Self::TorchLegacy => "torch legacy pickle",
        })
    }
}

/// What a weight file holds.
#[derive(Debug, Clone)]
pub struct WeightFile {
    /// The file's layout.
    pub format: Format,
    /// The network's tensors under the network's own names.
    pub tensors: StateDict,
    /// What was undone to get at them: wrappers, prefixes, other projects' names.
    pub notes: Vec<String>,
    /// What the file itself says that inputs are normalised with (checkpoints of the `robustness`
    /// library).
    pub normalization: Option<Normalization>,
    /// The JSON text that this project's files carry in their header.
    pub metadata: Option<Metadata>,
    /// BLAKE3 of the file, lower-case hexadecimal.
    pub digest: String,
    /// SHA-256 of the file, lower-case hexadecimal, by which published weights are known; only of
    /// files without [`WeightFile::metadata`] and of at most a gibibyte.
    pub sha256: Option<String>,
}

/// Reads the structure of the file at `path`; its tensors' values follow when they are asked for.
///
/// Memory is that of the structure ([`Limits::header_bytes`]) and time is linear in the file's
/// length, of which checksums take most.
///
/// # Errors
/// [`Error::Base`](crate::Error::Base) when it cannot be opened or is no regular file;
/// [`Error::Weights`](crate::Error::Weights) when it is malformed, damaged, above a limit, or a pickle
/// that asks for anything but tensors and containers; [`Error::Io`](crate::Error::Io) when it cannot
/// be read.
pub fn read(path: &Path, limits: &Limits) -> Result<WeightFile> {
    let source = Source::open(path)?;
    parse(&source, limits).map_err(|fault| fault.at(path))
}

/// Reads the tensors of a file that is in memory.
///
/// # Errors
/// As [`read`], without a path.
pub fn read_bytes(bytes: Vec<u8>, limits: &Limits) -> std::result::Result<WeightFile, Fault> {
    parse(&Source::memory(bytes), limits)
}

fn parse(source: &Source, limits: &Limits) -> Checked<WeightFile> {
    let (found, most) = (source.len(), limits.file_bytes);
    if found > most {
        return Err(Fault::AboveLimit { what: "size of the file".into(), most, unit: "bytes", found });
    }
    let mut start = [0; 16];
    let start = &mut start[..source.len().min(16) as usize];
    source.read(0, start, "the file")?;
    let mut notes = Vec::new();
    let (format, tensors, metadata) = if zip::is_archive(start) {
        (Format::TorchZip, zip::read(source, limits, &mut notes)?, None)
    } else if legacy::is_legacy(start) {
        (Format::TorchLegacy, legacy::read(source, limits, &mut notes)?, None)
    } else if safetensors_file::looks_like(start) {
        let (tensors, metadata) = safetensors_file::read(source, limits)?;
        (Format::Safetensors, tensors, metadata)
    } else {
        return Err(fault(
            "kind of the file",
            "safetensors, a torch zip or a legacy torch pickle",
            match start.first() {
                None => "an empty file",
                Some(0x80) => "a pickle that torch did not write",
                Some(b'<') => "a web page: the download went wrong",
                Some(_) => "other bytes",
            },
        ));
    };
    let (tensors, normalization) = checkpoint::unwrap(tensors, &mut notes)?;
    let tensors = rename::to_timm(tensors, &mut notes)?;
    if tensors.is_empty() {
        return Err(fault("contents of the file", "at least one tensor", "none"));
    }
    let (digest, sha256) = digests(source, metadata.is_none() && source.len() <= PUBLISHED_AT_MOST)?;
    Ok(WeightFile { format, tensors, notes, normalization, metadata, digest, sha256 })
}

/// Longest file whose SHA-256 is worth its time: no published weights come near it.
const PUBLISHED_AT_MOST: u64 = 1 << 30;

/// BLAKE3 of the file and, where it is wanted, SHA-256.
fn digests(source: &Source, with_sha256: bool) -> Checked<(String, Option<String>)> {
    let mut blake3 = blake3::Hasher::new();
    let mut sha256 = with_sha256.then(Sha256::new);
    source.stream(0..source.len(), "the file", |piece| {
        blake3.update(piece);
        if let Some(sha256) = &mut sha256 {
            sha256.update(piece);
        }
        Ok(())
    })?;
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect();
    Ok((blake3.finalize().to_hex().to_string(), sha256.map(|sha256| hex(&sha256.finalize()))))
}
