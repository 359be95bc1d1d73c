//! Normalisation, pooling, activations, dropout and loss: the fused kernels against the portable
//! implementations, and those against finite differences.

mod common;

use candle_core::{DType, Device, Tensor, Var};
use common::{difference, gradients_are_right, implementations_agree, random, run, values};
use in9_kernels::{
    Activation, BatchNormOutput, ChannelSource, Conv2dConfig, Error, adaptive_avg_pool2d, add_act,
    assemble_channels, avg_pool2d, batch_norm_train, conv2d, conv2d_act, cross_entropy, dropout,
    fold_batch_norm, global_avg_pool, gradients, linear, max_pool2d, scale_channels, update_running_stats,
};

fn check(name: &str, inputs: &[Tensor], f: impl Fn(&[Tensor]) -> candle_core::Result<Tensor>) {
    implementations_agree(name, inputs, 1e-5, &f);
    gradients_are_right(name, inputs, &f);
}

#[test]
fn activations() {
    for a in Activation::ALL {
        let x = (random(&[3, 5, 7], 1) * 8.0).unwrap();
        check(&format!("{a:?}"), &[x], |t| Ok(a.apply(&t[0])?));
    }
}

#[test]
fn activation_gradients_where_there_is_no_derivative_are_those_of_pytorch() {
    // torch.autograd of relu, relu6, hardswish, hardsigmoid at these places.
    let at = [-3f64, 0.0, 3.0, 6.0];
    let expected = [
        (Activation::Relu, [0.0, 0.0, 1.0, 1.0]),
        (Activation::Relu6, [0.0, 0.0, 1.0, 0.0]),
        (Activation::HardSwish, [0.0, 0.5, 1.0, 1.0]),
        (Activation::HardSigmoid, [0.0, 1.0 / 6.0, 0.0, 0.0]),
    ];
    for (activation, slopes) in expected {
        for dtype in [DType::F32, DType::F64] {
            let x =
                Var::from_tensor(&Tensor::new(&at, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()).unwrap();
            let grads = activation.apply(&x).unwrap().sum_all().unwrap().backward().unwrap();
            for (found, expected) in values(grads.get(&x).unwrap()).iter().zip(slopes) {
                assert!((found - expected).abs() < 1e-6, "{activation:?} {dtype:?}: {found} {expected}");
            }
        }
    }
}

#[test]
fn batch_norm() {
    for shape in [[4, 3, 5, 7], [2, 5, 1, 1], [1, 2, 9, 9], [6, 4, 16, 16]] {
        for a in Activation::ALL {
            let x = (random(&shape, 1) * 3.0).unwrap().affine(1.0, 0.7).unwrap();
            let c = shape[1];
            let inputs = [x, random(&[c], 2).affine(0.5, 1.0).unwrap(), random(&[c], 3)];
            let f = |t: &[Tensor]| Ok(batch_norm_train(&t[0], &t[1], &t[2], 1e-3, a)?.y);
            implementations_agree(&format!("{shape:?} {a:?}"), &inputs, 3e-4, f);
            gradients_are_right(&format!("{shape:?} {a:?}"), &inputs, f);
        }
    }
}

#[test]
fn running_statistics_agree_in_both_implementations() {
    let x = random(&[4, 3, 5, 6], 1).affine(2.0, 5.0).unwrap();
    let (mut means, mut vars) = (vec![], vec![]);
    for dtype in [DType::F32, DType::F64] {
        let ones = Tensor::ones(3, dtype, &Device::Cpu).unwrap();
        let x = x.to_dtype(dtype).unwrap();
        let out = batch_norm_train(&x, &ones, &ones, 1e-5, Activation::Relu).unwrap();
        let mean = Var::zeros(3, dtype, &Device::Cpu).unwrap();
        let var = Var::ones(3, dtype, &Device::Cpu).unwrap();
        update_running_stats(&mean, &var, &out, 0.1).unwrap();
        means.push(mean.as_tensor().clone());
        vars.push(var.as_tensor().clone());
    }
    assert!(difference(&means[0], &means[1]) < 1e-6);
    assert!(difference(&vars[0], &vars[1]) < 1e-6);
    // By hand for channel 0: momentum 0.1, unbiased variance over 4 * 30 elements.
    let channel: Vec<f64> = values(&x.narrow(1, 0, 1).unwrap().contiguous().unwrap());
    let mean = channel.iter().sum::<f64>() / 120.0;
    let var = channel.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 119.0;
    assert!((values(&means[1])[0] - 0.1 * mean).abs() < 1e-9);
    assert!((values(&vars[1])[0] - (0.9 + 0.1 * var)).abs() < 1e-9);
}

#[test]
fn a_large_mean_does_not_swallow_the_variance() {
    let x = (random(&[4, 2, 8, 8], 1) * 0.01).unwrap().affine(1.0, 100.0).unwrap();
    let ones = Tensor::ones(2, DType::F32, &Device::Cpu).unwrap();
    let BatchNormOutput { batch_var, .. } =
        batch_norm_train(&x.to_dtype(DType::F32).unwrap(), &ones, &ones, 0.0, Activation::None).unwrap();
    for v in values(&batch_var) {
        assert!((v / 3.33e-5 - 1.0).abs() < 0.2, "{v}");
    }
}

#[test]
fn folding_equals_convolution_then_normalisation() {
    let c = 6;
    let (x, w) = (random(&[2, 3, 9, 9], 1), random(&[c, 3, 3, 3], 2));
    let vector = |seed| random(&[c], seed);
    let (gamma, beta, mean, bias) = (vector(3), vector(4), vector(5), vector(6));
    let var = vector(7).affine(0.4, 1.0).unwrap();
    let config = Conv2dConfig::new(1, 1);
    let (fw, fb) = fold_batch_norm(&w, Some(&bias), &gamma, &beta, &mean, &var, 1e-3).unwrap();
    let folded = conv2d_act(&x, &fw, Some(&fb), &config, Activation::Relu).unwrap();
    let y = conv2d(&x, &w, Some(&bias), &config).unwrap();
    let column = |t: &Tensor| t.reshape((1, c, 1, 1)).unwrap();
    let scale = (column(&gamma) / (column(&var) + 1e-3).unwrap().sqrt().unwrap()).unwrap();
    let y = y.broadcast_sub(&column(&mean)).unwrap().broadcast_mul(&scale).unwrap();
    let y = y.broadcast_add(&column(&beta)).unwrap().relu().unwrap();
    assert!(difference(&folded, &y) < 1e-12);
}

#[test]
fn add_and_activation() {
    for a in Activation::ALL {
        let inputs = [(random(&[2, 3, 4], 1) * 4.0).unwrap(), (random(&[2, 3, 4], 2) * 4.0).unwrap()];
        check(&format!("{a:?}"), &inputs, |t| Ok(add_act(&t[0], &t[1], a)?));
    }
}

#[test]
fn scaled_and_assembled_channels() {
    for plane in [[1, 1], [5, 7], [9, 9]] {
        let x = |channels, seed| random(&[3, channels, plane[0], plane[1]], seed);
        check("scale", &[x(5, 1), random(&[3, 5], 2)], |t| Ok(scale_channels(&t[0], &t[1])?));
        let sources = [
            ChannelSource::Sum(1, 3),
            ChannelSource::Second(0),
            ChannelSource::First(2),
            ChannelSource::First(0),
            ChannelSource::Sum(4, 1),
        ];
        check("assemble", &[x(5, 1), x(4, 2)], |t| Ok(assemble_channels(&t[0], &t[1], &sources)?));
        let half = [ChannelSource::First(2), ChannelSource::First(3)];
        check("half", &[x(4, 1)], |t| Ok(assemble_channels(&t[0], &t[0], &half)?));
    }
}

/// Without an autograd graph, other code computes the maxima.
#[test]
fn maxima_are_the_same_without_a_graph() {
    for (plane, kernel, stride, padding) in [
        ([9, 7], [3, 3], [2, 2], [1; 4]),
        ([40, 37], [3, 3], [2, 2], [1; 4]),
        ([40, 37], [2, 2], [2, 2], [0; 4]),
        ([33, 35], [3, 5], [1, 1], [1, 1, 2, 2]),
        ([6, 5], [3, 2], [1, 3], [0, 2, 1, 0]),
        ([2, 9], [5, 5], [1, 2], [2, 2, 4, 0]),
        ([12, 50], [3, 4], [4, 2], [0, 1, 3, 2]),
    ] {
        let x = random(&[3, 2, plane[0], plane[1]], 1).to_dtype(DType::F32).unwrap();
        let plain = max_pool2d(&x, kernel, stride, padding).unwrap();
        let graph = max_pool2d(&Var::from_tensor(&x).unwrap(), kernel, stride, padding).unwrap();
        assert_eq!(values(&plain), values(&graph), "{plane:?} {kernel:?} {stride:?} {padding:?}");
    }
}

#[test]
fn pooling() {
    let grid = [
        ([8, 8], [2, 2], [2, 2], [0; 4]),
        ([9, 7], [3, 3], [2, 2], [1; 4]),
        ([5, 5], [2, 2], [2, 2], [0; 4]),
        ([6, 5], [3, 2], [1, 3], [0, 2, 1, 0]),
        ([4, 4], [2, 2], [3, 3], [0; 4]),
        ([1, 1], [3, 3], [2, 2], [1; 4]),
        ([2, 9], [5, 5], [1, 2], [2, 2, 4, 0]),
        ([1, 1], [1, 1], [1, 1], [0; 4]),
        ([3, 1], [3, 2], [5, 4], [0, 0, 1, 1]),
        ([17, 20], [3, 3], [2, 2], [1; 4]),
    ];
    for (plane, kernel, stride, padding) in grid {
        let name = format!("{plane:?} {kernel:?} {stride:?} {padding:?}");
        let x = [random(&[3, 2, plane[0], plane[1]], 1)];
        check(&name, &x, |t| Ok(max_pool2d(&t[0], kernel, stride, padding)?));
        check(&name, &x, |t| Ok(avg_pool2d(&t[0], kernel, stride, padding, true)?));
        check(&name, &x, |t| Ok(avg_pool2d(&t[0], kernel, stride, padding, false)?));
    }
    for out in [[1, 1], [3, 2], [6, 6], [9, 8]] {
        check("adaptive", &[random(&[2, 3, 6, 7], 1)], |t| Ok(adaptive_avg_pool2d(&t[0], out)?));
    }
    check("global", &[random(&[2, 3, 6, 7], 1)], |t| Ok(global_avg_pool(&t[0])?));
}

#[test]
fn pooling_keeps_nan() {
    for dtype in [DType::F32, DType::F64] {
        let x = Tensor::new(&[[[[1.0, f64::NAN, 2.0, 5.0, f64::NAN, 1.0]]]], &Device::Cpu).unwrap();
        let y = max_pool2d(&x.to_dtype(dtype).unwrap(), [1, 2], [1, 2], [0; 4]).unwrap();
        let y = y.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
        assert!(y[0].is_nan() && y[1] == 5.0 && y[2].is_nan(), "{dtype:?}: {y:?}");
    }
}

#[test]
fn max_pool_gradient_is_one_where_candles_is_a_quarter() {
    let data: Vec<f32> = (0..16).map(|v| v as f32).collect();
    let x = Var::from_vec(data, (1, 1, 4, 4), &Device::Cpu).unwrap();
    let candle = x.max_pool2d(2).unwrap().sum_all().unwrap().backward().unwrap();
    assert_eq!(values(candle.get(&x).unwrap())[5], 0.25, "Candle has corrected its gradient");
    let ours = max_pool2d(&x, [2, 2], [2, 2], [0; 4]).unwrap().sum_all().unwrap().backward().unwrap();
    let mut expected = [0.0; 16];
    for maximum in [5, 7, 13, 15] {
        expected[maximum] = 1.0;
    }
    assert_eq!(values(ours.get(&x).unwrap()), expected);
    // Equal maxima: the first of four, in both implementations.
    for dtype in [DType::F32, DType::F64] {
        let zeros = Var::zeros((1, 1, 2, 2), dtype, &Device::Cpu).unwrap();
        let grads =
            max_pool2d(&zeros, [2, 2], [2, 2], [0; 4]).unwrap().sum_all().unwrap().backward().unwrap();
        assert_eq!(values(grads.get(&zeros).unwrap()), [1.0, 0.0, 0.0, 0.0]);
    }
}

#[test]
fn loss() {
    let targets = Tensor::new(&[2u32, 0, 4, 4], &Device::Cpu).unwrap();
    for smoothing in [0.0, 0.1, 1.0] {
        let logits = [(random(&[4, 5], 1) * 6.0).unwrap()];
        check(&format!("{smoothing}"), &logits, |t| Ok(cross_entropy(&t[0], &targets, smoothing)?));
    }
    let far = Tensor::new(&[[1e4f32, -1e4]], &Device::Cpu).unwrap();
    let first = Tensor::new(&[0u32], &Device::Cpu).unwrap();
    assert_eq!(values(&cross_entropy(&far, &first, 0.0).unwrap()), [0.0]);
    let absent = Tensor::new(&[2u32], &Device::Cpu).unwrap();
    let error = cross_entropy(&far, &absent, 0.0).unwrap_err();
    assert!(matches!(error, Error::Target { index: 0, found: 2, classes: 2 }), "{error}");
}

#[test]
fn linear_layer() {
    let inputs = [random(&[3, 7], 1), random(&[4, 7], 2), random(&[4], 3)];
    check("linear", &inputs, |t| Ok(linear(&t[0], &t[1], Some(&t[2]))?));
    check("no bias", &inputs[..2], |t| Ok(linear(&t[0], &t[1], None)?));
    // One image; more images and outputs than one task has; one input; one output.
    for [n, ins, outs] in [[1, 5, 3], [17, 40, 130], [33, 1, 2], [2, 9, 1]] {
        let inputs = [random(&[n, ins], 1), random(&[outs, ins], 2), random(&[outs], 3)];
        check(&format!("{n} {ins} {outs}"), &inputs, |t| Ok(linear(&t[0], &t[1], Some(&t[2]))?));
    }
}

#[test]
fn dropout_is_a_function_of_its_key() {
    let x = Tensor::ones((3, 40_000), DType::F32, &Device::Cpu).unwrap();
    let y = values(&dropout(&x, 0.3, 7).unwrap());
    assert_eq!(y, values(&dropout(&x, 0.3, 7).unwrap()));
    assert_ne!(y, values(&dropout(&x, 0.3, 8).unwrap()));
    let kept = y.iter().filter(|&&v| v != 0.0).count() as f64 / y.len() as f64;
    assert!((kept - 0.7).abs() < 0.005, "{kept}");
    assert!(y.iter().all(|&v| v == 0.0 || (v - 1.0 / 0.7).abs() < 1e-6));
    check("dropout", &[random(&[5, 9], 1)], |t| Ok(dropout(&t[0], 0.5, 3)?));
    // The same mask for the gradient and in the portable implementation.
    let (y, gradients) = run(&[random(&[5, 9], 1)], DType::F32, |t| Ok(dropout(&t[0], 0.5, 3)?));
    let (reference, references) = run(&[random(&[5, 9], 1)], DType::F64, |t| Ok(dropout(&t[0], 0.5, 3)?));
    assert!(difference(&y, &reference) < 1e-6 && difference(&gradients[0], &references[0]) < 1e-6);
}

#[test]
fn plain_gradients_equal_those_of_the_graph() {
    for dtype in [DType::F32, DType::F64] {
        let cast = |t: &Tensor| t.to_dtype(dtype).unwrap();
        let inputs = [random(&[3, 4, 5, 6], 1), random(&[4], 2), random(&[4], 3)].map(|t| cast(&t));
        let [x, gamma, beta] = &inputs;
        let f = |t: &[Tensor]| Ok(batch_norm_train(&t[0], &t[1], &t[2], 1e-3, Activation::Relu)?.y);
        let (y, expected) = run(&inputs, dtype, f);
        let dy = cast(&random(y.dims(), 99));
        let output = batch_norm_train(x, gamma, beta, 1e-3, Activation::Relu).unwrap();
        let found =
            gradients::batch_norm_train(x, gamma, beta, &output, 1e-3, Activation::Relu, &dy).unwrap();
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(difference(found, expected), 0.0);
        }
        let terms = [x.clone(), cast(&random(&[3, 4, 5, 6], 5))];
        for activation in [Activation::None, Activation::Relu] {
            let (_, expected) = run(&terms, dtype, |t| Ok(add_act(&t[0], &t[1], activation)?));
            let found = gradients::add_act(&terms[0], &terms[1], activation, &dy).unwrap();
            assert_eq!(difference(&found, &expected[0]), 0.0);
            assert_eq!(difference(&found, &expected[1]), 0.0);
        }
        let (kernel, stride, padding) = ([3, 2], [2, 1], [1, 0, 1, 1]);
        let pool = |t: &[Tensor]| Ok(max_pool2d(&t[0], kernel, stride, padding)?);
        let (y, expected) = run(std::slice::from_ref(x), dtype, pool);
        let dy = cast(&random(y.dims(), 99));
        let found = gradients::max_pool2d(x, kernel, stride, padding, &dy).unwrap();
        assert_eq!(difference(&found, &expected[0]), 0.0);
    }
}

#[test]
fn every_instruction_set_agrees_with_the_portable_implementation() {
    for test in [
        "activations",
        "batch_norm",
        "add_and_activation",
        "pooling",
        "linear_layer",
        "scaled_and_assembled_channels",
        "maxima_are_the_same_without_a_graph",
    ] {
        common::under_every_instruction_set(test);
    }
}

/// Every way to pass something that makes no sense, and the variant that says what is at fault.
#[test]
fn errors_name_what_is_at_fault() {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let (x, vector) = (zeros(&[2, 3, 4, 4]), zeros(&[3]));
    let norm = |x: &Tensor, gamma: &Tensor, eps| {
        batch_norm_train(x, gamma, &zeros(&[3]), eps, Activation::None).map(|_| ())
    };
    let max = |kernel, stride, padding| max_pool2d(&x, kernel, stride, padding).map(|_| ());
    let loss = |smoothing| cross_entropy(&zeros(&[2, 3]), &zeros(&[2]), smoothing).map(|_| ());
    let first = ChannelSource::First;
    let assemble = |sources: &[ChannelSource]| assemble_channels(&x, &x, sources).map(|_| ());
    macro_rules! fails {
        ($($run:expr => $pattern:pat,)*) => { $(
            let error = $run.unwrap_err();
            assert!(matches!(error, $pattern), "{error:?}");
        )* };
    }
    fails! {
        norm(&vector, &vector, 1e-5) => Error::Shape { op: "batch_norm_train", argument: "x", .. },
        norm(&x, &zeros(&[4]), 1e-5) => Error::Shape { argument: "gamma", .. },
        norm(&zeros(&[0, 3, 4, 4]), &vector, 1e-5) => Error::Shape { argument: "x", .. },
        norm(&x, &vector, -1.0) => Error::Range { parameter: "eps", found: -1.0, .. },
        max([0, 2], [1, 1], [0; 4]) => Error::Zero { op: "max_pool2d", parameter: "kernel" },
        max([2, 2], [1, 0], [0; 4]) => Error::Zero { parameter: "stride", .. },
        max([2, 2], [1, 1], [0, 2, 0, 0]) => Error::Padding { padding: [0, 2, 0, 0], kernel: [2, 2], .. },
        max([5, 5], [1, 1], [0; 4]) => Error::Shape { argument: "x", .. },
        adaptive_avg_pool2d(&x, [0, 1]) => Error::Zero { op: "adaptive_avg_pool2d", parameter: "out" },
        global_avg_pool(&zeros(&[1, 1, 0, 2])) => Error::Shape { op: "global_avg_pool", .. },
        loss(f64::NAN) => Error::Range { op: "cross_entropy", parameter: "label_smoothing", .. },
        dropout(&x, 1.0, 0) => Error::Range { op: "dropout", parameter: "p", found: 1.0, .. },
        linear(&zeros(&[2, 3]), &zeros(&[5, 4]), None) => Error::Shape { op: "linear", argument: "x", .. },
        scale_channels(&x, &zeros(&[2, 4])) => Error::Shape { argument: "gates", .. },
        assemble(&[first(3)]) => Error::Channel { argument: "a", channel: 3, channels: 3 },
        assemble(&[first(1), first(1)]) => Error::RepeatedChannel { argument: "a", channel: 1 },
        gradients::max_pool2d(&x, [2, 2], [2, 2], [0; 4], &x) => Error::Shape { argument: "dy", .. },
    }
}
