//! Weights of a small SAM by the formula, as a file has them.

use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use crate::formula;

/// A file of safetensors with these names and shapes.
pub(crate) fn file(tensors: &[(String, Vec<usize>)]) -> Vec<u8> {
    let bytes = tensors.iter().map(|(name, shape)| {
        if shape.is_empty() {
            return (name, Dtype::I64, shape, vec![0; 8]);
        }
        let values = formula::value(name, shape, 1.0, false);
        (name, Dtype::F32, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    });
    let bytes: Vec<(&String, Dtype, &Vec<usize>, Vec<u8>)> = bytes.collect();
    let views = bytes
        .iter()
        .map(|(name, dtype, shape, bytes)| (name, TensorView::new(*dtype, shape.to_vec(), bytes).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

/// A file of `tests/sam`, made by `tests/oracles/sam.py`.
pub(crate) fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sam").join(format!("{name}.json"));
    std::fs::read_to_string(path).unwrap()
}
