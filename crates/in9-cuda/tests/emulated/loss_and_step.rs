//! Cross-entropy, accuracy, dropout and the step of SGD.

use candle_core::{Device, Tensor, Var};
use in9_cuda::launch::Element;
use in9_cuda::plan::elementwise;
use in9_cuda::plan::loss::CrossEntropy;
use in9_kernels::{SgdStep, cross_entropy, sgd_step};

use crate::emulator::{Buffer, Emulator, Values};
use crate::tensors::{assert_close, f32_input, flat, on_the_cpu, output, random};

#[test]
pub(crate) fn cross_entropy_with_and_without_smoothing() {
    for emulator in Emulator::both_orders() {
        for (rows, classes) in [(4, 5), (1, 1), (3, 1000), (300, 9), (2, 256), (2, 257)] {
            for smoothing in [0.0, 0.1, 1.0] {
                let logits = random(&[rows, classes], 1, [6.0, 1.0], Element::F32);
                let targets: Vec<u32> = (0..rows).map(|i| (i * 7 % classes) as u32).collect();
                let of_targets = Tensor::from_slice(&targets, rows, &Device::Cpu).unwrap();
                let d = Tensor::new(0.75f32, &Device::Cpu).unwrap();
                let f = |t: &[Tensor]| Ok(cross_entropy(&t[0], &of_targets, smoothing)?);
                let (loss, d, gradients) = on_the_cpu(&[&logits], |_| d.clone(), f);
                let layer = CrossEntropy { rows, classes, smoothing };
                let wanted = || Buffer::Input(Values::U32(targets.clone()));
                let buffers = vec![
                    f32_input(&logits),
                    wanted(),
                    output(&loss, Element::F32),
                    Buffer::Output(Element::F32, rows),
                ];
                let mut found = emulator.run(&layer.forward(), buffers).unwrap();
                let name = format!("{rows} {classes} {smoothing}");
                assert_close(&name, &found[2], &loss.reshape(1).unwrap(), 1e-4);
                let log_sums = Buffer::Input(found.remove(3));
                let buffers = vec![
                    f32_input(&logits),
                    wanted(),
                    log_sums,
                    f32_input(&d.reshape(1).unwrap()),
                    output(&logits, Element::F32),
                ];
                let found = emulator.run(&layer.backward(), buffers).unwrap();
                assert_close(&format!("gradient {name}"), &found[4], &gradients[0], 1e-4);
                let buffers = vec![f32_input(&logits), wanted(), Buffer::Output(Element::F32, 1)];
                let found = emulator.run(&layer.correct(), buffers).unwrap();
                let rows_of = logits.to_vec2::<f32>().unwrap();
                let right = rows_of.iter().zip(&targets).filter(|(row, target)| {
                    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    row.iter().position(|&v| v == most) == Some(**target as usize)
                });
                assert_eq!(found[2].floats(), [right.count() as f32], "{name}");
            }
        }
    }
}

#[test]
fn large_logits_stay_finite_and_a_class_that_is_not_there_is_seen() {
    for emulator in Emulator::both_orders() {
        let layer = CrossEntropy { rows: 1, classes: 2, smoothing: 0.0 };
        let loss = |target| {
            let buffers = vec![
                Buffer::Input(Values::F32(vec![1e4, -1e4])),
                Buffer::Input(Values::U32(vec![target])),
                Buffer::Output(Element::F32, 1),
                Buffer::Output(Element::F32, 1),
            ];
            emulator.run(&layer.forward(), buffers).unwrap()[2].floats()[0]
        };
        assert_eq!([loss(0), loss(1)], [0.0, 2e4]);
        assert!(loss(2).is_nan());
    }
}

#[test]
pub(crate) fn a_step_of_sgd_is_the_cpus() {
    for emulator in Emulator::both_orders() {
        for (nesterov, decay) in [(false, 0.0), (true, 1e-2), (false, 1e-2)] {
            let p = Var::from_tensor(&random(&[5, 77], 1, [1.0, 0.0], Element::F32)).unwrap();
            let gradient = random(&[5, 77], 2, [1.0, 0.0], Element::F32);
            let mut velocity = flat(&random(&[5, 77], 3, [1.0, 0.0], Element::F32));
            let buffers = vec![
                Buffer::Changed(Values::F32(flat(&p))),
                f32_input(&gradient),
                Buffer::Changed(Values::F32(velocity.clone())),
                Buffer::Input(Values::F32(vec![0.3])),
            ];
            let found = emulator.run(&elementwise::sgd(385, 0.9, decay, nesterov), buffers).unwrap();
            let step = SgdStep { rate: 0.3, momentum: 0.9, nesterov, weight_decay: decay };
            sgd_step(&p, &gradient, &mut velocity, &step).unwrap();
            assert_close("parameter", &found[0], &p, 1e-6);
            let velocity = Tensor::from_vec(velocity, (5, 77), &Device::Cpu).unwrap();
            assert_close("velocity", &found[2], &velocity, 1e-6);
        }
    }
}

#[test]
pub(crate) fn dropout_has_the_mask_of_the_cpu_bit_for_bit() {
    for emulator in Emulator::both_orders() {
        for (shape, p, key) in [([1, 1], 0.5, 7), ([3, 50], 0.25, 0x0123_4567_89ab_cdef), ([64, 77], 0.9, 1)]
        {
            let x = random(&shape, 1, [1.0, 2.0], Element::F32);
            let expected = in9_kernels::dropout(&x, p, key).unwrap();
            let words = Buffer::Input(Values::U32(vec![key as u32, (key >> 32) as u32]));
            for (number, words) in [(Some(key), Buffer::None), (None, words)] {
                let plan = elementwise::dropout(x.elem_count(), p, number);
                let buffers = vec![f32_input(&x), output(&x, Element::F32), words];
                let found = emulator.run(&plan, buffers).unwrap();
                assert_eq!(found[1].floats(), flat(&expected), "{shape:?} {p} {number:?}");
            }
        }
    }
}
