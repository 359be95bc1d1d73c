//! A model's tensors as a safetensors file of this project, and back.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use in9_data::facts::NetworkFacts;

use crate::error::{Error, Result};
use crate::model::Model;
use crate::weights::{self, RawTensor, StateDict};

/// Writes a model's parameters and running statistics with what is known about them.
pub(crate) fn write(path: &Path, model: &Model, facts: &NetworkFacts) -> Result<()> {
    write_tensors(path, model.tensors(), &header(path, facts)?)
}

/// The header of a file with these facts.
pub(crate) fn header(path: &Path, facts: &NetworkFacts) -> Result<String> {
    serde_json::to_string(facts)
        .map_err(|e| Error::file(path, e.to_string(), "a header that JSON can hold", "another"))
}

/// Writes tensors as f32 with one JSON object beside them; equal contents give equal bytes.
pub(crate) fn write_tensors(
    path: &Path,
    tensors: impl IntoIterator<Item = (String, Tensor)>,
    metadata: &str,
) -> Result<()> {
    let mut dict = StateDict::default();
    for (name, tensor) in tensors {
        let values = tensor.to_dtype(DType::F32)?.to_device(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?;
        if dict.insert(&name, RawTensor::from_f32(tensor.dims(), &values)).is_err() {
            return Err(Error::file(path, format!("{name} would be written twice"), "each name once", "two"));
        }
    }
    weights::write(path, &dict, Some(metadata))
}

/// The values of a file of f32 tensors.
pub(crate) fn tensors(path: &Path, dict: &StateDict) -> Result<HashMap<String, Tensor>> {
    let mut tensors = HashMap::new();
    for (name, raw) in dict.iter() {
        let values = raw.to_f32().map_err(|fault| fault.at(path))?;
        tensors.insert(name.to_owned(), Tensor::from_vec(values, raw.shape(), &Device::Cpu)?);
    }
    Ok(tensors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::Limits;

    #[test]
    fn tensors_go_round_and_damage_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("w.safetensors");
        let a = Tensor::new(&[[1.5f32, -2.0]], &Device::Cpu).unwrap();
        write_tensors(&path, [("a".to_owned(), a)], r#"{"x":1}"#).unwrap();
        let file = weights::read(&path, &Limits::default()).unwrap();
        let read = tensors(&path, &file.tensors).unwrap();
        assert_eq!(read["a"].to_vec2::<f32>().unwrap(), [[1.5, -2.0]]);
        assert_eq!(file.metadata.unwrap().text, r#"{"x":1}"#);
        let bytes = std::fs::read(&path).unwrap();
        for cut in 0..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let error = weights::read(&path, &Limits::default()).unwrap_err().to_string();
            assert!(error.contains("w.safetensors"), "{error}");
        }
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = write_tensors(Path::new("no-such-folder/x"), [], r#"{"x":1}"#).unwrap_err();
        assert!(error.to_string().starts_with("no-such-folder/x: "), "{error}");
    }
}
