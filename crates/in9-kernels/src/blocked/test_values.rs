//! Tensors for tests.

use candle_core::{Device, Tensor};

/// Values between -1 and 1 that do not repeat with any size used here.
pub(super) fn tensor(shape: &[usize], seed: usize) -> Tensor {
    let len: usize = shape.iter().product();
    let value = |i: usize| ((i * 7919 + seed * 104_729) % 2003) as f32 / 1001.0 - 1.0;
    Tensor::from_vec((0..len).map(value).collect::<Vec<f32>>(), shape, &Device::Cpu).unwrap()
}

/// The elements of a tensor.
pub(super) fn values(t: &Tensor) -> Vec<f32> {
    t.flatten_all().unwrap().to_vec1().unwrap()
}
