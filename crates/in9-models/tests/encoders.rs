//! Swin, DINOv2 and DINOv3 against torchvision, timm, transformers and the authors' code: from the names of the tensors in a
//! file to the features.
//!
//! References: tests/encoders/*.json, made by tests/oracles/encoders.py, which gives both sides the same weights and pictures
//! by a formula. Features agree to 1e-4 of their size.
#![cfg(feature = "transformers")]

#[path = "parity/formula.rs"]
#[allow(dead_code, reason = "the formula of whole architectures is for tests/parity.rs")]
mod formula;
#[path = "common/near.rs"]
mod near;

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor, Var};
use in9_models::arch::dino::{self, DinoConfig, Generation};
use in9_models::arch::swin::{self, SwinConfig};
use in9_models::arch::transformer::{EncoderConfig, Nonlinearity, QkvBias};
use in9_models::model::{Context, Network};
use in9_models::weights::{Limits, StateDict, read_bytes};
use in9_models::{Mode, Params};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde::Deserialize;

use near::{flat, relative};

#[derive(Deserialize)]
struct Reference {
    sizes: Sizes,
    tensors: Vec<(String, Vec<usize>)>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Sizes {
    Swin {
        width: usize,
        blocks: [usize; 4],
    },
    DinoV2 {
        #[serde(flatten)]
        dino: Dino,
        grid: usize,
    },
    DinoV3 {
        #[serde(flatten)]
        dino: Dino,
        bias: bool,
        gated: bool,
    },
}

#[derive(Deserialize)]
struct Dino {
    width: usize,
    layers: usize,
    heads: usize,
    registers: usize,
}

impl Dino {
    fn config(&self, patch: usize, epsilon: f64, generation: Generation) -> DinoConfig {
        let &Self { width, layers, heads, registers } = self;
        let nonlinearity = Nonlinearity::Gelu;
        let encoder = EncoderConfig { width, layers, heads, hidden: 4 * width, nonlinearity, epsilon };
        DinoConfig { encoder, patch, registers, generation }
    }
}

impl Sizes {
    fn build(&self, params: &Params, classes: usize) -> Box<dyn Network> {
        let config = match self {
            &Self::Swin { width, blocks } => {
                let config = SwinConfig { width, blocks, ..SwinConfig::TINY };
                return swin::build(params, classes, &config).unwrap();
            }
            Self::DinoV2 { dino, grid } => dino.config(14, 1e-6, Generation::V2 { grid: *grid }),
            Self::DinoV3 { dino, bias, gated } => {
                let bias = if *bias { QkvBias::NotKeys } else { QkvBias::None };
                dino.config(16, 1e-5, Generation::V3 { bias, gated: *gated })
            }
        };
        dino::build(params, classes, &config).unwrap()
    }

    fn head(&self) -> &'static str {
        if matches!(self, Self::Swin { .. }) { "head.fc" } else { "head" }
    }
}

#[derive(Deserialize)]
struct Case {
    height: usize,
    width: usize,
    features: Vec<f64>,
}

fn reference(name: &str) -> Reference {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/encoders").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// As `weight` in tests/oracles/encoders.py; positions count five times.
fn values(name: &str, shape: &[usize]) -> Vec<f32> {
    let mut values = formula::value(name, shape, 1.0, false);
    if name.contains("pos") && !name.contains("bias") {
        values.iter_mut().for_each(|value| *value *= 5.0);
    }
    values
}

impl Reference {
    /// The weights as they come out of a file of the library.
    fn read(&self) -> StateDict {
        let tensors = self.tensors.iter().map(|(name, shape)| {
            if name.ends_with("relative_position_index") {
                return (name, Dtype::I64, shape, vec![0; 8 * shape.iter().product::<usize>()]);
            }
            let bytes = values(name, shape).iter().flat_map(|v| v.to_le_bytes()).collect();
            (name, Dtype::F32, shape, bytes)
        });
        let tensors: Vec<(&String, Dtype, &Vec<usize>, Vec<u8>)> = tensors.collect();
        let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
            (name, TensorView::new(*dtype, shape.to_vec(), bytes).unwrap())
        });
        read_bytes(safetensors::serialize(views, None).unwrap(), &Limits::default()).unwrap().tensors
    }

    /// The network with its classifier replaced by one that hands on what it gets.
    fn network(&self) -> (Box<dyn Network>, Params) {
        let mut tensors: HashMap<String, Tensor> = HashMap::new();
        for (name, raw) in self.read().iter() {
            let tensor = Tensor::from_vec(raw.to_f32().unwrap(), raw.shape(), &Device::Cpu).unwrap();
            tensors.insert(name.to_owned(), tensor);
        }
        let width = self.cases[0].features.len() / 2;
        let head = self.sizes.head();
        tensors.insert(format!("{head}.weight"), Tensor::eye(width, DType::F32, &Device::Cpu).unwrap());
        tensors.insert(format!("{head}.bias"), Tensor::zeros(width, DType::F32, &Device::Cpu).unwrap());
        let params = Params::frozen(tensors, DType::F32, &Device::Cpu);
        (self.sizes.build(&params, width), params)
    }
}

#[allow(clippy::print_stdout, reason = "a helper of tests")]
fn check(name: &str) {
    let reference = reference(name);
    let (network, params) = reference.network();
    assert!(params.unused().is_empty(), "{name}: {:?}", params.unused());
    for Case { height, width, features } in &reference.cases {
        let noise = formula::unit(&format!("input{height}x{width}"), 6 * height * width);
        let noise: Vec<f32> = noise.into_iter().map(|u| u * 4.0 - 2.0).collect();
        let x = Tensor::from_vec(noise, (2, 3, *height, *width), &Device::Cpu).unwrap();
        let found = network.forward(&x, &mut Context::new(Mode::Eval)).unwrap();
        let error = relative(&flat(&found), features);
        println!("{name} at {height} by {width}: {error:.1e}");
        assert!(error < 1e-4, "{name} at {height} by {width}: features differ by {error:.2e}");

        // The way that gradients go back computes the same, and they arrive.
        let x = Var::from_tensor(&x).unwrap();
        let again = network.forward(x.as_tensor(), &mut Context::new(Mode::Eval)).unwrap();
        assert!(relative(&flat(&again), features) < 1e-4, "{name}: with a graph");
        let gradients = again.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        assert!(flat(gradients.get(&x).expect("a gradient")).iter().any(|v| v.abs() > 0.0), "{name}");

        // A picture has the same features alone.
        let alone =
            network.forward(&x.narrow(0, 1, 1).unwrap().detach(), &mut Context::new(Mode::Eval)).unwrap();
        assert!(relative(&flat(&alone), &features[features.len() / 2..]) < 1e-4, "{name}: alone");
    }
}

macro_rules! references {
    ($($test:ident: $name:literal),* $(,)?) => {$(
        #[test]
        fn $test() {
            check($name);
        }
    )*};
}

references! {
    torchvision_swin: "torchvision-swin",
    timm_swin: "timm-swin",
    authors_dinov2: "authors-dinov2",
    authors_dinov2_with_registers: "authors-dinov2-reg4",
    timm_dinov2: "timm-dinov2",
    timm_dinov2_with_registers: "timm-dinov2-reg4",
    transformers_dinov2: "transformers-dinov2",
    transformers_dinov2_with_registers: "transformers-dinov2-reg4",
    timm_dinov3: "timm-dinov3",
    timm_dinov3_with_biases: "timm-dinov3-qkvb",
    timm_dinov3_with_gates: "timm-dinov3-gated",
    transformers_dinov3: "transformers-dinov3",
    transformers_dinov3_with_gates: "transformers-dinov3-gated",
}

#[test]
fn pictures_that_are_no_whole_patches_are_refused() {
    let (network, _) = reference("timm-dinov2").network();
    let x = Tensor::zeros((1, 3, 56, 60), DType::F32, &Device::Cpu).unwrap();
    let error = network.forward(&x, &mut Context::new(Mode::Eval)).unwrap_err().to_string();
    assert!(error.contains("multiples of 14"), "{error}");
}
