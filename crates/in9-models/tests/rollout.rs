//! Attention rollout, and what Grad-CAM needs of transformers, against timm.
//!
//! References: tests/rollout.json, made by tests/oracles/rollout.py, which gives both sides the same weights and pictures by a
//! formula. Both agree to 1e-4 of their size.
#![cfg(feature = "transformers")]

#[path = "parity/formula.rs"]
#[allow(dead_code, reason = "the formula of whole architectures is for tests/parity.rs")]
mod formula;
#[path = "common/near.rs"]
mod near;

use std::collections::HashMap;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use in9_models::arch::dino::{self, DinoConfig, Generation};
use in9_models::arch::swin::{self, SwinConfig};
use in9_models::arch::transformer::{EncoderConfig, Nonlinearity, QkvBias};
use in9_models::arch::vit;
use in9_models::model::Builder;
use in9_models::weights::{Limits, read_bytes};
use in9_models::{Model, Params, build, registry};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde::Deserialize;

use near::{flat, relative};

#[derive(Deserialize)]
struct References {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    tensors: Vec<(String, Vec<usize>)>,
    height: usize,
    width: usize,
    grid: [usize; 2],
    rollout: Vec<f64>,
    layer: String,
    classes: [usize; 2],
    grad_cam: Vec<f64>,
}

/// As `weight` in tests/oracles/encoders.py; positions count five times.
fn values(name: &str, shape: &[usize]) -> Vec<f32> {
    let mut values = formula::value(name, shape, 1.0, false);
    if name.contains("pos") && !name.contains("bias") {
        values.iter_mut().for_each(|value| *value *= 5.0);
    }
    values
}

fn dino(patch: usize, epsilon: f64, generation: Generation) -> Builder {
    let nonlinearity = Nonlinearity::Gelu;
    let encoder = EncoderConfig { width: 64, layers: 2, heads: 4, hidden: 256, nonlinearity, epsilon };
    let config = DinoConfig { encoder, patch, registers: 4, generation };
    Arc::new(move |params, classes| dino::build(params, classes, &config))
}

impl Case {
    fn model(&self) -> Model {
        let bytes: Vec<Vec<u8>> = (self.tensors.iter())
            .map(|(name, shape)| values(name, shape).iter().flat_map(|v| v.to_le_bytes()).collect())
            .collect();
        let views =
            self.tensors.iter().zip(&bytes).map(|((name, shape), bytes)| {
                (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
            });
        let read =
            read_bytes(safetensors::serialize(views, None).unwrap(), &Limits::default()).unwrap().tensors;
        let tensors: HashMap<String, Tensor> = read
            .iter()
            .map(|(name, raw)| {
                let values = raw.to_f32().unwrap();
                (name.to_owned(), Tensor::from_vec(values, raw.shape(), &Device::Cpu).unwrap())
            })
            .collect();
        let params = Params::frozen(tensors, DType::F32, &Device::Cpu);
        let (arch, builder): (_, Builder) = match self.name.as_str() {
            "vit" => (
                "deit_tiny_patch16_224",
                Arc::new(|params: &Params, classes| vit::build(params, classes, 32, 4)),
            ),
            "dinov2" => ("vit_small_patch14_reg4_dinov2", dino(14, 1e-6, Generation::V2 { grid: 4 })),
            "dinov3" => {
                let generation = Generation::V3 { bias: QkvBias::None, gated: false };
                ("vit_small_patch16_dinov3", dino(16, 1e-5, generation))
            }
            "swin" => {
                let config = SwinConfig { width: 32, blocks: [2, 2, 2, 2], ..SwinConfig::TINY };
                let builder: Builder = Arc::new(move |params, classes| swin::build(params, classes, &config));
                ("swin_tiny_patch4_window7_224", builder)
            }
            other => panic!("{other}"),
        };
        let architecture = registry::find(arch).unwrap();
        Model::with_builder(architecture, self.name.clone(), builder, 8, &params).unwrap()
    }

    fn pictures(&self) -> Tensor {
        let Self { height, width, .. } = *self;
        let noise = formula::unit(&format!("input{height}x{width}"), 6 * height * width);
        let noise: Vec<f32> = noise.into_iter().map(|u| u * 4.0 - 2.0).collect();
        Tensor::from_vec(noise, (2, 3, height, width), &Device::Cpu).unwrap()
    }
}

#[test]
#[allow(clippy::print_stdout, reason = "shows how near it is")]
fn rollout_and_grad_cam_are_those_of_timm() {
    let text = include_str!("rollout.json");
    for case in serde_json::from_str::<References>(text).unwrap().cases {
        let (name, model, x) = (&case.name, case.model(), case.pictures());
        let map = model.attention_rollout(&x).unwrap().unwrap();
        let [rows, columns] = [map.dim(1).unwrap(), map.dim(2).unwrap()];
        let found = flat(&map);
        assert!(found.iter().all(|share| *share >= 0.0));
        assert!(found.chunks(rows * columns).all(|picture| picture.iter().sum::<f64>() < 1.0 + 1e-5));
        // Of a map with very many patches the reference keeps some.
        let found: Vec<f64> = found.into_iter().step_by(if name == "swin" { 41 } else { 1 }).collect();
        let error = relative(&found, &case.rollout);
        let mean = case.rollout.iter().sum::<f64>() / case.rollout.len() as f64;
        let beyond = |v: &[f64]| v.iter().map(|v| v - mean).collect::<Vec<_>>();
        let beyond_mean = relative(&beyond(&found), &beyond(&case.rollout));
        println!("{name}: rollout {error:.1e}, beyond its mean {beyond_mean:.1e}");
        assert!(error < 1e-4 && beyond_mean < 1e-4, "{name}: {error:.2e} {beyond_mean:.2e}");
        if name != "swin" {
            assert_eq!(case.grid, [rows, columns]);
        }

        assert!(model.tap_names().contains(&case.layer), "{name}: {:?}", model.tap_names());
        let (logits, taps) = model.forward_with_variables(&x, &[&case.layer]).unwrap();
        let activation = &taps[0].1;
        assert_eq!(activation.dims()[2..], case.grid, "{name}");
        let pick = |i: usize| logits.get(i).unwrap().get(case.classes[i]).unwrap();
        let gradients = (pick(0) + pick(1)).unwrap().backward().unwrap();
        let gradient = gradients.get(activation).unwrap_or_else(|| panic!("{name}: no gradient"));
        let weights = gradient.mean_keepdim((2, 3)).unwrap();
        let map = activation.broadcast_mul(&weights).unwrap().sum(1).unwrap().relu().unwrap();
        let error = relative(&flat(&map), &case.grad_cam);
        println!("{name}: Grad-CAM {error:.1e}");
        assert!(error < 1e-4, "{name}: {error:.2e}");
    }
}

#[test]
fn networks_without_attention_have_no_rollout() {
    let model = build("resnet-tiny", 3, &Params::zeros(DType::F32, &Device::Cpu)).unwrap();
    let x = Tensor::zeros((1, 3, 64, 64), DType::F32, &Device::Cpu).unwrap();
    assert!(!model.attends() && model.attention_rollout(&x).unwrap().is_none());
}
