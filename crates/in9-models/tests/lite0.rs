//! A real classifier on real photographs: EfficientNet-Lite0 on the slice of ILSVRC's validation set.
//!
//! References: tests/lite0.csv, PyTorch's answers, made by tests/oracles/zoo_lite0.py.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use in9_data::Taxonomy;
use in9_models::mapping::{ClassMap, Mapping};
use in9_models::preprocess::Rgb;
use in9_models::registry::find_pretrained;
use in9_models::weights::{self, Format, Head, Limits};
use in9_models::{Mode, Params, build};

/// The folder of real photographs and weights, or `None` after one line that says so.
#[allow(clippy::print_stdout, reason = "a helper of tests")]
fn real_data() -> Option<PathBuf> {
    let folder = std::env::var_os("IN9_REAL_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let here = folder.join("weights/efficientnet-lite0-57934424.pth").exists();
    if !here {
        println!("skipped: no real photographs in {}", folder.display());
    }
    here.then_some(folder)
}

struct Reference {
    photo: String,
    class: usize,
    top1: usize,
    gap: f64,
    class_a: Option<usize>,
    class_b: Option<usize>,
    crc: u32,
}

fn references() -> Vec<Reference> {
    let mut reader = csv::Reader::from_reader(include_str!("lite0.csv").as_bytes());
    let class = |text: &str| text.parse::<i32>().unwrap().try_into().ok();
    reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            Reference {
                photo: row[0].into(),
                class: row[1].parse().unwrap(),
                top1: row[2].parse().unwrap(),
                gap: row[3].parse().unwrap(),
                class_a: class(&row[4]),
                class_b: class(&row[5]),
                crc: row[6].parse().unwrap(),
            }
        })
        .collect()
}

#[test]
fn answers_are_pytorchs_on_every_photograph() {
    let Some(data) = real_data() else { return };
    let published = find_pretrained("tf_efficientnet_lite0.pypi").unwrap();
    let weights = data.join("weights").join(published.file);
    let (model, _) = weights::load(published.arch, &weights, Head::FromFile, false, &Device::Cpu).unwrap();
    let taxonomy = Taxonomy::named("imagenet-9").unwrap();
    let [a, b] = [Mapping::A, Mapping::B].map(|m| ClassMap::imagenet(&taxonomy, m, 1000).unwrap());

    let photographs = data.join("ilsvrc-val-slice/ILSVRC/Data/CLS-LOC/val");
    let references = references();
    assert_eq!(references.len(), 188);
    let (mut same_pixels, mut right_a, mut right_b) = (0, 0, 0);
    for batch in references.chunks(16) {
        let mut values = Vec::new();
        for reference in batch {
            let path = photographs.join(format!("{}.JPEG", reference.photo));
            let photo = image::open(&path).unwrap().into_rgb8();
            let (width, height) = (photo.width() as usize, photo.height() as usize);
            let photo = Rgb::new(width, height, photo.into_raw()).unwrap();
            let square = published.preprocessing.square(&photo);
            same_pixels += usize::from(crc32fast::hash(&square.pixels) == reference.crc);
            values.extend(published.preprocessing.normalise(&square));
        }
        let x = Tensor::from_vec(values, (batch.len(), 3, 224, 224), &Device::Cpu).unwrap();
        let logits = model.forward(&x, Mode::Eval).unwrap().to_vec2::<f32>().unwrap();
        for (reference, logits) in batch.iter().zip(&logits) {
            let top1 = (0..1000).max_by(|&i, &j| logits[i].total_cmp(&logits[j])).unwrap();
            let label = format!("{} (PyTorch's gap {})", reference.photo, reference.gap);
            assert_eq!(top1, reference.top1, "{label}");
            let (in_a, in_b) = (a.answer(logits).unwrap().class, b.answer(logits).unwrap().class);
            assert_eq!((in_a, in_b), (reference.class_a, reference.class_b), "{label}");
            right_a += usize::from(in_a == Some(reference.class));
            right_b += usize::from(in_b == Some(reference.class));
        }
    }
    println!("{same_pixels} of 188 squares are Pillow's to the bit; right: {right_a} by A, {right_b} by B");
}

#[test]
fn the_published_file_is_read_converted_and_refused_by_other_networks() {
    let Some(data) = real_data() else { return };
    let path = data.join("weights/efficientnet-lite0-57934424.pth");
    let file = weights::read(&path, &Limits::default()).unwrap();
    assert_eq!(file.format, Format::TorchLegacy);
    assert!(file.notes[0].contains("efficientnet-pytorch"), "{:?}", file.notes);

    let folder = tempfile::tempdir().unwrap();
    let converted = folder.path().join("w.safetensors");
    weights::write(&converted, &file.tensors, None).unwrap();
    let back = weights::read(&converted, &Limits::default()).unwrap();
    for (name, tensor) in file.tensors.iter() {
        assert_eq!(back.tensors.get(name).unwrap().bytes().unwrap(), tensor.bytes().unwrap(), "{name}");
    }

    let load = |arch, head| weights::load(arch, &path, head, false, &Device::Cpu);
    let error = load("efficientnet_b0", Head::FromFile).err().unwrap().to_string();
    assert!(
        error.contains("blocks.0.0.se.conv_reduce.weight") && error.contains("nothing was loaded"),
        "{error}"
    );
    let (model, _) = load("tf_efficientnet_lite0", Head::Fresh { classes: 9, seed: 1 }).unwrap();
    assert_eq!(model.classes(), 9);
    let stem = |model: &in9_models::Model| model.tensors()["conv_stem.weight"].flatten_all().unwrap();
    let random = build("tf_efficientnet_lite0", 9, &Params::random(1, candle_core::DType::F32, &Device::Cpu));
    let values = |t: Tensor| t.to_vec1::<f32>().unwrap();
    assert_ne!(values(stem(&model)), values(stem(&random.unwrap())));
}
