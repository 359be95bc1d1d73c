//! Writes safetensors, one piece of a tensor in memory at a time.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Metadata as FileHeader, TensorInfo};

use crate::error::Result;
use crate::weights::fault::{Checked, fault, shown};
use crate::weights::seal::{self, METADATA_KEY};
use crate::weights::state_dict::{RawTensor, StateDict};

/// Writes `tensors` as a safetensors file that appears whole at `path`, replacing one that is
/// there, with `metadata` (a JSON object) in its header. Such a file is sealed: its header also
/// holds the BLAKE3 of the whole file, which [`read`](crate::weights::read) compares. Equal contents
/// give equal bytes, those that the format's own library writes.
///
/// # Errors
/// [`Error::Base`](crate::Error::Base) when the file cannot be written;
/// [`Error::Weights`](crate::Error::Weights) when a tensor's bytes do not fit its shape or cannot
/// be read.
pub fn write(path: &Path, tensors: &StateDict, metadata: Option<&str>) -> Result<()> {
    let mut ordered: Vec<_> = tensors.iter().collect();
    // Wide types first, so that every tensor is aligned; the library's order.
    ordered.sort_by(|(a, x), (b, y)| y.dtype().cmp(&x.dtype()).then(a.cmp(b)));
    let mut header = header(&ordered, metadata).map_err(|fault| fault.at(path))?;
    if metadata.is_some() {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(header.len() as u64).to_le_bytes()).update(&header);
        for (_, tensor) in &ordered {
            let digest = |piece: &[u8]| {
                hasher.update(piece);
                Ok(())
            };
            tensor.stream(digest).map_err(|fault| fault.at(path))?;
        }
        seal::close(&mut header, &hasher.finalize()).map_err(|fault| fault.at(path))?;
    }
    // A tensor that cannot be read stops the writing; its own error says more than the writer's.
    let mut unread = None;
    let written = in9_base::files::write(path, |file| {
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        for (_, tensor) in &ordered {
            let mut failed = None;
            let streamed = tensor.stream(|piece| {
                failed = file.write_all(piece).err();
                if failed.is_some() { Err(fault("file", "room", "none")) } else { Ok(()) }
            });
            if let Some(error) = failed {
                return Err(error);
            }
            if let Err(fault) = streamed {
                unread = Some(fault);
                return Err(std::io::ErrorKind::InvalidData.into());
            }
        }
        Ok(())
    });
    match unread {
        Some(fault) => Err(fault.at(path)),
        None => Ok(written?),
    }
}

/// The JSON header, padded to eight bytes, with room for the seal.
fn header(tensors: &[(&str, &RawTensor)], metadata: Option<&str>) -> Checked<Vec<u8>> {
    let refused = |e: &dyn std::fmt::Display| {
        fault("tensors to write", "bytes that fit their shapes", shown(&e.to_string()))
    };
    let text = metadata.map(seal::open).transpose()?;
    let metadata = text.map(|text| HashMap::from([(METADATA_KEY.to_owned(), text)]));
    let mut offset = 0;
    let infos = tensors.iter().map(|(name, tensor)| {
        let end = offset + tensor.byte_len() as usize;
        let info =
            TensorInfo { dtype: tensor.dtype(), shape: tensor.shape().to_vec(), data_offsets: (offset, end) };
        offset = end;
        ((*name).to_owned(), info)
    });
    let header = FileHeader::new(metadata, infos.collect()).map_err(|e| refused(&e))?;
    let mut json = serde_json::to_vec(&header).map_err(|e| refused(&e))?;
    json.resize(json.len().next_multiple_of(8), b' ');
    Ok(json)
}
