//! Tensors in both layouts, and comparisons.

use candle_core::{DType, Device, Tensor, Var};
use in9_cuda::Activation;
use in9_cuda::launch::Element;

use crate::emulator::{Buffer, Values};

/// Both precisions, with the difference that is allowed relative to the largest value.
pub(crate) const PRECISIONS: [(Element, f64); 2] = [(Element::F32, 2e-5), (Element::Bf16, 6e-3)];

/// The same function in both crates' enums.
pub(crate) const ACTIVATIONS: [(Activation, in9_kernels::Activation); 7] = [
    (Activation::None, in9_kernels::Activation::None),
    (Activation::Relu, in9_kernels::Activation::Relu),
    (Activation::Relu6, in9_kernels::Activation::Relu6),
    (Activation::HardSwish, in9_kernels::Activation::HardSwish),
    (Activation::Silu, in9_kernels::Activation::Silu),
    (Activation::HardSigmoid, in9_kernels::Activation::HardSigmoid),
    (Activation::Sigmoid, in9_kernels::Activation::Sigmoid),
];

/// Values in -1..1 that depend on (seed, index) only.
pub(crate) fn random_values(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..len).map(|_| draw()).collect()
}

/// `factor · random + shift` that bf16 holds exactly if the test is of bf16.
pub(crate) fn random(shape: &[usize], seed: u64, [factor, shift]: [f32; 2], element: Element) -> Tensor {
    let values =
        random_values(shape.iter().product(), seed).into_iter().map(|v| v * factor + shift).collect();
    rounded(&Tensor::from_vec(values, shape, &Device::Cpu).unwrap(), element)
}

/// What is left in this precision, as f32.
pub(crate) fn rounded(t: &Tensor, element: Element) -> Tensor {
    match element {
        Element::Bf16 => t.to_dtype(DType::BF16).unwrap().to_dtype(DType::F32).unwrap(),
        _ => t.clone(),
    }
}

/// The values in row-major order.
pub(crate) fn flat(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}

/// The values of `[n, c, h, w]` with the channels last; of any other rank as they are.
pub(crate) fn channels_last(t: &Tensor) -> Vec<f32> {
    match t.rank() {
        4 => flat(&t.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap()),
        _ => flat(t),
    }
}

/// A tensor as a buffer that is read, channels last.
pub(crate) fn input(t: &Tensor, element: Element) -> Buffer {
    Buffer::Input(Values::f32s(element, &channels_last(t)))
}

pub(crate) fn f32_input(t: &Tensor) -> Buffer {
    input(t, Element::F32)
}

/// Room for a tensor of this many elements.
pub(crate) fn output(t: &Tensor, element: Element) -> Buffer {
    Buffer::Output(element, t.elem_count())
}

/// Asserts that values (channels last) are those of the CPU's tensor, up to a share of the largest.
pub(crate) fn assert_close(name: &str, found: &Values, expected: &Tensor, tolerance: f64) {
    let (found, expected) = (found.floats(), channels_last(expected));
    assert_eq!(found.len(), expected.len(), "{name}");
    let scale = expected.iter().fold(1e-3f64, |most, v| most.max(f64::from(v.abs())));
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let difference = f64::from((found - expected).abs());
        let same = found.is_nan() && expected.is_nan();
        assert!(same || difference <= tolerance * scale, "{name}: element {i} is {found}, not {expected}");
    }
}

/// Output and gradients of `Σ dy ⊙ f(inputs)` on the CPU.
pub(crate) fn on_the_cpu(
    inputs: &[&Tensor],
    dy: impl Fn(&Tensor) -> Tensor,
    f: impl Fn(&[Tensor]) -> candle_core::Result<Tensor>,
) -> (Tensor, Tensor, Vec<Tensor>) {
    let variables: Vec<Var> = inputs.iter().map(|t| Var::from_tensor(t).unwrap()).collect();
    let tensors: Vec<Tensor> = variables.iter().map(|v| v.as_tensor().clone()).collect();
    let y = f(&tensors).unwrap();
    let dy = dy(&y);
    let store = (&y * &dy).unwrap().sum_all().unwrap().backward().unwrap();
    let gradient = |v: &Var| store.get(v).cloned().unwrap_or_else(|| v.zeros_like().unwrap());
    (y.detach(), dy, variables.iter().map(gradient).collect())
}
