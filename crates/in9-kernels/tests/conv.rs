//! Convolution: the fused kernels against the portable implementation, and that against finite differences.

mod common;

use candle_core::{DType, Tensor};
use common::{gradients_are_right, implementations_agree, random};
use in9_kernels::{Activation, Conv2dConfig, Error, FrozenConv2d, add_act, conv2d, conv2d_act, gradients};

struct Case {
    x: [usize; 4],
    w: [usize; 4],
    config: Conv2dConfig,
}

fn case(
    x: [usize; 4],
    w: [usize; 4],
    stride: [usize; 2],
    padding: [usize; 4],
    dilation: [usize; 2],
    groups: usize,
) -> Case {
    Case { x, w, config: Conv2dConfig { stride, padding, dilation, groups } }
}

fn square(x: [usize; 4], out: usize, k: usize, s: usize, p: usize, groups: usize) -> Case {
    case(x, [out, x[1] / groups, k, k], [s; 2], [p; 4], [1; 2], groups)
}

/// Shapes with odd sizes, borders, strides, dilations and groups.
fn cases() -> Vec<Case> {
    vec![
        square([2, 3, 8, 8], 4, 3, 1, 1, 1),
        square([1, 3, 33, 33], 8, 7, 2, 3, 1),
        square([4, 16, 14, 14], 32, 3, 2, 1, 1),
        square([3, 8, 56, 56], 8, 3, 1, 1, 1),
        square([70, 5, 2, 2], 7, 3, 1, 1, 1),
        square([9, 17, 7, 7], 33, 3, 1, 1, 1),
        square([2, 32, 5, 5], 16, 3, 1, 1, 1),
        square([2, 20, 9, 11], 19, 3, 1, 1, 1),
        square([40, 16, 2, 2], 50, 3, 1, 1, 1),
        square([3, 16, 1, 1], 16, 3, 1, 1, 1),
        square([1, 16, 61, 30], 16, 3, 1, 1, 1),
        square([2, 16, 6, 5], 16, 3, 1, 4, 1),
        square([2, 16, 3, 9], 48, 3, 1, 0, 1),
        case([2, 16, 7, 10], [16, 16, 3, 3], [1, 1], [0, 1, 2, 0], [1; 2], 1),
        square([5, 4, 1, 1], 6, 3, 1, 1, 1),
        square([5, 4, 1, 1], 6, 1, 1, 0, 1),
        square([4, 32, 7, 7], 16, 1, 1, 0, 1),
        square([2, 32, 28, 28], 16, 1, 1, 0, 1),
        square([3, 16, 30, 30], 16, 1, 2, 0, 1),
        square([2, 6, 9, 9], 4, 1, 3, 0, 1),
        square([2, 4, 9, 9], 5, 2, 3, 0, 1),
        square([1, 2, 2, 2], 3, 5, 1, 2, 1),
        square([1, 2, 3, 3], 3, 5, 2, 3, 1),
        square([2, 2, 4, 4], 3, 3, 1, 4, 1),
        square([2, 2, 6, 6], 3, 3, 1, 0, 1),
        square([3, 16, 12, 12], 32, 3, 1, 1, 4),
        square([3, 16, 12, 12], 32, 3, 2, 1, 4),
        square([3, 16, 20, 20], 8, 1, 1, 0, 4),
        square([2, 16, 13, 13], 16, 3, 1, 1, 16),
        square([2, 16, 28, 28], 16, 3, 2, 1, 16),
        square([2, 24, 15, 15], 24, 5, 2, 2, 24),
        square([2, 24, 7, 7], 24, 5, 1, 2, 24),
        square([2, 5, 1, 1], 5, 3, 1, 1, 5),
        square([2, 5, 2, 2], 5, 5, 2, 2, 5),
        square([2, 8, 10, 10], 16, 3, 1, 1, 8),
        case([2, 3, 8, 9], [4, 3, 3, 3], [2, 2], [1; 4], [1; 2], 1),
        case([2, 3, 9, 8], [4, 3, 3, 3], [1, 1], [1, 0, 0, 2], [1; 2], 1),
        case([2, 3, 9, 8], [4, 3, 3, 3], [2, 2], [0, 1, 0, 1], [1; 2], 1),
        case([2, 3, 12, 10], [4, 3, 1, 3], [1, 1], [0, 0, 1, 1], [1; 2], 1),
        case([2, 3, 12, 10], [4, 3, 5, 2], [2, 1], [2, 1, 0, 1], [1; 2], 1),
        case([2, 3, 12, 11], [4, 3, 3, 3], [1, 2], [2, 2, 1, 1], [2, 1], 1),
        case([2, 4, 12, 11], [4, 4, 3, 3], [2, 2], [2; 4], [2; 2], 1),
        case([2, 4, 12, 11], [4, 4, 3, 3], [1, 1], [2; 4], [2; 2], 1),
        case([2, 4, 12, 11], [4, 1, 3, 3], [1, 1], [2; 4], [2; 2], 4),
        case([2, 4, 12, 11], [4, 1, 3, 5], [3, 2], [0, 2, 1, 3], [2, 1], 4),
        case([2, 4, 12, 11], [6, 2, 3, 3], [2, 1], [1, 0, 0, 1], [1, 2], 2),
        square([3, 6, 1, 1], 70, 1, 1, 0, 1),
        square([2, 3, 1, 7], 20, 3, 2, 1, 1),
        square([2, 2, 5, 5], 3, 5, 7, 2, 1),
        square([1, 3, 2, 40], 17, 1, 4, 0, 1),
    ]
}

/// Sizes beyond those of one block, panel or strip of the implicit matrix product.
fn large_cases() -> Vec<Case> {
    vec![
        square([5, 72, 9, 9], 40, 3, 2, 1, 1),
        square([9, 200, 3, 3], 110, 1, 1, 0, 1),
        square([1, 40, 31, 29], 100, 1, 1, 0, 1),
        square([15, 33, 5, 4], 65, 1, 2, 0, 1),
        square([1, 3, 70, 64], 35, 7, 2, 3, 1),
        square([2, 80, 6, 6], 80, 3, 2, 1, 2),
    ]
}

#[test]
fn kernels_agree_with_the_portable_implementation() {
    for Case { x, w, config } in cases().into_iter().chain(large_cases()) {
        let inputs = [random(&x, 1), random(&w, 2), random(&[w[0]], 3)];
        let name = format!("{x:?} {w:?} {config:?}");
        implementations_agree(&name, &inputs[..2], 1e-5, |t| Ok(conv2d(&t[0], &t[1], None, &config)?));
        implementations_agree(&name, &inputs, 1e-5, |t| Ok(conv2d(&t[0], &t[1], Some(&t[2]), &config)?));
    }
}

#[test]
fn portable_gradients_equal_finite_differences() {
    for Case { x, w, config } in cases() {
        // Fewer images and channels: a convolution is linear in both.
        let inputs =
            [random(&[x[0].min(2), x[1], x[2].min(15), x[3].min(15)], 1), random(&w, 2), random(&[w[0]], 3)];
        let name = format!("{x:?} {w:?} {config:?}");
        gradients_are_right(&name, &inputs, |t| Ok(conv2d(&t[0], &t[1], Some(&t[2]), &config)?));
    }
}

#[test]
fn the_fused_layer_equals_its_parts() {
    for Case { x, w, config } in cases() {
        for activation in
            [Activation::None, Activation::Relu, Activation::Relu6, Activation::HardSwish, Activation::Silu]
        {
            let f32s = |t: &Tensor| t.to_dtype(candle_core::DType::F32).unwrap();
            let (x, w, b) = (random(&x, 1), random(&w, 2), random(&[w[0]], 3));
            let fused = conv2d_act(&f32s(&x), &f32s(&w), Some(&f32s(&b)), &config, activation).unwrap();
            let parts = activation.apply(&conv2d(&x, &w, Some(&b), &config).unwrap()).unwrap();
            let d = common::difference(&fused, &parts);
            assert!(d < 1e-5, "{config:?} {activation:?}: {d:e}");
        }
    }
}

fn bits(t: &Tensor) -> Vec<u32> {
    t.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
}

#[test]
fn packed_filters_and_a_residual_change_no_bit() {
    for Case { x, w, config } in cases().into_iter().chain(large_cases()) {
        let f32s = |shape: &[usize], seed| random(shape, seed).to_dtype(DType::F32).unwrap();
        let (weight, bias) = (f32s(&w, 2), f32s(&[w[0]], 3));
        let frozen = FrozenConv2d::new(weight.clone(), Some(bias.clone()));
        // The same size twice, then another, for which another method and other strips may be chosen.
        for (seed, [height, width]) in [(1, [x[2], x[3]]), (4, [x[2], x[3]]), (5, [x[2] + 3, x[3] + 2])] {
            let x = f32s(&[x[0], x[1], height, width], seed);
            let plain = conv2d(&x, &weight, Some(&bias), &config).unwrap();
            let residual = f32s(plain.dims(), 7);
            for activation in [Activation::None, Activation::Relu, Activation::HardSwish] {
                let expected = activation.apply(&plain).unwrap();
                let found = frozen.forward(&x, &config, None, activation).unwrap();
                assert_eq!(bits(&found), bits(&expected), "{config:?} {activation:?}");
                let expected = add_act(&plain, &residual, activation).unwrap();
                let found = frozen.forward(&x, &config, Some(&residual), activation).unwrap();
                assert_eq!(bits(&found), bits(&expected), "{config:?} {activation:?} residual");
            }
        }
    }
}

#[test]
fn gradients_flow_through_frozen_filters_into_the_image_only() {
    let config = Conv2dConfig::new(1, 1);
    let (w, b) = (random(&[6, 3, 3, 3], 2), random(&[6], 3));
    let residual = random(&[2, 6, 5, 5], 4);
    for dtype in [DType::F32, DType::F64] {
        let cast = |t: &Tensor| t.to_dtype(dtype).unwrap();
        let frozen = FrozenConv2d::new(cast(&w), Some(cast(&b)));
        let inputs = [random(&[2, 3, 5, 5], 1)];
        let of_frozen =
            |t: &[Tensor]| Ok(frozen.forward(&t[0], &config, Some(&cast(&residual)), Activation::Relu)?);
        let of_parts = |t: &[Tensor]| {
            let y = conv2d(&t[0], &cast(&w), Some(&cast(&b)), &config)?;
            Ok(add_act(&y, &cast(&residual), Activation::Relu)?)
        };
        let (found, expected) =
            (common::run(&inputs, dtype, of_frozen), common::run(&inputs, dtype, of_parts));
        assert_eq!(common::difference(&found.0, &expected.0), 0.0);
        assert_eq!(common::difference(&found.1[0], &expected.1[0]), 0.0);
        assert!(common::values(&found.1[0]).iter().any(|&v| v != 0.0));
    }
}

#[test]
fn sums_without_terms_are_the_bias() {
    let x = Tensor::zeros((2, 0, 4, 4), DType::F32, &candle_core::Device::Cpu).unwrap();
    let w = Tensor::zeros((3, 0, 3, 3), DType::F32, &candle_core::Device::Cpu).unwrap();
    let bias = Tensor::new(&[1f32, -2.0, 3.0], &candle_core::Device::Cpu).unwrap();
    let y = conv2d_act(&x, &w, Some(&bias), &Conv2dConfig::new(1, 1), Activation::Relu).unwrap();
    let expected: Vec<f32> = (0..2 * 3 * 16).map(|i| [1.0, 0.0, 3.0][i / 16 % 3]).collect();
    assert_eq!(y.flatten_all().unwrap().to_vec1::<f32>().unwrap(), expected);
}

#[test]
fn strided_inputs_are_accepted() {
    let config = Conv2dConfig::new(1, 1);
    let inputs = [random(&[2, 9, 6, 3], 1), random(&[3, 3, 4, 3], 2)];
    implementations_agree("permuted", &inputs, 1e-5, |t| {
        Ok(conv2d(&t[0].permute((0, 3, 1, 2))?, &t[1].transpose(0, 2)?, None, &config)?)
    });
}

#[test]
fn wrong_shapes_are_rejected_with_both_shapes() {
    let (x, w) = (random(&[1, 3, 8, 8], 1), random(&[4, 2, 3, 3], 2));
    let error = conv2d(&x, &w, None, &Conv2dConfig::default()).unwrap_err();
    assert!(
        matches!(&error, Error::Shape { argument: "w", found, .. } if *found == [4, 2, 3, 3]),
        "{error:?}"
    );
    assert!(error.to_string().contains("[4, 2, 3, 3]") && error.to_string().contains("3/1"), "{error}");
    let zero = Conv2dConfig { stride: [0, 1], ..Conv2dConfig::default() };
    let error = conv2d(&x, &w, None, &zero).unwrap_err();
    assert!(matches!(error, Error::Zero { op: "conv2d", parameter: "stride" }), "{error:?}");
}

#[test]
fn plain_gradients_equal_those_of_the_graph() {
    for Case { x, w, config } in cases().into_iter().step_by(3) {
        for dtype in [DType::F32, DType::F64] {
            let inputs = [random(&x, 1), random(&w, 2)];
            let f = |t: &[Tensor]| Ok(conv2d(&t[0], &t[1], None, &config)?);
            let (y, expected) = common::run(&inputs, dtype, f);
            let dy = random(y.dims(), 99).to_dtype(dtype).unwrap();
            let cast = |t: &Tensor| t.to_dtype(dtype).unwrap();
            let (dx, dw) =
                gradients::conv2d(&cast(&inputs[0]), &cast(&inputs[1]), &dy, &config, true).unwrap();
            assert_eq!(common::difference(&dx.unwrap(), &expected[0]), 0.0);
            assert_eq!(common::difference(&dw, &expected[1]), 0.0);
        }
    }
}

#[test]
fn every_instruction_set_agrees_with_the_portable_implementation() {
    common::under_every_instruction_set("kernels_agree_with_the_portable_implementation");
}
