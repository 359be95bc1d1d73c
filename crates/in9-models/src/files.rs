//! Files that appear whole or not at all, and weights as safetensors.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::Model;

/// The one metadata key of our safetensors files; its value is JSON.
///
/// One key, because the format's library writes several in no particular order, and equal runs
/// must have equal bytes.
const METADATA_KEY: &str = "in9";

/// Writes a file by way of a temporary one: write, sync, rename.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(Error::io(dir))?;
    file.write_all(bytes).map_err(Error::io(path))?;
    file.as_file().sync_all().map_err(Error::io(path))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Temporary files are private; results are not.
        let mode = fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(mode).map_err(Error::io(path))?;
    }
    file.persist(path).map_err(|e| Error::io(path)(e.error))?;
    #[cfg(unix)]
    {
        // The rename itself must survive a power cut too.
        let dir_file = fs::File::open(dir).map_err(Error::io(dir))?;
        dir_file.sync_all().map_err(Error::io(dir))?;
    }
    Ok(())
}

/// Writes f32 tensors and one JSON text as safetensors; equal contents give equal bytes.
pub(crate) fn write_tensors(path: &Path, tensors: &BTreeMap<String, Tensor>, metadata: String) -> Result<()> {
    let mut data = Vec::new();
    for (name, tensor) in tensors {
        let tensor = tensor.to_dtype(DType::F32)?.to_device(&Device::Cpu)?;
        let values = tensor.flatten_all()?.to_vec1::<f32>()?;
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        data.push((name, tensor.dims().to_vec(), bytes));
    }
    let refused = |e| Error::file(path, format!("cannot be written: {e}"), "f32 tensors", "others");
    let mut views = Vec::new();
    for (name, shape, bytes) in &data {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(refused)?;
        views.push((name.as_str(), view));
    }
    let metadata = HashMap::from([(METADATA_KEY.to_owned(), metadata)]);
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(refused)?;
    write_whole(path, &bytes)
}

/// Reads a safetensors file of f32 tensors, and its JSON text if it is one of ours.
pub(crate) fn read_tensors(path: &Path) -> Result<(HashMap<String, Tensor>, Option<String>)> {
    let bytes = fs::read(path).map_err(Error::io(path))?;
    let damaged = |e| {
        let what = format!("not a whole safetensors file ({e}); write it again");
        Error::file(path, what, "safetensors", format!("{} bytes", bytes.len()))
    };
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(damaged)?;
    let metadata = metadata.metadata().as_ref().and_then(|entries| entries.get(METADATA_KEY).cloned());
    let file = SafeTensors::deserialize(&bytes).map_err(damaged)?;
    let mut tensors = HashMap::new();
    for (name, view) in file.tensors() {
        if view.dtype() != Dtype::F32 {
            let what = format!("{name} has an unsupported type; convert it to f32");
            return Err(Error::file(path, what, "F32", format!("{:?}", view.dtype())));
        }
        let values: Vec<f32> =
            view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        tensors.insert(name, Tensor::from_vec(values, view.shape(), &Device::Cpu)?);
    }
    Ok((tensors, metadata))
}

/// What `model.safetensors` says about itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ModelHeader {
    /// The architecture.
    pub(crate) arch: String,
    /// Class names in the order of the outputs.
    pub(crate) classes: Vec<String>,
    /// Side of the square pictures it was trained on, in pixels.
    pub(crate) size: usize,
    /// Mean that is subtracted from each channel, of values in 0..=1.
    pub(crate) mean: [f32; 3],
    /// What each channel is divided by.
    pub(crate) std: [f32; 3],
    /// The view it was trained on.
    pub(crate) trained_on: String,
    /// The run's name.
    pub(crate) name: String,
}

/// Writes a model's parameters and running statistics with their header.
pub(crate) fn write_model(path: &Path, model: &Model, header: &ModelHeader) -> Result<()> {
    let header = serde_json::to_string(header)
        .map_err(|e| Error::file(path, e.to_string(), "a header that JSON can hold", "another"))?;
    write_tensors(path, &model.tensors().into_iter().collect(), header)
}

/// Reads weights, and their header if `train` wrote them.
pub(crate) fn read_model(path: &Path) -> Result<(HashMap<String, Tensor>, Option<ModelHeader>)> {
    let (tensors, text) = read_tensors(path)?;
    let header = text.and_then(|text| serde_json::from_str(&text).ok());
    Ok((tensors, header))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_go_round_and_damage_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("w.safetensors");
        let a = Tensor::new(&[[1.5f32, -2.0]], &Device::Cpu).unwrap();
        let tensors = BTreeMap::from([("a".to_owned(), a)]);
        write_tensors(&path, &tensors, "{}".into()).unwrap();
        let (read, metadata) = read_tensors(&path).unwrap();
        assert_eq!(read["a"].to_vec2::<f32>().unwrap(), [[1.5, -2.0]]);
        assert_eq!(metadata.as_deref(), Some("{}"));
        let bytes = fs::read(&path).unwrap();
        for cut in 0..bytes.len() {
            fs::write(&path, &bytes[..cut]).unwrap();
            let error = read_tensors(&path).unwrap_err().to_string();
            assert!(error.contains("w.safetensors"), "{error}");
        }
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = write_whole(Path::new("no-such-folder/x"), b"").unwrap_err();
        assert!(error.to_string().starts_with("no-such-folder: "), "{error}");
    }
}
