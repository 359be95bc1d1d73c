//! Weights and inputs as a formula of name and index, as tests/oracles/zoo_parity.py computes them.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use in9_models::{Params, build};

/// FNV-1a of the name, then splitmix64 of (hash + index): 24 random bits as `[0, 1)`.
pub(crate) fn unit(name: &str, count: usize) -> Vec<f32> {
    let mut seed = 0xcbf2_9ce4_8422_2325u64;
    for byte in name.bytes() {
        seed = (seed ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    (1..=count as u64)
        .map(|i| {
            let mut z = seed.wrapping_add(i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            (z >> 40) as f32 / (1u32 << 24) as f32
        })
        .collect()
}

pub(crate) fn value(name: &str, shape: &[usize], gain: f32, steady: bool) -> Vec<f32> {
    let u = unit(name, shape.iter().product());
    let map = |f: &dyn Fn(f32) -> f32| u.iter().map(|&u| f(u)).collect();
    if name.ends_with("running_mean") {
        map(&|u| (u - 0.5) * 0.2)
    } else if name.ends_with("running_var") {
        map(&|u| u + 0.5)
    } else if name.ends_with("bias") && steady {
        let sign = |i: usize| if i % 4 == 3 { -1.0 } else { 1.0 };
        u.iter().enumerate().map(|(i, u)| (u * 0.3 + 0.7) * sign(i)).collect()
    } else if name.ends_with("bias") {
        map(&|u| (2.0 * u - 1.0) * 0.1)
    } else if shape.len() == 1 {
        let gain = if steady { 0.1 } else { gain };
        map(&|u| (u * 0.5 + 0.75) * gain)
    } else {
        let fan_in: usize = shape.iter().skip(1).product();
        let bound = (6.0 / fan_in as f64).sqrt() as f32;
        map(&|u| (2.0 * u - 1.0) * bound)
    }
}

/// The weights of an architecture: batch norms scaled by `gain`, or `steady` ones that keep every
/// unit off the kink of its ReLU.
pub(crate) fn weights(arch: &str, classes: usize, gain: f32, steady: bool) -> HashMap<String, Tensor> {
    let params = Params::zeros(DType::F32, &Device::Cpu);
    build(arch, classes, &params).unwrap();
    params
        .made()
        .into_iter()
        .map(|p| {
            let values = value(&p.name, p.value.dims(), gain, steady);
            let tensor = Tensor::from_vec(values, p.value.dims(), &Device::Cpu).unwrap();
            (p.name, tensor)
        })
        .collect()
}
