//! Safetensors: read with every rule of the format checked, written whole or not at all.
//!
//! Layout: eight bytes of length (`u64`, little-endian), a JSON object of that length, the tensors'
//! bytes. Source: the README of the `safetensors` project.

mod keys;
mod write;

use safetensors::tensor::Metadata as FileHeader;

pub use write::write;

use super::fault::{Checked, Fault, fault, shown};
use super::limits::Limits;
use super::seal::{self, Header, Metadata};
use super::source::Source;
use super::state_dict::{RawTensor, StateDict};

/// Bytes in front of the JSON header.
const LENGTH: u64 = 8;

/// Whether a file that begins with `start` can be one: a length, then the `{` of a JSON object.
pub(super) fn looks_like(start: &[u8]) -> bool {
    start.get(LENGTH as usize) == Some(&b'{')
}

/// The tensors of the file, and what this project wrote into its header.
pub(super) fn read(source: &Source, limits: &Limits) -> Checked<(StateDict, Option<Metadata>)> {
    let json = header(source, limits)?;
    keys::check(&json, limits.tensors)?;
    // The crate checks types, sizes, order, overlap and holes.
    let header: FileHeader = serde_json::from_slice(&json)
        .map_err(|e| fault("layout of the file", "a valid safetensors file", shown(&e.to_string())))?;
    let data = LENGTH + json.len() as u64;
    let (needed, left) = (header.data_len() as u64, source.len() - data);
    if needed > left {
        return Err(Fault::CutOff { what: "the file".into(), needed, left });
    }
    if needed < left {
        return Err(fault("end of the file", format!("{needed} bytes of tensors"), format!("{left} bytes")));
    }
    let metadata = match seal::find(header.metadata().as_ref())? {
        Header::Foreign => None,
        Header::Unsealed(metadata) => Some(metadata),
        Header::Sealed(seal) => {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&(json.len() as u64).to_le_bytes()).update(&seal::unsealed(&json, &seal)?);
            source.stream(data..source.len(), "the file", |piece| {
                hasher.update(piece);
                Ok(())
            })?;
            Some(seal.verify(&hasher.finalize())?)
        }
    };
    let (found, most) = (header.offset_keys().len() as u64, limits.tensors as u64);
    if found > most {
        return Err(Fault::AboveLimit { what: "tensors in the file".into(), most, unit: "tensors", found });
    }
    let mut dict = StateDict::default();
    // The file's own order: that of the data.
    for name in header.offset_keys() {
        let Some(info) = header.info(&name) else { continue };
        let range = data + info.data_offsets.0 as u64..data + info.data_offsets.1 as u64;
        let raw = RawTensor::in_file(info.dtype, info.shape.clone(), source.clone(), range);
        if dict.insert(&name, raw).is_err() {
            return Err(Fault::Duplicate { what: "names of the tensors", name: shown(&name) });
        }
    }
    Ok((dict, metadata))
}

/// The JSON header.
fn header(source: &Source, limits: &Limits) -> Checked<Vec<u8>> {
    let found = u64::from_le_bytes(source.array(0, "the header")?);
    let most = limits.header_bytes.min(source.len() - LENGTH);
    if found > most {
        return Err(Fault::AboveLimit { what: "length of the header".into(), most, unit: "bytes", found });
    }
    source.bytes(LENGTH..LENGTH + found, "the header")
}

#[cfg(test)]
mod tests;
