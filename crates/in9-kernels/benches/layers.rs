//! Time of single layers, forward and both gradients: `cargo bench -p in9-kernels`.

use candle_core::{Device, Tensor, Var};
use criterion::{Criterion, criterion_group, criterion_main};
use in9_kernels::{Activation, Conv2dConfig, batch_norm_train, conv2d, gradients, max_pool2d};
use std::hint::black_box;

/// Images, input channels, side, output channels, kernel, stride, groups.
const LAYERS: [[usize; 7]; 10] = [
    [64, 3, 64, 64, 7, 2, 1],
    [64, 64, 16, 64, 3, 1, 1],
    [64, 64, 16, 128, 3, 2, 1],
    [64, 128, 8, 128, 3, 1, 1],
    [64, 256, 4, 256, 3, 1, 1],
    [32, 64, 56, 64, 3, 1, 1],
    [32, 64, 56, 256, 1, 1, 1],
    [32, 1024, 14, 256, 1, 1, 1],
    [32, 144, 56, 144, 3, 1, 144],
    [32, 384, 14, 384, 3, 1, 384],
];

fn filled(shape: &[usize]) -> Tensor {
    let len: usize = shape.iter().product();
    let data: Vec<f32> = (0..len).map(|i| (i % 17) as f32 / 8.0 - 1.0).collect();
    Tensor::from_vec(data, shape, &Device::Cpu).expect("the data fits the shape")
}

fn convolutions(c: &mut Criterion) {
    for [n, inputs, side, outputs, kernel, stride, groups] in LAYERS {
        let config = Conv2dConfig::new(stride, kernel / 2).with_groups(groups);
        let x = filled(&[n, inputs, side, side]);
        let w = filled(&[outputs, inputs / groups, kernel, kernel]);
        let y = conv2d(&x, &w, None, &config).expect("the shapes fit");
        let name = format!("{n}x{inputs}x{side} to {outputs} k{kernel} s{stride} g{groups}");
        let mut group = c.benchmark_group(name);
        group.sample_size(10);
        group.bench_function("forward", |b| b.iter(|| conv2d(black_box(&x), &w, None, &config)));
        group.bench_function("filters' gradient", |b| {
            b.iter(|| gradients::conv2d(black_box(&x), &w, &y, &config, false));
        });
        group.bench_function("both gradients", |b| {
            b.iter(|| gradients::conv2d(black_box(&x), &w, &y, &config, true));
        });
        group.finish();
    }
}

fn others(c: &mut Criterion) {
    let x = Var::from_tensor(&filled(&[64, 64, 32, 32])).expect("a variable");
    let ones = filled(&[64]);
    let mut group = c.benchmark_group("64x64x32");
    group.sample_size(10);
    group.bench_function("batch norm and relu", |b| {
        b.iter(|| batch_norm_train(black_box(&x), &ones, &ones, 1e-5, Activation::Relu));
    });
    group.bench_function("max pool 3/2/1", |b| {
        b.iter(|| max_pool2d(black_box(&x), [3, 3], [2, 2], [1; 4]));
    });
    group.finish();
}

criterion_group!(benches, convolutions, others);
criterion_main!(benches);
