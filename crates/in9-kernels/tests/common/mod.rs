//! Random tensors, comparisons and finite differences that the tests share.
#![allow(dead_code)]

use candle_core::{DType, Device, Result, Tensor, Var};

/// Values in -1..1 that depend on (seed, index) only.
pub(crate) fn random_values(len: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect()
}

pub(crate) fn random(shape: &[usize], seed: u64) -> Tensor {
    let len = shape.iter().product();
    Tensor::from_vec(random_values(len, seed), shape, &Device::Cpu).unwrap()
}

pub(crate) fn values(t: &Tensor) -> Vec<f64> {
    t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// The largest difference, relative to the largest magnitude of `b`.
pub(crate) fn difference(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims(), b.dims());
    let (a, b) = (values(a), values(b));
    let scale = b.iter().fold(1e-3f64, |m, v| m.max(v.abs()));
    let largest = a.iter().zip(&b).fold(0f64, |m, (a, b)| {
        let d = (a - b).abs();
        if d.is_nan() { f64::INFINITY } else { m.max(d) }
    });
    largest / scale
}

/// Output and gradients of `Σ r ⊙ f(inputs)` with a fixed random r.
pub(crate) fn run(
    inputs: &[Tensor],
    dtype: DType,
    f: impl Fn(&[Tensor]) -> Result<Tensor>,
) -> (Tensor, Vec<Tensor>) {
    let vars: Vec<Var> =
        inputs.iter().map(|t| Var::from_tensor(&t.to_dtype(dtype).unwrap()).unwrap()).collect();
    let tensors: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let y = f(&tensors).unwrap();
    let r = random(y.dims(), 99).to_dtype(dtype).unwrap();
    let grads = (&y * r).unwrap().sum_all().unwrap().backward().unwrap();
    let gradients =
        vars.iter().map(|v| grads.get(v).cloned().unwrap_or_else(|| v.zeros_like().unwrap())).collect();
    (y.detach(), gradients)
}

/// The fused f32 kernels against the portable f64 implementation: output and every gradient.
pub(crate) fn implementations_agree(
    name: &str,
    inputs: &[Tensor],
    tolerance: f64,
    f: impl Fn(&[Tensor]) -> Result<Tensor>,
) {
    let (y, gradients) = run(inputs, DType::F32, &f);
    let (reference, references) = run(inputs, DType::F64, &f);
    let d = difference(&y, &reference);
    assert!(d <= tolerance, "{name}: output differs by {d:e}");
    for (i, (g, r)) in gradients.iter().zip(&references).enumerate() {
        let d = difference(g, r);
        assert!(d <= tolerance, "{name}: gradient {i} differs by {d:e}");
    }
}

/// The gradients of the portable f64 implementation against central differences, at up to 12 elements each.
pub(crate) fn gradients_are_right(name: &str, inputs: &[Tensor], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let (y, gradients) = run(inputs, DType::F64, &f);
    let r = values(&random(y.dims(), 99));
    let loss =
        |inputs: &[Tensor]| -> f64 { values(&f(inputs).unwrap()).iter().zip(&r).map(|(y, r)| y * r).sum() };
    let step = 1e-5;
    for (i, gradient) in gradients.iter().enumerate() {
        let (gradient, data) = (values(gradient), values(&inputs[i]));
        for at in (0..data.len()).step_by(data.len().div_ceil(12)) {
            let moved = |by: f64| {
                let mut data = data.clone();
                data[at] += by;
                let mut inputs = inputs.to_vec();
                inputs[i] = Tensor::from_vec(data, inputs[i].shape(), &Device::Cpu).unwrap();
                loss(&inputs)
            };
            let numeric = (moved(step) - moved(-step)) / (2.0 * step);
            let d = (numeric - gradient[at]).abs() / numeric.abs().max(1.0);
            assert!(d < 1e-6, "{name}: gradient {i} at {at} is {}, differences say {numeric}", gradient[at]);
        }
    }
}

/// Runs a test of the calling program again with each of the slower instruction sets.
pub(crate) fn under_every_instruction_set(test: &str) {
    for level in ["avx2", "portable"] {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test])
            .env("IN9_KERNELS_SIMD", level)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{level}:\n{text}");
        assert!(text.contains("1 passed"), "{level}: {test} is not a test:\n{text}");
    }
}
