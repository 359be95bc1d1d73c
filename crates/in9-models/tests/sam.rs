//! SAM and MobileSAM against segment-anything and timm, and as a source of masks.
//!
//! References: tests/sam/*.json, made by tests/oracles/sam.py, which gives both sides the same weights and picture by a formula.
#![cfg(feature = "transformers")]
#![allow(clippy::print_stdout, reason = "a test tells how near it is")]

#[path = "parity/formula.rs"]
#[allow(dead_code, reason = "the formula of whole architectures is for tests/parity.rs")]
mod formula;
#[path = "common/sam.rs"]
mod weights;

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use image::RgbImage;
use in9_data::{BuildConfig, Dataset, MaskSource, SourceKind, build};
use in9_models::sam::{self, Sam, SamConfig};
use in9_models::weights::{Limits, read_bytes};
use serde::Deserialize;

/// Names and shapes of tensors, in the order of a file.
type Tensors = Vec<(String, Vec<usize>)>;

#[derive(Deserialize)]
struct Reference {
    side: usize,
    tensors: Tensors,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    corners: [f32; 4],
    logits: Vec<f32>,
}

fn reference(name: &str) -> Reference {
    serde_json::from_str(&weights::text(name)).unwrap()
}

#[test]
fn logits_are_those_of_the_authors() {
    for name in ["vit", "tiny"] {
        let Reference { side, tensors, cases } = reference(name);
        let read = read_bytes(weights::file(&tensors), &Limits::default()).unwrap().tensors;
        let mut config = SamConfig::of(&read).unwrap();
        assert!(config.image == if name == "vit" { side } else { 1024 }, "{config:?}");
        config.image = side;
        let network = Sam::new(Path::new(name), &config, &read).unwrap();
        let pixels: Vec<f32> =
            formula::unit("pixels", 3 * side * side).iter().map(|u| u * 4.0 - 2.0).collect();
        let pixels = Tensor::from_vec(pixels, (1, 3, side, side), &Device::Cpu).unwrap();
        for Case { corners, logits } in cases {
            let found = network.forward(&pixels, corners).unwrap();
            assert_eq!(found.dims(), [1, 1, side / 4, side / 4]);
            let found = found.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(found.len(), logits.len());
            let furthest = found.iter().zip(&logits).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            println!("{name} {corners:?}: at most {furthest:e} apart");
            assert!(furthest < 1e-4, "{name} {corners:?}: {furthest}");
        }
    }
}

/// A file of weights in `dir`, and what opening it gives.
fn opened(dir: &Path, bytes: &[u8]) -> in9_models::Result<in9_data::NetworkMasks> {
    let path = dir.join("w.safetensors");
    std::fs::write(&path, bytes).unwrap();
    sam::open(&path, &in9_data::Limits::default())
}

#[test]
fn weights_of_another_network_are_refused_by_path_and_by_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let tensors = reference("vit").tensors;
    let refused = |change: &dyn Fn(&mut Tensors), said: &[&str]| {
        let mut changed = tensors.clone();
        change(&mut changed);
        let text = opened(dir.path(), &weights::file(&changed)).unwrap_err().to_string();
        assert!(text.contains("w.safetensors: ") && !text.contains('\n'), "{text}");
        said.iter().for_each(|said| assert!(text.contains(said), "{said}: {text}"));
    };
    let without = |name: &'static str| {
        move |tensors: &mut Tensors| tensors.retain(|(other, _)| !other.starts_with(name))
    };
    refused(&without("mask_decoder"), &["mask_decoder.mask_tokens.weight of 2 axes", "no such tensor"]);
    refused(&without("image_encoder.pos_embed"), &["image_encoder.pos_embed of 4 axes", "no such tensor"]);
    refused(&without("image_encoder.neck.2"), &["image_encoder.neck.2.weight", "not in the weights"]);
    let reshaped = |name: &'static str, shape: &'static [usize]| {
        move |tensors: &mut Tensors| {
            tensors.iter_mut().find(|(other, _)| other == name).unwrap().1 = shape.to_vec();
        }
    };
    refused(
        &reshaped("image_encoder.blocks.2.attn.rel_pos_h", &[5, 16]),
        &["windows like the others'", "3 tokens"],
    );
    refused(&reshaped("image_encoder.blocks.0.mlp.lin1.bias", &[64]), &["mlp.lin1.bias", "[128]", "[64]"]);
    refused(
        &|tensors| tensors.push(("mask_decoder.hf_token.weight".into(), vec![1, 32])),
        &["expected its tensors alone", "mask_decoder.hf_token.weight"],
    );
    let mut bytes = weights::file(&tensors);
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let text = opened(dir.path(), &bytes).unwrap_err().to_string();
    assert!(text.contains("w.safetensors: ") && text.contains("NaN"), "{text}");
    let small = in9_data::Limits { network_bytes: 1 << 16, ..in9_data::Limits::default() };
    let path = dir.path().join("w.safetensors");
    std::fs::write(&path, weights::file(&tensors)).unwrap();
    let text = sam::open(&path, &small).unwrap_err().to_string();
    assert!(text.contains("too large") && text.contains("65536"), "{text}");
}

/// Photographs of two shapes with boxes, as a source `folder`.
fn photographs(root: &Path) {
    std::fs::create_dir_all(root.join("test/disc")).unwrap();
    let mut boxes = "image,x0,y0,x1,y1\n".to_owned();
    for (number, (width, height)) in [(120, 90), (70, 100), (96, 96), (150, 60)].into_iter().enumerate() {
        let (cx, cy, r) = (f64::from(width) / 2.0, f64::from(height) / 2.0, 22.0);
        let picture = RgbImage::from_fn(width, height, |x, y| {
            let inside = (f64::from(x) - cx).hypot(f64::from(y) - cy) < r;
            let texture = (x * 7 + y * 13) as u8 % 32;
            image::Rgb(if inside { [200 + texture, 60, 40] } else { [60, 90 + texture, 80] })
        });
        picture.save(root.join(format!("test/disc/{number}.png"))).unwrap();
        boxes += &format!("test/disc/{number}.png,{},{},{},{}\n", cx - 25.0, cy - 25.0, cx + 24.0, cy + 24.0);
    }
    std::fs::write(root.join("boxes.csv"), boxes).unwrap();
}

fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found
                    .push((path.strip_prefix(folder).unwrap().to_path_buf(), std::fs::read(&path).unwrap())),
            }
        }
    }
    // The mark of an output says when a file was written.
    found.retain(|(path, _)| !path.to_string_lossy().starts_with('.'));
    found.sort();
    found
}

#[test]
fn datasets_have_its_masks_and_the_same_bytes_for_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let (root, file) = (dir.path().join("photographs"), dir.path().join("small.safetensors"));
    photographs(&root);
    std::fs::write(&file, weights::file(&reference("vit").tensors)).unwrap();
    let made = |name: &str, threads: usize, memory_bytes: u64| {
        let out = dir.path().join(name);
        let limits = in9_data::Limits { memory_bytes, ..in9_data::Limits::default() };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let report = pool.install(|| {
            let network = sam::open(&file, &limits).unwrap();
            let config = BuildConfig {
                size: 64,
                masks: MaskSource::Network,
                mask_network: Some(network),
                limits,
                ..BuildConfig::new(SourceKind::Folder, &root, &out)
            };
            build(&config, &|_| ()).unwrap()
        });
        assert_eq!(report.samples, [("test".to_owned(), 4)], "{report:?}");
        contents(&out)
    };
    let one = made("one", 1, 1 << 30);
    assert!(made("three", 3, 1 << 30) == one);
    // A network that takes more than photographs may together has one of them at a time, and nobody waits for ever.
    assert!(made("little", 4, 600_000) == one);

    let dataset = Dataset::open(&dir.path().join("one")).unwrap();
    let record = dataset.manifest().settings.mask_network.clone().unwrap();
    let digest = blake3::hash(&std::fs::read(&file).unwrap()).to_hex().to_string();
    assert_eq!((record.network, record.runtime.as_str()), (digest, "candle"));
    let text = serde_json::to_string(&record.description).unwrap();
    assert_eq!(record.described, blake3::hash(text.as_bytes()).to_hex().to_string());
    assert_eq!(
        (record.description.file.as_str(), record.description.input.size),
        ("small.safetensors", [96; 2])
    );
    let split = dataset.split("test").unwrap();
    for at in 0..4 {
        let (sample, mask) = (split.sample(at), split.layers(at).unwrap().mask);
        println!("{}: {} of {} pixels of the box", sample.id, sample.mask_area, sample.box_area);
        // Outside the box all is background.
        assert!(sample.mask_area <= sample.box_area && mask.area() > 0);
    }
}
