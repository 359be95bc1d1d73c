//! Activations, residual additions, channel gates, assembled channels, layouts and precisions.

use candle_core::Tensor;
use in9_cuda::launch::Element;
use in9_cuda::plan::pool::Planes;
use in9_cuda::plan::{channels, convert, elementwise};
use in9_kernels::{ChannelSource, add_act, assemble_channels, scale_channels};

use crate::emulator::{Buffer, Emulator, Values};
use crate::tensors::{
    ACTIVATIONS, PRECISIONS, assert_close, channels_last, f32_input, flat, input, on_the_cpu, output, random,
    random_values, rounded,
};

#[test]
pub(crate) fn activations_and_residual_additions() {
    for emulator in Emulator::both_orders() {
        for shape in [[3, 5, 7], [2, 3, 4], [4, 4, 64], [1, 1, 1]] {
            for (activation, cpu) in ACTIVATIONS {
                for (element, tolerance) in PRECISIONS {
                    let (a, b) =
                        (random(&shape, 1, [4.0, 0.0], element), random(&shape, 2, [4.0, 0.0], element));
                    let dy = |y: &Tensor| random(y.dims(), 3, [1.0, 0.0], element);
                    let count = a.elem_count();
                    let name = format!("{shape:?} {activation:?} {element:?}");
                    for with_b in [false, true] {
                        let f = |t: &[Tensor]| match t {
                            [a] => Ok(cpu.apply(a)?),
                            _ => Ok(add_act(&t[0], &t[1], cpu)?),
                        };
                        let inputs: &[&Tensor] = if with_b { &[&a, &b] } else { &[&a] };
                        let (y, d, gradients) = on_the_cpu(inputs, dy, f);
                        let b = || if with_b { input(&b, element) } else { Buffer::None };
                        let plan = elementwise::add_act(count, element, activation, with_b);
                        let found =
                            emulator.run(&plan, vec![input(&a, element), b(), output(&y, element)]).unwrap();
                        assert_close(&name, &found[2], &y, tolerance);
                        let plan = elementwise::add_act_gradient(count, element, activation, with_b);
                        let buffers = vec![input(&a, element), b(), input(&d, element), output(&y, element)];
                        let found = emulator.run(&plan, buffers).unwrap();
                        assert_close(&format!("gradient {name}"), &found[3], &gradients[0], tolerance);
                    }
                }
            }
        }
    }
}

#[test]
fn gradients_where_there_is_no_derivative_are_those_of_pytorch() {
    use in9_cuda::Activation;
    let expected = [
        (Activation::Relu, [0.0, 0.0, 1.0, 1.0]),
        (Activation::Relu6, [0.0, 0.0, 1.0, 0.0]),
        (Activation::HardSwish, [0.0, 0.5, 1.0, 1.0]),
        (Activation::HardSigmoid, [0.0, 1.0 / 6.0, 0.0, 0.0]),
    ];
    for emulator in Emulator::both_orders() {
        for (activation, slopes) in expected {
            let plan = elementwise::add_act_gradient(4, Element::F32, activation, false);
            let buffers = vec![
                Buffer::Input(Values::F32(vec![-3.0, 0.0, 3.0, 6.0])),
                Buffer::None,
                Buffer::Input(Values::F32(vec![1.0; 4])),
                Buffer::Output(Element::F32, 4),
            ];
            assert_eq!(emulator.run(&plan, buffers).unwrap()[3].floats(), slopes, "{activation:?}");
        }
    }
}

#[test]
pub(crate) fn gates_scale_channels() {
    for emulator in Emulator::both_orders() {
        for [n, c, h, w] in [[3, 5, 1, 1], [3, 5, 5, 7], [2, 8, 9, 9], [1, 264, 2, 3], [2, 12, 33, 20]] {
            for (element, tolerance) in PRECISIONS {
                let x = random(&[n, c, h, w], 1, [1.0, 0.0], element);
                let gates = random(&[n, c], 2, [1.0, 0.0], Element::F32);
                let dy = |y: &Tensor| random(y.dims(), 3, [1.0, 0.0], element);
                let f = |t: &[Tensor]| Ok(scale_channels(&t[0], &t[1])?);
                let (y, d, gradients) = on_the_cpu(&[&x, &gates], dy, f);
                let planes = Planes { n, plane: h * w, channels: c, element };
                let scaled = |t: &Tensor| {
                    let buffers = vec![input(t, element), f32_input(&gates), output(t, element)];
                    emulator.run(&channels::scale(planes), buffers).unwrap().remove(2)
                };
                let name = format!("{n} {c} {h} {w} {element:?}");
                assert_close(&name, &scaled(&x), &y, tolerance);
                assert_close(&format!("dx {name}"), &scaled(&d), &gradients[0], tolerance);
                let buffers = vec![input(&x, element), input(&d, element), output(&gates, Element::F32)];
                let found = emulator.run(&channels::gates_gradient(planes), buffers).unwrap();
                assert_close(&format!("dgates {name}"), &found[2], &gradients[1], 3e-5);
            }
        }
    }
}

#[test]
pub(crate) fn channels_come_from_their_sources_and_gradients_go_back_there() {
    let sources = [
        ChannelSource::Sum(1, 3),
        ChannelSource::Second(0),
        ChannelSource::First(2),
        ChannelSource::First(0),
        ChannelSource::Sum(4, 1),
    ];
    let (from_a, from_b) = (vec![1, -1, 2, 0, 4], vec![3, 0, -1, -1, 1]);
    let (to_a, to_b) = (vec![3, 0, 2, -1, 4], vec![1, 4, -1, 0]);
    for emulator in Emulator::both_orders() {
        for plane in [[1, 1], [5, 7], [9, 9], [20, 21]] {
            for (element, tolerance) in PRECISIONS {
                let x =
                    |channels, seed| random(&[3, channels, plane[0], plane[1]], seed, [1.0, 0.0], element);
                let (a, b) = (x(5, 1), x(4, 2));
                let dy = |y: &Tensor| random(y.dims(), 3, [1.0, 0.0], element);
                let f = |t: &[Tensor]| Ok(assemble_channels(&t[0], &t[1], &sources)?);
                let (y, d, gradients) = on_the_cpu(&[&a, &b], dy, f);
                let (rows, map) =
                    (3 * plane[0] * plane[1], |m: &[i32]| Buffer::Input(Values::I32(m.to_vec())));
                let plan = channels::assemble(rows, [5, 4, 5], element);
                let buffers = vec![
                    input(&a, element),
                    input(&b, element),
                    map(&from_a),
                    map(&from_b),
                    output(&y, element),
                ];
                assert_close("assembled", &emulator.run(&plan, buffers).unwrap()[4], &y, tolerance);
                for (count, to, expected) in [(5, &to_a, &gradients[0]), (4, &to_b, &gradients[1])] {
                    let plan = channels::assemble_gradient(rows, count, 5, element);
                    let buffers = vec![input(&d, element), map(to), output(expected, element)];
                    assert_close("gradient", &emulator.run(&plan, buffers).unwrap()[2], expected, 0.0);
                }
            }
        }
    }
}

#[test]
pub(crate) fn layouts_and_precisions_change_and_change_back() {
    for emulator in Emulator::both_orders() {
        for shape in [[2, 3, 5, 7], [1, 1, 1, 1], [2, 33, 8, 9], [1, 64, 16, 8], [3, 31, 1, 1]] {
            let [n, c, plane] = [shape[0], shape[1], shape[2] * shape[3]];
            for (from, to) in [
                (Element::F32, Element::F32),
                (Element::F32, Element::Bf16),
                (Element::Bf16, Element::F32),
                (Element::Bf16, Element::Bf16),
            ] {
                let x = random(&shape, 1, [3.0, 0.1], from);
                let planes = || Buffer::Input(Values::f32s(from, &flat(&x)));
                let plan = convert::transpose([from, to], [n, c, plane]);
                let mut found = emulator.run(&plan, vec![planes(), output(&x, to)]).unwrap();
                let (last, expected) = (found.remove(1), rounded(&x, to));
                assert_eq!(last.floats(), channels_last(&expected), "{shape:?} {from:?} {to:?}");
                let plan = convert::transpose([to, from], [n, plane, c]);
                let found = emulator.run(&plan, vec![Buffer::Input(last), output(&x, from)]).unwrap();
                assert_eq!(found[1].floats(), flat(&rounded(&expected, from)));
            }
        }
    }
}

#[test]
pub(crate) fn casts_round_to_the_nearest_even() {
    let mut values = random_values(1000, 1);
    // Halves between two bf16 values, what is too large for any, and what is no number.
    values.extend([
        1.003_906_3,
        1.011_718_8,
        -1.003_906_3,
        3.4e38,
        f32::INFINITY,
        -0.0,
        1e-40,
        f32::MIN_POSITIVE,
    ]);
    for emulator in Emulator::both_orders() {
        let count = values.len();
        let buffers = vec![Buffer::Input(Values::F32(values.clone())), Buffer::Output(Element::Bf16, count)];
        let found =
            emulator.run(&convert::cast([Element::F32, Element::Bf16], count), buffers).unwrap().remove(1);
        let expected: Vec<f32> = values.iter().map(|&v| half::bf16::from_f32(v).to_f32()).collect();
        assert_eq!(found.floats(), expected);
        let buffers = vec![Buffer::Input(found), Buffer::Output(Element::F32, count)];
        let found = emulator.run(&convert::cast([Element::Bf16, Element::F32], count), buffers).unwrap();
        assert_eq!(found[1].floats(), expected);
        let nan = vec![Buffer::Input(Values::F32(vec![f32::NAN])), Buffer::Output(Element::Bf16, 1)];
        let found = emulator.run(&convert::cast([Element::F32, Element::Bf16], 1), nan).unwrap();
        assert!(found[1].floats()[0].is_nan());
    }
}
