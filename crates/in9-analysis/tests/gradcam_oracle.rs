//! Saliency maps of three architectures against plain PyTorch hooks, from
//! `tests/oracles/analysis_gradcam.py`: the same weights, pictures and classes.
#![cfg(feature = "probes")]

use candle_core::{DType, Device, Tensor};
use in9_analysis::probes::saliency::Map;
use in9_analysis::probes::saliency::cam::{grad_cam, hires_cam};
use in9_analysis::probes::saliency::gradients::{Smooth, input_gradient, smooth_grad};
use in9_analysis::probes::{GradientClassifier, Pictures};
use in9_data::Normalization;
use in9_models::mapping::ClassMap;
use in9_models::{Classifier as Network, Params, build};
use serde::Deserialize;
use std::collections::HashMap;

const CLASSES: usize = 10;

#[derive(Deserialize)]
struct Oracle {
    size: usize,
    stride: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    arch: String,
    /// Gain of the batch norms.
    gain: f32,
    /// Class that each picture's maps are about.
    classes: Vec<u16>,
    input_gradient: Vec<Vec<f32>>,
    /// The first lies right before a global mean, where Grad-CAM and HiResCAM are one map.
    taps: Vec<Maps>,
}

#[derive(Deserialize)]
struct Maps {
    tap: String,
    grad_cam: Vec<Vec<f32>>,
    hires_cam: Vec<Vec<f32>>,
}

/// Random numbers in `0..1` that the oracle makes too: FNV-1a of the name, then splitmix64.
fn unit(name: &str, count: usize) -> Vec<f32> {
    let seed =
        name.bytes().fold(0xCBF2_9CE4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3));
    (1..=count as u64)
        .map(|i| {
            let mut z = seed.wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^= z >> 31;
            (z >> 40) as f32 / (1u32 << 24) as f32
        })
        .collect()
}

/// A parameter's values, by its name and shape as the oracle's `value` makes them.
fn value(name: &str, shape: &[usize], gain: f32) -> Vec<f32> {
    let per_output: usize = shape.iter().skip(1).product();
    let bound = (6.0 / per_output as f64).sqrt() as f32;
    let place = |u: f32| match name.rsplit('.').next() {
        Some("running_mean") => (u - 0.5) * 0.2,
        Some("running_var") => u + 0.5,
        Some("bias") => (2.0 * u - 1.0) * 0.1,
        _ if shape.len() == 1 => (u * 0.5 + 0.75) * gain,
        _ => (2.0 * u - 1.0) * bound,
    };
    unit(name, shape.iter().product()).into_iter().map(place).collect()
}

fn network(arch: &str, gain: f32) -> Network {
    let blank = build(arch, CLASSES, &Params::zeros(DType::F32, &Device::Cpu)).unwrap();
    let tensors: HashMap<String, Tensor> = blank
        .tensors()
        .into_iter()
        .map(|(name, tensor)| {
            let values = value(&name, tensor.dims(), gain);
            (name, Tensor::from_vec(values, tensor.dims(), &Device::Cpu).unwrap())
        })
        .collect();
    let model = build(arch, CLASSES, &Params::frozen(tensors, DType::F32, &Device::Cpu)).unwrap();
    let normalization = Normalization { mean: [0.5; 3], std: [0.25; 3] };
    Network::of_model(model, ClassMap::identity(CLASSES), normalization)
}

fn pictures(oracle: &Oracle, case: &Case) -> Pictures {
    let count = case.classes.len();
    Pictures { pixels: unit("pixels", count * 3 * oracle.size * oracle.size), count, size: oracle.size }
}

/// Largest difference of the normalised maps on the oracle's grid.
fn apart(oracle: &Oracle, maps: Vec<Map>, expected: &[Vec<f32>]) -> f32 {
    assert_eq!(maps.len(), expected.len());
    let mut worst = 0.0f32;
    for (map, expected) in maps.into_iter().zip(expected) {
        let map = map.normalised();
        let lines = || (0..oracle.size).step_by(oracle.stride);
        let grid: Vec<f32> = lines()
            .flat_map(|y| lines().map(move |x| (x, y)))
            .map(|(x, y)| map.values[y * map.size + x])
            .collect();
        assert_eq!(grid.len(), expected.len());
        worst = grid.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(worst, f32::max);
    }
    worst
}

#[test]
fn maps_are_those_of_pytorch() {
    let oracle: Oracle = serde_json::from_str(include_str!("fixtures/gradcam.json")).unwrap();
    assert_eq!(oracle.cases.len(), 3);
    for case in &oracle.cases {
        let (network, pictures) = (network(&case.arch, case.gain), pictures(&oracle, case));
        let plain = input_gradient(&network, &pictures, &case.classes).unwrap();
        let worst = apart(&oracle, plain, &case.input_gradient);
        assert!(worst < 1e-3, "{} input gradient: {worst}", case.arch);
        assert!(case.taps.len() > 1, "{} has no inner tap", case.arch);
        for (depth, maps) in case.taps.iter().enumerate() {
            let place = format!("{} at {}", case.arch, maps.tap);
            let tap = network.tap_gradient(&pictures, &case.classes, &maps.tap).unwrap();
            let of_grad_cam = |expected: &[Vec<f32>]| apart(&oracle, grad_cam(&tap, oracle.size), expected);
            let of_hires_cam = |expected: &[Vec<f32>]| apart(&oracle, hires_cam(&tap, oracle.size), expected);
            let found =
                [("Grad-CAM", of_grad_cam(&maps.grad_cam)), ("HiResCAM", of_hires_cam(&maps.hires_cam))];
            for (method, worst) in found {
                assert!(worst < 1e-3, "{place} {method}: {worst}");
            }
            // Inside the network each map is its own method's and not the other's.
            let swapped = [of_grad_cam(&maps.hires_cam), of_hires_cam(&maps.grad_cam)];
            let one_map = swapped.iter().all(|worst| *worst < 1e-3);
            let two_maps = swapped.iter().all(|worst| *worst > 0.1);
            assert!(if depth == 0 { one_map } else { two_maps }, "{place}: {swapped:?}");
            // The oracle must be able to tell the pictures apart.
            let turned = grad_cam(&tap, oracle.size).into_iter().rev().collect();
            assert!(apart(&oracle, turned, &maps.grad_cam) > 1e-2, "{place}");
        }
    }
}

/// Without noise SmoothGrad is the input gradient, and with a little it stays near it.
#[test]
fn smooth_grad_tends_to_the_input_gradient() {
    let oracle: Oracle = serde_json::from_str(include_str!("fixtures/gradcam.json")).unwrap();
    let case = &oracle.cases[0];
    let (network, pictures) = (network(&case.arch, case.gain), pictures(&oracle, case));
    let smooth = |samples, noise| {
        let settings = Smooth { samples, noise, seed: 1 };
        let maps = smooth_grad(&network, &pictures, &case.classes, &[1, 2], settings).unwrap();
        apart(&oracle, maps, &case.input_gradient)
    };
    assert!(smooth(1, 0.0) < 1e-3);
    let (little, much) = (smooth(4, 1e-5), smooth(4, 0.5));
    assert!(little < 0.02 && little < much, "{little} {much}");
}
