//! Depthwise convolution, forward with its epilogue, and both gradients.

use candle_core::Tensor;
use in9_cuda::launch::Element;
use in9_cuda::plan::depthwise::Depthwise;
use in9_kernels::{Conv2dConfig, conv2d};

use crate::emulator::{Buffer, Emulator};
use crate::tensors::{ACTIVATIONS, PRECISIONS, assert_close, f32_input, input, on_the_cpu, output, random};

/// Input, kernel, stride, padding and dilation: those of the CPU's tests and some for vectors.
fn cases() -> Vec<([usize; 4], [usize; 2], Conv2dConfig)> {
    let square =
        |x: [usize; 4], k: usize, s: usize, p: usize| (x, [k, k], Conv2dConfig::new(s, p).with_groups(x[1]));
    let case = |x: [usize; 4], kernel, stride, padding, dilation| {
        (x, kernel, Conv2dConfig { stride, padding, dilation, groups: x[1] })
    };
    vec![
        square([2, 16, 13, 13], 3, 1, 1),
        square([2, 16, 28, 28], 3, 2, 1),
        square([2, 24, 15, 15], 5, 2, 2),
        square([2, 24, 7, 7], 5, 1, 2),
        square([2, 5, 1, 1], 3, 1, 1),
        square([2, 5, 2, 2], 5, 2, 2),
        square([1, 12, 9, 8], 7, 1, 3),
        case([2, 4, 12, 11], [3, 3], [1, 1], [2; 4], [2; 2]),
        case([2, 4, 12, 11], [3, 5], [3, 2], [0, 2, 1, 3], [2, 1]),
        case([3, 6, 9, 8], [2, 4], [1, 2], [0, 1, 0, 1], [1; 2]),
        case([1, 264, 6, 5], [3, 3], [2, 2], [0, 1, 0, 1], [1; 2]),
        case([2, 8, 30, 31], [1, 1], [1, 1], [0; 4], [1; 2]),
    ]
}

#[test]
pub(crate) fn forward_and_both_gradients() {
    for emulator in Emulator::both_orders() {
        for (number, (shape, kernel, config)) in cases().into_iter().enumerate() {
            for (element, tolerance) in PRECISIONS {
                let (activation, cpu) = ACTIVATIONS[number % ACTIVATIONS.len()];
                let name = format!("{shape:?} {kernel:?} {config:?} {element:?}");
                let x = random(&shape, 1, [1.0, 0.0], element);
                let w = random(&[shape[1], 1, kernel[0], kernel[1]], 2, [1.0, 0.0], Element::F32);
                let bias = random(&[shape[1]], 3, [1.0, 0.0], Element::F32);
                let dy = |y: &Tensor| random(y.dims(), 4, [1.0, 0.0], element);
                let f = |t: &[Tensor]| Ok(conv2d(&t[0], &t[1], None, &config)?);
                let (y, d, gradients) = on_the_cpu(&[&x, &w], dy, f);
                let layer = Depthwise {
                    element,
                    n: shape[0],
                    channels: shape[1],
                    input: [shape[2], shape[3]],
                    output: [y.dims()[2], y.dims()[3]],
                    kernel,
                    stride: config.stride,
                    padding: [config.padding[0], config.padding[2]],
                    dilation: config.dilation,
                };
                // The filters keep their own order of dimensions.
                let filters = || f32_input(&w.flatten_all().unwrap());
                let run = |plan: in9_cuda::launch::Plan, buffers| {
                    emulator.run(&plan, buffers).unwrap_or_else(|e| panic!("{name}: {e}"))
                };
                let buffers = vec![input(&x, element), filters(), Buffer::None, output(&y, element)];
                let found = run(layer.forward(in9_cuda::Activation::None, false), buffers);
                assert_close(&name, &found[3], &y, tolerance);
                let fused = in9_kernels::conv2d_act(&x, &w, Some(&bias), &config, cpu).unwrap();
                let buffers = vec![input(&x, element), filters(), f32_input(&bias), output(&y, element)];
                let found = run(layer.forward(activation, true), buffers);
                assert_close(&format!("fused {name}"), &found[3], &fused, tolerance);
                let buffers = vec![input(&d, element), filters(), output(&x, element)];
                let found = run(layer.backward_data(), buffers);
                assert_close(&format!("dx {name}"), &found[2], &gradients[0], tolerance);
                let buffers = vec![
                    input(&x, element),
                    input(&d, element),
                    Buffer::Output(Element::F32, w.elem_count()),
                ];
                let found = run(layer.backward_weight(), buffers);
                assert_close(&format!("dw {name}"), &found[2], &gradients[1].flatten_all().unwrap(), 3e-5);
            }
        }
    }
}
