//! External data: weights that an ONNX file leaves in files beside it, as exporters do with large networks.

use std::collections::HashMap;
use std::path::Path;

use tract_onnx::pb::tensor_proto::DataLocation;
use tract_onnx::pb::{GraphProto, TensorProto};

use crate::error::{Error, Result};

/// Where a tensor's bytes are.
struct Place<'a> {
    file: &'a str,
    offset: u64,
    length: Option<u64>,
}

impl<'a> Place<'a> {
    /// Reads it, or says what is wrong with it.
    fn of(tensor: &'a TensorProto) -> Result<Self, String> {
        let text = |key: &str| tensor.external_data.iter().find(|e| e.key == key).map(|e| e.value.as_str());
        let number = |key: &str| match text(key).map(str::parse::<u64>) {
            Some(Err(_)) => Err(format!("{} of {}: no number", key, tensor.name)),
            Some(Ok(number)) => Ok(Some(number)),
            None => Ok(None),
        };
        let file = text("location").unwrap_or_default();
        // Nothing outside the file's own folder is opened for it.
        if Path::new(file).file_name().is_none_or(|name| name != file) {
            return Err(format!("{file:?} for {}", tensor.name));
        }
        Ok(Self { file, offset: number("offset")?.unwrap_or(0), length: number("length")? })
    }
}

/// Loads the weights that the file at `path` leaves in files beside it, of at most `limit` bytes together, into `graph`,
/// and adds these files to `digest`.
///
/// # Errors
/// [`Error::File`] for a place outside the file's folder or beyond a file's end; [`Error::Base`] for a file that cannot be
/// read.
pub(crate) fn load(
    path: &Path,
    graph: &mut GraphProto,
    limit: u64,
    digest: &mut blake3::Hasher,
) -> Result<()> {
    let mut files: HashMap<String, Vec<u8>> = HashMap::new();
    let mut left = limit;
    let external = DataLocation::External as i32;
    for tensor in graph.initializer.iter_mut().filter(|tensor| tensor.data_location == Some(external)) {
        let wrong = |found: String| {
            let expected = "the name of a file in the same folder, and a part of it";
            Error::file(path, "its weights are elsewhere", expected, found)
        };
        let place = Place::of(tensor).map_err(wrong)?;
        if !files.contains_key(place.file) {
            let bytes = in9_base::files::read(&path.with_file_name(place.file), left)?;
            left -= bytes.len() as u64;
            digest.update(&bytes);
            files.insert(place.file.to_owned(), bytes);
        }
        let bytes = &files[place.file];
        let end = match place.length {
            Some(length) => place.offset.checked_add(length),
            None => Some(bytes.len() as u64),
        };
        let part = end.and_then(|end| bytes.get(place.offset as usize..end as usize));
        let Some(part) = part else {
            let found = format!("{} after the end of {}, {} bytes", tensor.name, place.file, bytes.len());
            return Err(wrong(found));
        };
        tensor.raw_data = part.to_vec();
        tensor.data_location = None;
        tensor.external_data.clear();
    }
    Ok(())
}
