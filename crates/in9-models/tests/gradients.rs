//! Gradients through a whole small network: against finite differences in f64 (the portable
//! bodies), and the fused f32 bodies against the portable ones.

use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor};
use in9_models::{Kind, Mode, Model, Params, build};

const MODE: Mode = Mode::Train { seed: 1, step: 2 };

/// Pictures `[4, 3, 32, 32]` and labels, the same numbers in any type.
fn batch(dtype: DType) -> (Tensor, Tensor) {
    let values: Vec<f64> = (0..4 * 3 * 32 * 32).map(|i| f64::from(i * 7919 % 2003) / 1000.0 - 1.0).collect();
    let x = Tensor::from_vec(values, (4, 3, 32, 32), &Device::Cpu).unwrap();
    (x.to_dtype(dtype).unwrap(), Tensor::new(&[0u32, 2, 1, 2], &Device::Cpu).unwrap())
}

fn model(dtype: DType) -> Model {
    network("resnet-tiny", dtype)
}

fn network(arch: &str, dtype: DType) -> Model {
    build(arch, 3, &Params::random(3, dtype, &Device::Cpu)).unwrap()
}

fn loss(model: &Model) -> Tensor {
    let (x, labels) = batch(model.dtype());
    let logits = model.forward(&x, MODE).unwrap();
    in9_kernels::cross_entropy(&logits, &labels, 0.1).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn gradients(model: &Model) -> HashMap<String, Vec<f64>> {
    let store: GradStore = loss(model).backward().unwrap();
    let trained = model.parameters().into_iter().filter(|p| p.kind != Kind::Running);
    trained.map(|p| (p.name, values(store.get(&p.variable.unwrap()).unwrap()))).collect()
}

#[test]
fn every_parameter_s_gradient_equals_finite_differences() {
    const H: f64 = 1e-6;
    let model = model(DType::F64);
    let gradients = gradients(&model);
    for parameter in model.parameters().into_iter().filter(|p| p.kind != Kind::Running) {
        let variable = parameter.variable.unwrap();
        let original = values(&variable);
        // One element a parameter, not always the first.
        let at = original.len() * 5 / 7;
        let at_offset = |offset: f64| {
            let mut moved = original.clone();
            moved[at] += offset;
            let moved = Tensor::from_vec(moved, variable.shape(), &Device::Cpu).unwrap();
            variable.set(&moved).unwrap();
            loss(&model).to_scalar::<f64>().unwrap()
        };
        let numeric = (at_offset(H) - at_offset(-H)) / (2.0 * H);
        at_offset(0.0);
        let analytic = gradients[&parameter.name][at];
        let error = (numeric - analytic).abs() / (numeric.abs() + analytic.abs()).max(1e-4);
        assert!(error < 1e-4, "{}[{at}]: {analytic} but {numeric}", parameter.name);
    }
}

#[test]
fn fused_and_portable_bodies_agree() {
    let (fused, portable) = (model(DType::F32), model(DType::F64));
    let (a, b) = (gradients(&fused), gradients(&portable));
    assert_eq!(a.len(), b.len());
    for (name, expected) in &b {
        let scale = expected.iter().fold(1e-3, |max: f64, v| max.max(v.abs()));
        for (found, expected) in a[name].iter().zip(expected) {
            assert!((found - expected).abs() < 2e-4 * scale, "{name}: {found} but {expected}");
        }
    }
    // The pass moved the running statistics, and by the same amounts.
    for (f, p) in fused.parameters().iter().zip(portable.parameters()) {
        if f.kind == Kind::Running {
            let initial = if f.name.ends_with("var") { 1.0 } else { 0.0 };
            let (f_values, p_values) = (values(&f.value), values(&p.value));
            assert!(p_values.iter().any(|v| (v - initial).abs() > 1e-4), "{}", f.name);
            for (found, expected) in f_values.iter().zip(p_values) {
                assert!((found - expected).abs() < 1e-5 * expected.abs().max(1.0), "{}", f.name);
            }
        }
    }
}

#[test]
fn evaluation_modes_agree() {
    for arch in ["resnet-tiny", "resnet50", "mobilenet_v2"] {
        let model = network(arch, DType::F32);
        loss(&model);
        let (x, _) = batch(DType::F32);
        let moving = values(&model.forward(&x, Mode::Eval).unwrap());
        let frozen = model.frozen().unwrap();
        let portable = network(arch, DType::F64);
        loss(&portable);
        let portable = values(&portable.forward(&batch(DType::F64).0, Mode::Eval).unwrap());
        // The second pass finds packed filters.
        for _ in 0..2 {
            let frozen = values(&frozen.forward(&x, Mode::Eval).unwrap());
            for ((a, b), c) in moving.iter().zip(&frozen).zip(&portable) {
                assert_eq!(a, b, "{arch}");
                assert!((a - c).abs() < 1e-4 * c.abs().max(1.0), "{arch}: {a} {c}");
            }
        }
    }
}

/// Pictures of noise, `[8, 3, 64, 64]`, and labels: small planes would make every rounding error a large one.
fn noise(dtype: DType) -> (Tensor, Tensor) {
    let value = |i: u64| {
        let mut hash = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash = (hash ^ hash >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        f64::from((hash >> 40) as u32) / f64::from(1u32 << 23) - 1.0
    };
    let x = Tensor::from_vec((0..8 * 3 * 64 * 64).map(value).collect(), (8, 3, 64, 64), &Device::Cpu);
    let labels = Tensor::new(&[0u32, 1, 2, 0, 1, 2, 0, 1], &Device::Cpu).unwrap();
    (x.unwrap().to_dtype(dtype).unwrap(), labels)
}

/// All gradients of a network and, in front, its loss; by Candle's graph, or by the tape.
fn pass(arch: &str, dtype: DType, tape: bool) -> (Model, Vec<f64>) {
    let (model, (x, labels)) = (network(arch, dtype), noise(dtype));
    let (loss, store) = if tape {
        let (loss, logits, store) = model.gradients(&x, &labels, 0.1, 1.0, MODE).unwrap();
        assert_eq!(logits.dims(), [8, 3]);
        (loss, store)
    } else {
        let logits = model.forward(&x, MODE).unwrap();
        let loss = in9_kernels::cross_entropy(&logits, &labels, 0.1).unwrap();
        let store = loss.backward().unwrap();
        (loss, store)
    };
    let mut all = values(&loss);
    for parameter in model.parameters().into_iter().filter(|p| p.kind != Kind::Running) {
        all.extend(values(store.get(&parameter.variable.unwrap()).unwrap()));
    }
    (model, all)
}

/// The length of the difference as a share of that of `expected`.
fn distance(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let difference = square(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    (difference / square(&mut expected.iter().copied())).sqrt()
}

/// On the tape activations are in blocks of channels (but for ShuffleNet's), whose sums have another order. Where nothing has
/// a kink that is rounding.
#[test]
fn the_tape_gives_the_gradients_of_the_graph() {
    for arch in ["tf_efficientnet_b0", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0"] {
        let ((graph, expected), (taped, found)) =
            (pass(arch, DType::F32, false), pass(arch, DType::F32, true));
        assert!(distance(&found, &expected) < 1e-3, "{arch}: {}", distance(&found, &expected));
        for (ours, theirs) in taped.parameters().iter().zip(graph.parameters()) {
            if ours.kind == Kind::Running {
                let (found, expected) = (values(&ours.value), values(&theirs.value));
                let furthest = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(furthest < 1e-5, "{arch} {}: {furthest}", ours.name);
            }
        }
    }
}

/// A value that rounding moves over the kink of a ReLU changes gradients by more than rounding, in the tape's sums and in
/// the graph's: neither may be much farther from those in f64.
#[test]
fn with_kinks_the_tape_is_as_near_to_the_truth_as_the_graph() {
    for arch in ["resnet-tiny", "resnet18", "mobilenet_v2", "mobilenetv3_small_100"] {
        let truth = pass(arch, DType::F64, false).1;
        let [graph, tape] = [false, true].map(|tape| distance(&pass(arch, DType::F32, tape).1, &truth));
        assert!(tape < 3.0 * graph + 1e-4 && tape < 0.03, "{arch}: tape {tape}, graph {graph}");
    }
}
