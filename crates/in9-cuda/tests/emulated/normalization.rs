//! Batch norm with activation and residual, running statistics, the gradient of a bias, epilogues.

use candle_core::{Device, Tensor, Var};
use in9_cuda::launch::Element;
use in9_cuda::plan::{Matrix, norm};
use in9_kernels::{batch_norm_train, gradients, update_running_stats};

use crate::emulator::{Buffer, Emulator, Values};
use crate::tensors::{
    ACTIVATIONS, PRECISIONS, assert_close, channels_last, f32_input, flat, input, output, random, rounded,
};

/// The shapes of the CPU's tests, and some for vectors of 4 and of 8 and several blocks of rows and of channels.
const SHAPES: [[usize; 4]; 8] = [
    [4, 3, 5, 7],
    [2, 5, 1, 1],
    [1, 2, 9, 9],
    [6, 4, 16, 16],
    [2, 8, 7, 5],
    [3, 40, 3, 3],
    [1, 264, 5, 2],
    [2, 24, 40, 33],
];

fn matrix(shape: &[usize; 4], element: Element) -> Matrix {
    Matrix { rows: shape[0] * shape[2] * shape[3], channels: shape[1], element }
}

#[test]
pub(crate) fn batch_norm_and_its_gradients() {
    for emulator in Emulator::both_orders() {
        for (number, shape) in SHAPES.into_iter().enumerate() {
            for (element, tolerance) in PRECISIONS {
                for residual in [false, true] {
                    // Every activation on some shape, every shape with some.
                    let (activation, cpu) =
                        ACTIVATIONS[(number + 3 * usize::from(residual)) % ACTIVATIONS.len()];
                    check(&emulator, shape, element, tolerance, residual, (activation, cpu));
                }
            }
        }
        for activation in ACTIVATIONS {
            check(&emulator, [2, 8, 5, 3], Element::F32, 2e-5, true, activation);
        }
    }
}

fn check(
    emulator: &Emulator,
    shape: [usize; 4],
    element: Element,
    tolerance: f64,
    residual: bool,
    (activation, cpu): (in9_cuda::Activation, in9_kernels::Activation),
) {
    const EPS: f64 = 1e-3;
    let name = format!("{shape:?} {element:?} {activation:?} {residual}");
    let c = shape[1];
    let x = random(&shape, 1, [3.0, 0.7], element);
    let dy = random(&shape, 4, [1.0, 0.0], element);
    let gamma = random(&[c], 2, [0.5, 1.0], Element::F32);
    let beta = random(&[c], 3, [1.0, 0.0], Element::F32);
    let r = residual.then(|| random(&shape, 5, [1.0, 0.2], element));
    let none = in9_kernels::Activation::None;

    // On the CPU the residual is added by a layer of its own.
    let plain = batch_norm_train(&x, &gamma, &beta, EPS, if residual { none } else { cpu }).unwrap();
    let (y, d, dr) = match &r {
        Some(r) => {
            let y = in9_kernels::add_act(&plain.y, r, cpu).unwrap();
            let d = gradients::add_act(&plain.y, r, cpu, &dy).unwrap();
            (y, d.clone(), Some(d))
        }
        None => (plain.y.clone(), dy.clone(), None),
    };
    let own = if residual { none } else { cpu };
    let [dx, dgamma, dbeta] = gradients::batch_norm_train(&x, &gamma, &beta, &plain, EPS, own, &d).unwrap();

    let layer = norm::BatchNorm { x: matrix(&shape, element), eps: EPS, activation, residual };
    let optional = |t: &Option<Tensor>| t.as_ref().map_or(Buffer::None, |t| input(t, element));
    let buffers = vec![
        input(&x, element),
        f32_input(&gamma),
        f32_input(&beta),
        optional(&r),
        output(&x, element),
        output(&gamma, Element::F32),
        output(&gamma, Element::F32),
    ];
    let found = emulator.run(&layer.forward(), buffers).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_close(&format!("{name} y"), &found[4], &y, tolerance);
    assert_close(&format!("{name} mean"), &found[5], &plain.batch_mean, 2e-6);
    assert_close(&format!("{name} var"), &found[6], &plain.batch_var, 1e-5);

    let buffers = vec![
        input(&x, element),
        f32_input(&gamma),
        f32_input(&beta),
        optional(&r),
        f32_input(&plain.batch_mean),
        f32_input(&plain.batch_var),
        input(&dy, element),
        output(&x, element),
        if residual { output(&x, element) } else { Buffer::None },
        output(&gamma, Element::F32),
        output(&gamma, Element::F32),
    ];
    let found = emulator.run(&layer.backward(), buffers).unwrap_or_else(|e| panic!("{name}: {e}"));
    // The gradient of a constant channel is what rounding leaves of nothing: compare beside dy.
    let floor = |t: &Tensor| if c * 4 > t.elem_count() { 3e-3 } else { 0.0 };
    assert_close(&format!("{name} dx"), &found[7], &dx, tolerance.max(3e-4) + floor(&dx));
    if let Some(dr) = dr {
        assert_close(&format!("{name} dr"), &found[8], &dr, tolerance);
    }
    assert_close(&format!("{name} dgamma"), &found[9], &dgamma, 3e-4);
    assert_close(&format!("{name} dbeta"), &found[10], &dbeta, 3e-5);
}

#[test]
fn a_large_mean_does_not_swallow_the_variance() {
    for emulator in Emulator::both_orders() {
        let x = random(&[4, 2, 8, 8], 1, [0.01, 100.0], Element::F32);
        let ones = Tensor::ones(2, candle_core::DType::F32, &Device::Cpu).unwrap();
        let expected = batch_norm_train(&x, &ones, &ones, 0.0, in9_kernels::Activation::None).unwrap();
        let x_matrix = matrix(&[4, 2, 8, 8], Element::F32);
        let layer = norm::BatchNorm {
            x: x_matrix,
            eps: 0.0,
            activation: in9_cuda::Activation::None,
            residual: false,
        };
        let vector = || output(&ones, Element::F32);
        let buffers = vec![
            f32_input(&x),
            f32_input(&ones),
            f32_input(&ones),
            Buffer::None,
            output(&x, Element::F32),
            vector(),
            vector(),
        ];
        let found = emulator.run(&layer.forward(), buffers).unwrap();
        assert_close("variance", &found[6], &expected.batch_var, 1e-4);
    }
}

#[test]
pub(crate) fn running_statistics_move_as_on_the_cpu() {
    for emulator in Emulator::both_orders() {
        for shape in [[4, 3, 5, 6], [1, 300, 1, 1]] {
            let x = random(&shape, 1, [2.0, 5.0], Element::F32);
            let ones = Tensor::ones(shape[1], candle_core::DType::F32, &Device::Cpu).unwrap();
            let out = batch_norm_train(&x, &ones, &ones, 1e-5, in9_kernels::Activation::Relu).unwrap();
            let mean = Var::zeros(shape[1], candle_core::DType::F32, &Device::Cpu).unwrap();
            let var = Var::ones(shape[1], candle_core::DType::F32, &Device::Cpu).unwrap();
            let changed = |t: &Var| Buffer::Changed(Values::F32(flat(t)));
            let buffers =
                vec![changed(&mean), changed(&var), f32_input(&out.batch_mean), f32_input(&out.batch_var)];
            update_running_stats(&mean, &var, &out, 0.1).unwrap();
            let found = emulator.run(&norm::running_statistics(shape[1], 0.1, out.count), buffers).unwrap();
            assert_close("mean", &found[0], &mean, 1e-6);
            assert_close("variance", &found[1], &var, 1e-6);
        }
    }
}

#[test]
pub(crate) fn the_gradient_of_a_bias_is_the_sum_of_its_channel() {
    for emulator in Emulator::both_orders() {
        for shape in SHAPES {
            for (element, _) in PRECISIONS {
                let dy = random(&shape, 4, [1.0, 0.3], element);
                let expected = dy.sum((0, 2, 3)).unwrap();
                let buffers = vec![input(&dy, element), Buffer::Output(Element::F32, shape[1])];
                let found = emulator.run(&norm::bias_gradient(matrix(&shape, element)), buffers).unwrap();
                assert_close(&format!("{shape:?} {element:?}"), &found[1], &expected, 1e-5);
            }
        }
    }
}

#[test]
pub(crate) fn epilogues_add_bias_and_residual_before_the_activation() {
    for emulator in Emulator::both_orders() {
        for (shape, (activation, cpu)) in SHAPES.into_iter().zip(ACTIVATIONS.into_iter().cycle()) {
            for (element, tolerance) in PRECISIONS {
                for (bias, residual) in [(false, false), (true, false), (false, true), (true, true)] {
                    let x = random(&shape, 1, [3.0, 0.0], element);
                    let b = random(&[shape[1]], 2, [1.0, 0.0], Element::F32);
                    let r = random(&shape, 3, [2.0, 0.0], element);
                    let mut z = x.clone();
                    if bias {
                        z = z.broadcast_add(&b.reshape((1, shape[1], 1, 1)).unwrap()).unwrap();
                    }
                    if residual {
                        z = (z + &r).unwrap();
                    }
                    let expected = rounded(&cpu.apply(&z).unwrap(), element);
                    let buffers = vec![
                        input(&x, element),
                        if bias { f32_input(&b) } else { Buffer::None },
                        if residual { input(&r, element) } else { Buffer::None },
                        output(&x, element),
                    ];
                    let plan = norm::epilogue(matrix(&shape, element), activation, bias, residual);
                    let found = emulator.run(&plan, buffers).unwrap();
                    let name = format!("{shape:?} {element:?} {activation:?} {bias} {residual}");
                    assert_close(&name, &found[3], &expected, tolerance);
                    assert_eq!(found[0].floats(), channels_last(&x), "the input is left alone");
                }
            }
        }
    }
}
