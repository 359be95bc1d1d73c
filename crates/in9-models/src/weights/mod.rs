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
mod legacy;
mod limits;
mod load;
mod pickle;
mod pickle_bytes;
mod pickle_call;
mod rename;
mod safetensors_file;
mod seal;
mod state_dict;
mod storage;
mod stored_zip;
mod torch_zip;

use std::fs::File;
use std::path::Path;

pub use limits::Limits;
pub use load::{Head, load, load_from};
pub use safetensors_file::write;
pub use seal::Metadata;
pub use state_dict::{RawTensor, StateDict};

use in9_data::Normalization;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use fault::{Checked, fault};
use storage::element_bytes;

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
    /// What the file itself says that inputs are normalised with (checkpoints of the `robustness` library).
    pub normalization: Option<Normalization>,
    /// The JSON text that this project's files carry in their header.
    pub metadata: Option<Metadata>,
    /// BLAKE3 of the file, lower-case hexadecimal.
    pub digest: String,
    /// SHA-256 of the file, lower-case hexadecimal, by which published weights are known; only of files
    /// without [`WeightFile::metadata`].
    pub sha256: Option<String>,
}

/// Reads the tensors of the file at `path`.
///
/// # Errors
/// [`Error::Io`] when it cannot be read, [`Error::File`] when it is malformed, above a limit, or a
/// pickle that asks for anything but tensors and containers.
pub fn read(path: &Path, limits: &Limits) -> Result<WeightFile> {
    let io = |source| Error::Io { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(io)?;
    let len = file.metadata().map_err(io)?.len();
    if len > limits.file_bytes {
        let expected = format!("at most {} bytes", limits.file_bytes);
        return Err(fault("size of the file", expected, len.to_string()).at(path));
    }
    if len == 0 {
        return Err(fault("the file is empty", "weights", "0 bytes").at(path));
    }
    // SAFETY: the map is read-only, private to this call and dropped before it returns. Another
    // process that truncates the file meanwhile would raise a signal, as with any mapped file;
    // our own programs never change a weight file in place.
    let map = unsafe { memmap2::Mmap::map(&file) }.map_err(io)?;
    parse(&map, limits).map_err(|fault| fault.at(path))
}

fn parse(bytes: &[u8], limits: &Limits) -> Checked<WeightFile> {
    let mut notes = Vec::new();
    let mut metadata = None;
    let (format, tensors) = if stored_zip::is_zip(bytes) {
        let (pickle, storages) = torch_zip::parse(bytes, limits)?;
        let tensors = gather(&pickle, bytes.len(), limits, &mut notes, |key| storages.get(key).copied())?;
        (Format::TorchZip, tensors)
    } else if legacy::is_legacy(bytes) {
        let (pickle, places) = legacy::parse(bytes, limits.header_bytes)?;
        let tensors =
            gather(&pickle, bytes.len(), limits, &mut notes, |key| bytes.get(places.get(key)?.clone()))?;
        (Format::TorchLegacy, tensors)
    } else if safetensors_file::looks_like(bytes) {
        let (tensors, own) = safetensors_file::parse(bytes, limits)?;
        metadata = own;
        (Format::Safetensors, tensors)
    } else {
        return Err(fault(
            "kind of the file",
            "safetensors, a torch zip or a legacy torch pickle",
            match bytes[0] {
                0x80 => "a pickle that torch did not write",
                b'<' => "a web page: the download went wrong",
                _ => "other bytes",
            },
        ));
    };
    let (tensors, normalization) = checkpoint::unwrap(tensors, &mut notes)?;
    let tensors = rename::to_timm(tensors, &mut notes)?;
    if tensors.is_empty() {
        return Err(fault("contents of the file", "at least one tensor", "none"));
    }
    let sha256 = metadata.is_none().then(|| hex(&Sha256::digest(bytes)));
    let digest = blake3::hash(bytes).to_hex().to_string();
    Ok(WeightFile { format, tensors, notes, normalization, metadata, digest, sha256 })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Copies the tensors that a pickle declares out of their storages.
fn gather<'b>(
    pickle: &pickle::Pickle,
    file_bytes: usize,
    limits: &Limits,
    notes: &mut Vec<String>,
    bytes: impl Fn(&str) -> Option<&'b [u8]>,
) -> Checked<StateDict> {
    let (tensors, note) = checkpoint::tensors(pickle)?;
    notes.extend(note);
    if tensors.len() > limits.tensors {
        return Err(fault(
            "tensors in the file",
            format!("at most {}", limits.tensors),
            tensors.len().to_string(),
        ));
    }
    let most = (file_bytes as u64).saturating_mul(limits.unfold);
    let mut total = 0u64;
    let mut dict = StateDict::default();
    for (name, tensor) in tensors {
        let storage = bytes(&tensor.storage.key).ok_or_else(|| {
            fault(
                format!("storage `{}` of tensor `{name}`", tensor.storage.key),
                "its bytes in the file",
                "none",
            )
        })?;
        let len = tensor.checked_len(name)? as u64;
        total = total.saturating_add(len.saturating_mul(element_bytes(tensor.storage.dtype) as u64));
        if total > most {
            return Err(fault(
                format!("size of the tensors up to `{name}`"),
                format!("at most {most} bytes, {} times the file", limits.unfold),
                total.to_string(),
            ));
        }
        let raw = tensor.gather(name, storage)?;
        if dict.insert(name, raw).is_err() {
            return Err(fault("names of the tensors", "each name once", format!("`{name}` twice")));
        }
    }
    Ok(dict)
}
