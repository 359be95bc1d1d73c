//! An ONNX file as a classifier, against ONNX Runtime. Reference by tests/oracles/onnx_network.py.
#![cfg(feature = "onnx")]

use in9_data::{Normalization, Taxonomy};
use in9_models::mapping::Mapping;
use in9_models::scorer::{Foreign, Onnx, Outputs, Scorer};
use in9_models::{Ask, Error};
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
struct Reference {
    size: usize,
    count: usize,
    scores: Vec<Vec<f32>>,
}

#[test]
fn scores_are_those_of_onnx_runtime_whatever_the_batch() {
    let reference: Reference = serde_json::from_str(include_str!("onnx/small.json")).unwrap();
    let (size, count) = (reference.size, reference.count);
    let rgb: Vec<u8> = (0..count * size * size * 3).map(|at| ((at * 37 + at / 11 * 5) % 256) as u8).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx/small.onnx");
    let mut onnx = Onnx::open(&path, Normalization::HALF, size).unwrap();
    assert_eq!(onnx.about().outputs, Outputs::Count(4));
    let scores = onnx.score(&rgb, count, size).unwrap();
    for (ours, theirs) in scores.iter().zip(reference.scores.iter().flatten()) {
        assert!((ours - theirs).abs() < 1e-4, "{scores:?}");
    }
    let alone = onnx.score(&rgb[3 * size * size..6 * size * size], 1, size).unwrap();
    assert_eq!(alone, scores[4..8]);
    // Another size is another plan, for a network that takes any.
    assert_eq!(onnx.score(&vec![9; 3 * 20 * 20], 1, 20).unwrap().len(), 4);
    let names = ["a", "b", "c", "d"].map(str::to_owned);
    let taxonomy = Taxonomy::from_names("four", &names).unwrap();
    let foreign = Foreign::new(Box::new(onnx), &taxonomy, Mapping::A).unwrap();
    assert_eq!((foreign.classes(), foreign.record().origin.as_str()), (4, "small.onnx"));
}

#[test]
fn a_file_that_is_no_network_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("no.onnx");
    std::fs::write(&path, "nothing").unwrap();
    assert!(matches!(Onnx::open(&path, Normalization::HALF, 16), Err(Error::File { .. })));
}
