//! Safetensors: read with every rule of the format checked, written whole or not at all.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::fault::{Checked, fault};
use super::limits::Limits;
use super::seal::{self, Metadata};
use super::state_dict::{RawTensor, StateDict};
use crate::error::Result;

/// The one metadata key of our safetensors files; its value is JSON.
///
/// One key, because the format's library writes several in no particular order, and equal runs
/// must have equal bytes.
const METADATA_KEY: &str = "in9";

/// Eight bytes of length, then the `{` of a JSON object.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&b'{')
}

/// The tensors, and the JSON text of a file that this project wrote; a sealed file whose bytes have
/// changed since is refused.
pub(super) fn parse(bytes: &[u8], limits: &Limits) -> Checked<(StateDict, Option<Metadata>)> {
    let header = header(bytes, limits)?;
    serde_json::Deserializer::from_slice(header)
        .deserialize_map(UniqueKeys)
        .map_err(|e| fault("header", "a JSON object with each name once", e.to_string()))?;
    // The crate checks types, sizes, order, overlap, holes and the end of the buffer.
    let file = SafeTensors::deserialize(bytes)
        .map_err(|e| fault("layout of the file", "a valid safetensors file", e.to_string()))?;
    if file.len() > limits.tensors {
        return Err(fault(
            "tensors in the file",
            format!("at most {}", limits.tensors),
            file.len().to_string(),
        ));
    }
    let (_, header) = SafeTensors::read_metadata(bytes)
        .map_err(|e| fault("layout of the file", "a valid safetensors file", e.to_string()))?;
    let text = header.metadata().as_ref().and_then(|entries| entries.get(METADATA_KEY).cloned());
    let metadata = text.map(|text| seal::check(bytes, text)).transpose()?;
    let mut views = file.tensors();
    // The file's own order: that of the data.
    views.sort_by_key(|(_, view)| view.data().as_ptr() as usize);
    let mut dict = StateDict::default();
    for (name, view) in views {
        let raw = RawTensor { dtype: view.dtype(), shape: view.shape().to_vec(), data: view.data().to_vec() };
        if dict.insert(&name, raw).is_err() {
            return Err(fault("names of the tensors", "each name once", format!("`{name}` twice")));
        }
    }
    Ok((dict, metadata))
}

fn header<'a>(bytes: &'a [u8], limits: &Limits) -> Checked<&'a [u8]> {
    let Some((len, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(fault("header", "8 bytes of length", bytes.len().to_string()));
    };
    let len = u64::from_le_bytes(*len);
    let most = limits.header_bytes.min(rest.len() as u64);
    if len > most {
        return Err(fault("length of the header", format!("at most {most} bytes"), len.to_string()));
    }
    Ok(&rest[..len as usize])
}

/// Accepts a JSON object whose keys differ. (The format forbids repeated names; a map type would
/// silently keep the last.)
struct UniqueKeys;

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with each name once")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value::<IgnoredAny>()?;
            if let Some(key) = seen.replace(key) {
                let key: String = key.chars().take(80).collect();
                return Err(serde::de::Error::custom(format!("duplicate name `{key}`")));
            }
        }
        Ok(())
    }
}

/// Writes `tensors` as a safetensors file that appears whole at `path`, replacing one that is
/// there, with `metadata` (a JSON object) in its header. Such a file is sealed: its header also holds the BLAKE3
/// of the whole file, which [`read`](super::read) compares. Equal contents give equal bytes.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) when the folder cannot be written to, [`Error::File`](crate::Error::File) when a tensor's bytes do not
/// fit its shape.
pub fn write(path: &Path, tensors: &StateDict, metadata: Option<&str>) -> Result<()> {
    let refused = |e: safetensors::SafeTensorError| {
        fault("tensors to write", "bytes that fit their shapes", e.to_string()).at(path)
    };
    let views = tensors
        .iter()
        .map(|(name, t)| Ok((name, TensorView::new(t.dtype, t.shape.clone(), &t.data).map_err(refused)?)))
        .collect::<Result<Vec<_>>>()?;
    let open = metadata.map(seal::open).transpose().map_err(|fault| fault.at(path))?;
    let entries = open.map(|text| HashMap::from([(METADATA_KEY.to_owned(), text)]));
    let mut bytes = safetensors::serialize(views, entries).map_err(refused)?;
    if metadata.is_some() {
        seal::close(&mut bytes).map_err(|fault| fault.at(path))?;
    }
    crate::files::write_whole(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut dict = StateDict::default();
        dict.insert("b.weight", RawTensor::from_f32(&[2, 1], &[1.0, -2.0])).unwrap();
        dict.insert("a", RawTensor::from_f32(&[], &[3.0])).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        write(&path, &dict, None).unwrap();
        let back = super::super::read(&path, &Limits::default()).unwrap();
        assert_eq!(back.format, super::super::Format::Safetensors);
        assert_eq!(back.tensors.get("b.weight"), dict.get("b.weight"));
        assert_eq!(back.tensors.get("a"), dict.get("a"));
        assert!(back.metadata.is_none() && back.sha256.is_some());
    }

    #[test]
    fn a_sealed_file_with_a_flipped_bit_is_refused_or_reads_the_same() {
        let mut dict = StateDict::default();
        dict.insert("a", RawTensor::from_f32(&[2], &[1.0, -2.0])).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        write(&path, &dict, Some(r#"{"mean":[0.25,0.5]}"#)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let read = || super::super::read(&path, &Limits::default());
        let expected = read().unwrap();
        let metadata = expected.metadata.clone().unwrap();
        assert_eq!(metadata.text, r#"{"mean":[0.25,0.5]}"#);
        assert!(metadata.sealed);
        let (mut refused, mut unsealed) = (0, 0);
        for bit in 0..8 * whole.len() {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &damaged).unwrap();
            match read() {
                Err(_) => refused += 1,
                Ok(file) => {
                    // A flip in the name of the header's or the seal's entry hides the entry, no more.
                    assert_eq!(file.tensors, expected.tensors, "bit {bit}");
                    assert!(file.metadata.is_none_or(|m| !m.sealed), "bit {bit}");
                    unsealed += 1;
                }
            }
        }
        assert!(refused > 0 && unsealed < 8 * 40, "{refused} refused, {unsealed} unsealed");
    }
}
