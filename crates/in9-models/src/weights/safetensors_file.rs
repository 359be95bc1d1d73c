//! Safetensors: read with every rule of the format checked, written whole or not at all.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::fault::{Checked, fault};
use super::limits::Limits;
use super::state_dict::{RawTensor, StateDict};
use crate::error::{Error, Result};

/// Eight bytes of length, then the `{` of a JSON object.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&b'{')
}

pub(super) fn parse(bytes: &[u8], limits: &Limits) -> Checked<StateDict> {
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
    Ok(dict)
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
/// there. The same tensors give the same bytes.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be written to, [`Error::File`] when a tensor's bytes do not
/// fit its shape.
pub fn write(path: &Path, tensors: &StateDict) -> Result<()> {
    let refused = |e: safetensors::SafeTensorError| {
        fault("tensors to write", "bytes that fit their shapes", e.to_string()).at(path)
    };
    let views = tensors
        .iter()
        .map(|(name, t)| Ok((name, TensorView::new(t.dtype, t.shape.clone(), &t.data).map_err(refused)?)))
        .collect::<Result<Vec<_>>>()?;
    let bytes = safetensors::serialize(views, None).map_err(refused)?;
    let io = |source| Error::Io { path: path.to_path_buf(), source };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(io)?;
    std::io::Write::write_all(&mut file, &bytes).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    file.persist(path).map_err(|e| io(e.error))?;
    Ok(())
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
        write(&path, &dict).unwrap();
        let back = super::super::read(&path, &Limits::default()).unwrap();
        assert_eq!(back.format, super::super::Format::Safetensors);
        assert_eq!(back.tensors.get("b.weight"), dict.get("b.weight"));
        assert_eq!(back.tensors.get("a"), dict.get("a"));
    }
}
