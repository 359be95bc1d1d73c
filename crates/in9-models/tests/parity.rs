//! Every architecture against torchvision or timm with the same weights.
//!
//! References: tests/parity/*.json, made by tests/oracles/zoo_parity.py. Logits agree to 1e-4 and
//! gradients with respect to the pictures to 1e-3 (relative, in the Euclidean norm), in evaluation
//! and in training, at the architecture's own size and at another. At the second size, where the
//! reference is f64, the logits of the portable bodies agree with it to 1e-6 in f64; their gradients
//! would take minutes and are compared on a small network (tests/gradients.rs). Architectures that
//! cannot be trained here are compared by their logits, and the largest of them by the names and shapes of their tensors.
//!
//! A unit on the kink of its ReLU has no gradient that f32 could agree on. References with a `salt`
//! have weights and pictures for which PyTorch's f32 agrees with itself and with its f64, and are
//! held to these bounds. Older ones, without, allow in f32 five times the distance that PyTorch has
//! from itself.

#[path = "parity/formula.rs"]
mod formula;
#[path = "common/near.rs"]
mod near;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor, Var};
use in9_models::registry::ARCHITECTURES;
use in9_models::{Mode, Model, Params, build};
use serde::Deserialize;

use near::{flat, norm, relative};

#[derive(Deserialize)]
struct Reference {
    arch: String,
    classes: usize,
    gain: f32,
    parameters: usize,
    cases: Vec<Case>,
    /// Names with `*` for the number of a block, how many there are, and their shape; where there is no case.
    #[serde(default)]
    tensors: Vec<(String, usize, Vec<usize>)>,
}

#[derive(Deserialize)]
struct Case {
    size: usize,
    train: bool,
    /// Whether its weights keep every unit off the kink of its ReLU.
    #[serde(default)]
    steady: bool,
    dtype: String,
    /// Which noise the pictures are.
    salt: Option<usize>,
    logits: Vec<f64>,
    #[serde(flatten)]
    gradient: Option<Gradient>,
    #[serde(default)]
    parameter_grad_norms: BTreeMap<String, f64>,
    #[serde(default)]
    running_norms: BTreeMap<String, f64>,
}

/// Of the pictures: its norm, and every `grad_step`th element.
#[derive(Deserialize)]
struct Gradient {
    torch_f32: Uncertainty,
    grad_norm: f64,
    grad_step: usize,
    grad: Vec<f64>,
}

/// How far PyTorch's f32 is from the reference.
#[derive(Deserialize)]
struct Uncertainty {
    logits: f64,
    grad: f64,
}

struct Tolerance {
    logits: f64,
    grad: f64,
}

/// Where the reference of an architecture is.
fn path(arch: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity").join(format!("{arch}.json"))
}

fn check(arch: &str) {
    let text = std::fs::read_to_string(path(arch)).unwrap();
    let reference: Reference = serde_json::from_str(&text).unwrap();
    assert_eq!(reference.arch, arch);
    if reference.cases.is_empty() {
        check_shapes(&reference);
    }
    for case in &reference.cases {
        let weights = formula::weights(&reference.arch, reference.classes, reference.gain, case.steady);
        let mut tolerance = Tolerance { logits: 1e-4, grad: 1e-3 };
        if let (None, Some(Gradient { torch_f32, .. })) = (case.salt, &case.gradient) {
            tolerance.logits = tolerance.logits.max(5.0 * torch_f32.logits);
            tolerance.grad = tolerance.grad.max(5.0 * torch_f32.grad);
        }
        run(&reference, &weights, case, DType::F32, &tolerance);
        if case.dtype == "f64" {
            run(&reference, &weights, case, DType::F64, &Tolerance { logits: 1e-6, grad: 1e-6 });
        }
    }
}

/// Compares names and shapes with those of the reference.
fn check_shapes(reference: &Reference) {
    let params = Params::zeros(DType::F32, &Device::Cpu);
    let model = build(&reference.arch, reference.classes, &params).unwrap();
    assert_eq!(model.parameter_count(), reference.parameters, "{}", reference.arch);
    let found: BTreeMap<String, Vec<usize>> =
        model.parameters().into_iter().map(|p| (p.name, p.value.dims().to_vec())).collect();
    let each = |(name, count, shape): &(String, usize, Vec<usize>)| {
        let (name, shape) = (name.clone(), shape.clone());
        (0..*count).map(move |i| (name.replace('*', &i.to_string()), shape.clone())).collect::<Vec<_>>()
    };
    let expected: BTreeMap<String, Vec<usize>> = reference.tensors.iter().flat_map(each).collect();
    assert_eq!(found, expected, "{}", reference.arch);
}

/// Compares one case, and prints how far it is from the reference.
#[allow(clippy::print_stdout, reason = "a helper of tests")]
fn run(
    reference: &Reference,
    weights: &HashMap<String, Tensor>,
    case: &Case,
    dtype: DType,
    tolerance: &Tolerance,
) {
    let label = format!("{} at {} px, train {}, {dtype:?}", reference.arch, case.size, case.train);
    let store = if case.train { Params::trainable } else { Params::frozen };
    let params = store(weights.clone(), dtype, &Device::Cpu).with_dropout(0.0);
    let model = build(&reference.arch, reference.classes, &params).unwrap();
    assert_eq!(model.parameter_count(), reference.parameters, "{label}: parameters");

    let x = Var::from_tensor(&pictures(case).to_dtype(dtype).unwrap()).unwrap();
    let mode = if case.train { Mode::Train { seed: 0, step: 0 } } else { Mode::Eval };
    let logits = model.forward(&x, mode).unwrap();
    let error = relative(&flat(&logits), &case.logits);
    assert!(error < tolerance.logits, "{label}: logits differ by {error:.2e}");
    let Some(Gradient { grad_norm, grad_step, grad, .. }) = &case.gradient else {
        assert!(model.architecture().evaluation_only, "{label}: no reference of the gradient");
        println!("{label}: logits {error:.1e}");
        return;
    };
    if dtype == DType::F64 {
        println!("{label}: logits {error:.1e}");
        return;
    }

    let cotangent = formula::unit("cotangent", 2 * reference.classes);
    let cotangent: Vec<f32> = cotangent.into_iter().map(|u| u * 2.0 - 1.0).collect();
    let cotangent = Tensor::from_vec(cotangent, (2, reference.classes), &Device::Cpu).unwrap();
    let loss = (&logits * cotangent.to_dtype(dtype).unwrap()).unwrap().sum_all().unwrap();
    let grads = loss.backward().unwrap();
    let found = flat(grads.get(&x).expect("a gradient of the input"));
    let norm_error = (norm(&found) / grad_norm - 1.0).abs();
    let sampled: Vec<f64> = found.iter().step_by(*grad_step).take(grad.len()).copied().collect();
    let grad_error = relative(&sampled, grad);
    println!("{label}: logits {error:.1e}, gradient {grad_error:.1e}, its norm {norm_error:.1e}");
    assert!(grad_error < tolerance.grad, "{label}: gradients differ by {grad_error:.2e}");
    assert!(norm_error < tolerance.grad, "{label}: gradient norms differ by {norm_error:.2e}");
    check_parameters(&label, &model, &grads, case, tolerance);
}

/// The noise of a case, `[2, 3, size, size]` in ±2.
fn pictures(case: &Case) -> Tensor {
    let Case { size, salt, .. } = case;
    let salt = salt.map_or_else(String::new, |salt| format!(".{salt}"));
    let values = formula::unit(&format!("input{size}{salt}"), 6 * size * size);
    let values: Vec<f32> = values.into_iter().map(|u| u * 4.0 - 2.0).collect();
    Tensor::from_vec(values, (2, 3, *size, *size), &Device::Cpu).unwrap()
}

/// Gradient norms of the parameters, relative to the largest, and norms of running statistics.
fn check_parameters(
    label: &str,
    model: &Model,
    grads: &candle_core::backprop::GradStore,
    case: &Case,
    tolerance: &Tolerance,
) {
    let largest = case.parameter_grad_norms.values().copied().fold(0.0, f64::max);
    let parameters: HashMap<String, _> =
        model.parameters().into_iter().map(|p| (p.name.clone(), p)).collect();
    for (name, &expected) in &case.parameter_grad_norms {
        let variable = parameters[name].variable.as_ref().unwrap();
        let found = norm(&flat(grads.get(variable).expect("a gradient of every parameter")));
        let error = (found - expected).abs() / (expected + 1e-3 * largest);
        assert!(error < 10.0 * tolerance.grad, "{label}: gradient of {name}: {found} for {expected}");
    }
    for (name, &expected) in &case.running_norms {
        let found = norm(&flat(&parameters[name].value));
        let error = (found / expected - 1.0).abs();
        assert!(error < tolerance.logits, "{label}: {name}: {found} for {expected}");
    }
}

macro_rules! architectures {
    ($($name:ident),* $(,)?) => {$(
        #[test]
        fn $name() {
            check(stringify!($name));
        }
    )*};
}

architectures! {
    alexnet,
    vgg16_bn,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
    wide_resnet50_2,
    shufflenet_v2_x0_5,
    shufflenet_v2_x1_0,
    mobilenet_v2,
    mobilenet_v3_small,
    mobilenet_v3_large,
    mobilenetv3_small_100,
    mobilenetv3_large_100,
    tf_mobilenetv3_small_100,
    tf_mobilenetv3_large_100,
    efficientnet_b0,
    tf_efficientnet_b0,
    efficientnet_lite0,
    tf_efficientnet_lite0,
    tf_efficientnet_lite1,
    tf_efficientnet_lite2,
    dpn92,
    vit_base_patch16_224,
    deit_tiny_patch16_224,
    deit_small_patch16_224,
    deit_base_patch16_224,
    convnext_tiny,
    swin_tiny_patch4_window7_224,
    swin_small_patch4_window7_224,
    swin_base_patch4_window7_224,
    vit_small_patch14_dinov2,
    vit_small_patch14_reg4_dinov2,
    vit_base_patch14_reg4_dinov2,
    vit_small_patch16_dinov3,
    vit_small_plus_patch16_dinov3,
    vit_base_patch16_dinov3,
    vit_small_patch16_dinov3_qkvb,
    vit_base_patch14_dinov2,
    vit_large_patch14_dinov2,
    vit_large_patch14_reg4_dinov2,
    vit_large_patch16_dinov3,
    vit_small_plus_patch16_dinov3_qkvb,
    vit_base_patch16_dinov3_qkvb,
    vit_large_patch16_dinov3_qkvb,
}

#[test]
fn every_architecture_has_a_reference() {
    let own = ["resnet-small", "resnet-tiny"];
    for entry in ARCHITECTURES.iter().filter(|entry| !own.contains(&entry.name)) {
        assert!(path(entry.name).exists(), "{}", entry.name);
    }
}
