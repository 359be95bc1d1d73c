//! Pooling with indices, means of windows, means of planes.

use candle_core::Tensor;
use in9_cuda::launch::Element;
use in9_cuda::plan::pool::{Planes, Pool, Windows};
use in9_kernels::{adaptive_avg_pool2d, avg_pool2d, global_avg_pool, max_pool2d};

use crate::emulator::{Buffer, Emulator, Values};
use crate::tensors::{PRECISIONS, assert_close, f32_input, input, on_the_cpu, output, random};

type Grid = ([usize; 2], [usize; 2], [usize; 2], [usize; 4]);

/// Plane, kernel, stride and padding of the CPU's tests.
const GRID: [Grid; 13] = [
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
    ([40, 37], [3, 3], [2, 2], [1; 4]),
    ([33, 35], [3, 5], [1, 1], [1, 1, 2, 2]),
    ([12, 50], [3, 4], [4, 2], [0, 1, 3, 2]),
];

/// Images and channels: single elements, vectors of 4, vectors of 8.
const BATCHES: [[usize; 2]; 3] = [[3, 2], [1, 4], [2, 8]];

fn windows(
    plane: [usize; 2],
    y: &Tensor,
    (kernel, stride, padding): ([usize; 2], [usize; 2], [usize; 4]),
) -> [Windows; 2] {
    [0, 1].map(|axis| Windows::Sliding {
        size: plane[axis],
        outputs: y.dims()[2 + axis],
        kernel: kernel[axis],
        stride: stride[axis],
        before: padding[2 * axis],
    })
}

#[test]
pub(crate) fn maxima_and_means_of_windows() {
    for emulator in Emulator::both_orders() {
        for (plane, kernel, stride, padding) in GRID {
            for [n, channels] in BATCHES {
                for (element, tolerance) in PRECISIONS {
                    let name =
                        format!("{plane:?} {kernel:?} {stride:?} {padding:?} {n} {channels} {element:?}");
                    let x = random(&[n, channels, plane[0], plane[1]], 1, [1.0, 0.0], element);
                    let dy = |y: &Tensor| random(y.dims(), 2, [1.0, 0.0], element);
                    let f = |t: &[Tensor]| Ok(max_pool2d(&t[0], kernel, stride, padding)?);
                    let (y, d, dx) = on_the_cpu(&[&x], dy, f);
                    let windows = windows(plane, &y, (kernel, stride, padding));
                    let mut pool = Pool { n, channels, element, windows, divisor: None };
                    assert!(pool.fits_a_byte());
                    let buffers = vec![
                        input(&x, element),
                        output(&y, element),
                        Buffer::Output(Element::U8, y.elem_count()),
                    ];
                    let mut found = emulator.run(&pool.max(), buffers).unwrap();
                    assert_close(&format!("max {name}"), &found[1], &y, 0.0);
                    let taps = found.remove(2);
                    let buffers = vec![Buffer::Input(taps), input(&d, element), output(&x, element)];
                    let found = emulator.run(&pool.max_gradient(), buffers).unwrap();
                    assert_close(&format!("max dx {name}"), &found[2], &dx[0], tolerance);

                    for include in [true, false] {
                        let f = |t: &[Tensor]| Ok(avg_pool2d(&t[0], kernel, stride, padding, include)?);
                        let (y, d, dx) = on_the_cpu(&[&x], dy, f);
                        pool.divisor = include.then_some(kernel[0] * kernel[1]);
                        means(
                            &emulator,
                            &format!("avg {name} {include}"),
                            pool,
                            [&x, &y, &d, &dx[0]],
                            tolerance,
                        );
                    }
                }
            }
        }
    }
}

fn means(emulator: &Emulator, name: &str, pool: Pool, [x, y, d, dx]: [&Tensor; 4], tolerance: f64) {
    let element = pool.element;
    let found = emulator.run(&pool.avg(), vec![input(x, element), output(y, element)]).unwrap();
    assert_close(name, &found[1], y, tolerance);
    let found = emulator.run(&pool.avg_gradient(), vec![input(d, element), output(x, element)]).unwrap();
    assert_close(&format!("{name} dx"), &found[1], dx, tolerance);
}

#[test]
fn means_of_parts_of_nearly_equal_size() {
    for emulator in Emulator::both_orders() {
        for out in [[1, 1], [3, 2], [6, 6], [9, 8]] {
            for [n, channels] in BATCHES {
                for (element, tolerance) in PRECISIONS {
                    let x = random(&[n, channels, 6, 7], 1, [1.0, 0.0], element);
                    let dy = |y: &Tensor| random(y.dims(), 2, [1.0, 0.0], element);
                    let (y, d, dx) = on_the_cpu(&[&x], dy, |t| Ok(adaptive_avg_pool2d(&t[0], out)?));
                    let windows =
                        [0, 1].map(|axis| Windows::Adaptive { size: [6, 7][axis], outputs: out[axis] });
                    let pool = Pool { n, channels, element, windows, divisor: None };
                    let name = format!("{out:?} {channels} {element:?}");
                    means(&emulator, &name, pool, [&x, &y, &d, &dx[0]], tolerance);
                }
            }
        }
    }
}

#[test]
pub(crate) fn means_of_whole_planes() {
    for emulator in Emulator::both_orders() {
        for [n, channels, h, w] in [[2, 3, 6, 7], [3, 8, 1, 1], [2, 264, 3, 5], [1, 16, 40, 41]] {
            for (element, tolerance) in PRECISIONS {
                let x = random(&[n, channels, h, w], 1, [1.0, 0.5], element);
                let dy = |y: &Tensor| random(y.dims(), 2, [1.0, 0.0], Element::F32);
                let (y, d, dx) = on_the_cpu(&[&x], dy, |t| Ok(global_avg_pool(&t[0])?));
                let planes = Planes { n, plane: h * w, channels, element };
                let buffers = vec![input(&x, element), output(&y, Element::F32)];
                let found = emulator.run(&planes.mean(), buffers).unwrap();
                assert_close(&format!("{n} {channels} {h} {w}"), &found[1], &y, 2e-5);
                let buffers = vec![f32_input(&d), output(&x, element)];
                let found = emulator.run(&planes.mean_gradient(), buffers).unwrap();
                assert_close(&format!("dx {n} {channels} {h} {w}"), &found[1], &dx[0], tolerance);
            }
        }
    }
}

#[test]
fn the_first_of_equal_maxima_wins_and_nan_always() {
    let values = [1.0, f32::NAN, 2.0, 5.0, f32::NAN, 1.0, 4.0, 4.0];
    for emulator in Emulator::both_orders() {
        let sliding = |size, kernel| Windows::Sliding {
            size,
            outputs: size / kernel,
            kernel,
            stride: kernel,
            before: 0,
        };
        let windows = [sliding(1, 1), sliding(8, 2)];
        let pool = Pool { n: 1, channels: 1, element: Element::F32, windows, divisor: None };
        let buffers = vec![
            Buffer::Input(Values::F32(values.to_vec())),
            Buffer::Output(Element::F32, 4),
            Buffer::Output(Element::U8, 4),
        ];
        let found = emulator.run(&pool.max(), buffers).unwrap();
        let maxima = found[1].floats();
        assert!(
            maxima[0].is_nan() && maxima[1] == 5.0 && maxima[2].is_nan() && maxima[3] == 4.0,
            "{maxima:?}"
        );
        assert_eq!(found[2].floats(), [1.0, 1.0, 0.0, 0.0]);
    }
}
