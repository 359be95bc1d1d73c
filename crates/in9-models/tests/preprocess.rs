//! Resizing and cropping against Pillow and torchvision, bit for bit.
//!
//! References: tests/pillow.json, made by tests/oracles/zoo_pillow.py.

#[path = "parity/formula.rs"]
#[allow(dead_code, reason = "shared with the parity tests")]
mod formula;

use in9_data::Normalization;
use in9_models::preprocess::{Crop, Interpolation, Preprocessing, Rgb, resize};
use serde::Deserialize;

#[derive(Deserialize)]
struct References {
    resizes: Vec<Resize>,
    pipelines: Vec<Pipeline>,
}

#[derive(Deserialize)]
struct Resize {
    from: [usize; 2],
    to: [usize; 2],
    filter: String,
    crc: u32,
}

#[derive(Deserialize)]
struct Pipeline {
    from: [usize; 2],
    resize: usize,
    crop: usize,
    filter: String,
    crc: u32,
}

fn references() -> References {
    serde_json::from_str(include_str!("pillow.json")).unwrap()
}

fn picture([width, height]: [usize; 2]) -> Rgb {
    let noise = formula::unit(&format!("picture{width}x{height}"), width * height * 3);
    Rgb::new(width, height, noise.into_iter().map(|u| (u * 256.0) as u8).collect()).unwrap()
}

fn filter(name: &str) -> Interpolation {
    match name {
        "bilinear" => Interpolation::Bilinear,
        "bicubic" => Interpolation::Bicubic,
        other => panic!("unknown filter {other}"),
    }
}

#[test]
fn resizes_are_pillows() {
    for case in references().resizes {
        let out = resize(&picture(case.from), case.to[0], case.to[1], filter(&case.filter));
        let label = format!("{:?} to {:?}, {}", case.from, case.to, case.filter);
        assert_eq!(crc32fast::hash(&out.pixels), case.crc, "{label}");
    }
}

#[test]
fn resize_and_centre_crop_are_torchvisions() {
    for case in references().pipelines {
        let preprocessing = Preprocessing {
            size: case.crop,
            crop: Crop::ResizeThenCrop { resize: case.resize },
            interpolation: filter(&case.filter),
            normalization: Normalization { mean: [0.0; 3], std: [1.0; 3] },
        };
        let out = preprocessing.square(&picture(case.from));
        let label = format!("{:?}, resize {}, crop {}, {}", case.from, case.resize, case.crop, case.filter);
        assert_eq!(crc32fast::hash(&out.pixels), case.crc, "{label}");
    }
}
