//! The attack of adversarial training: against PyTorch, against finite differences, and within its ball.
//!
//! References: tests/attack.json, made by tests/oracles/attack.py.

#[path = "parity/formula.rs"]
mod formula;

use candle_core::{DType, Device, Tensor};
use in9_data::Normalization;
use in9_models::train::{Attack, Norm};
use in9_models::{Mode, Model, Params, build};
use serde::Deserialize;

const NORMALIZATION: Normalization = Normalization::IMAGENET_9;

#[derive(Deserialize)]
struct Reference {
    side: usize,
    step: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    norm: Norm,
    epsilon: f64,
    steps: u32,
    loss_before: f64,
    loss_after: f64,
    pixels: Vec<f64>,
}

fn normalise(pixels: &Tensor) -> Tensor {
    let of = |v: [f32; 3]| {
        Tensor::new(&v, &Device::Cpu)
            .unwrap()
            .reshape((1, 3, 1, 1))
            .unwrap()
            .to_dtype(pixels.dtype())
            .unwrap()
    };
    let centred = pixels.broadcast_sub(&of(NORMALIZATION.mean)).unwrap();
    centred.broadcast_div(&of(NORMALIZATION.std)).unwrap()
}

fn pixels(x: &Tensor) -> Vec<f64> {
    let of = |v: [f32; 3]| {
        Tensor::new(&v, &Device::Cpu).unwrap().reshape((1, 3, 1, 1)).unwrap().to_dtype(DType::F64).unwrap()
    };
    let x = x.to_dtype(DType::F64).unwrap();
    let x = x.broadcast_mul(&of(NORMALIZATION.std)).unwrap().broadcast_add(&of(NORMALIZATION.mean)).unwrap();
    x.flatten_all().unwrap().to_vec1().unwrap()
}

fn loss(model: &Model, x: &Tensor, labels: &Tensor) -> f64 {
    let logits = model.forward(x, Mode::Eval).unwrap();
    let loss = in9_kernels::cross_entropy(&logits, labels, 0.0).unwrap();
    loss.to_dtype(DType::F64).unwrap().to_scalar().unwrap()
}

#[test]
fn equals_pytorch() {
    let reference: Reference = serde_json::from_str(include_str!("attack.json")).unwrap();
    let weights = formula::weights("resnet18", 10, 0.6, true);
    let side = reference.side;
    let noise = formula::unit("attack", 2 * 3 * side * side);
    let clean = Tensor::from_vec(noise, (2, 3, side, side), &Device::Cpu).unwrap();
    let labels = Tensor::new(&[2u32, 7], &Device::Cpu).unwrap();
    // A trainable model attacks with its running statistics as a frozen one does.
    for store in [Params::frozen, Params::trainable] {
        let model = build("resnet18", 10, &store(weights.clone(), DType::F32, &Device::Cpu)).unwrap();
        let x = normalise(&clean);
        for case in &reference.cases {
            let attack = Attack::new(case.norm, case.epsilon, case.steps);
            let moved = attack.perturb(&model, &x, &labels, 0.0, NORMALIZATION).unwrap();
            let before = loss(&model, &x, &labels);
            assert!((before - case.loss_before).abs() < 1e-5);
            let (grown, expected) =
                (loss(&model, &moved, &labels) - before, case.loss_after - case.loss_before);
            assert!((grown - expected).abs() < 0.02 * expected, "{:?}: {grown} {expected}", case.norm);
            let found: Vec<f64> = pixels(&moved).into_iter().step_by(reference.step).collect();
            assert_eq!(found.len(), case.pixels.len());
            // A gradient of nearly nothing may have either sign.
            let apart = found.iter().zip(&case.pixels).filter(|(a, b)| (*a - *b).abs() > 1e-4).count();
            let most = if case.norm == Norm::Linf { found.len() / 100 } else { 0 };
            assert!(apart <= most, "{:?}: {apart} of {} pixels", case.norm, found.len());
        }
    }
}

/// Four pictures, some of their pixels at the ends of the range.
fn pictures(dtype: DType) -> (Vec<f64>, Tensor, Tensor) {
    let values: Vec<f64> =
        (0..4 * 3 * 16 * 16).map(|i| (f64::from(i * 7919 % 2003) / 1800.0 - 0.05).clamp(0.0, 1.0)).collect();
    let x = Tensor::from_vec(values.clone(), (4, 3, 16, 16), &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
    (values, normalise(&x), Tensor::new(&[0u32, 2, 1, 2], &Device::Cpu).unwrap())
}

fn small(dtype: DType) -> Model {
    let model = build("resnet-tiny", 3, &Params::random(3, dtype, &Device::Cpu)).unwrap();
    // Running statistics like those of a network that has seen something.
    let (_, x, _) = pictures(dtype);
    for step in 0..3 {
        model.forward(&x, Mode::Train { seed: 0, step }).unwrap();
    }
    model
}

#[test]
fn the_pictures_gradient_equals_finite_differences() {
    const H: f64 = 1e-6;
    let model = small(DType::F64);
    let (_, x, labels) = pictures(DType::F64);
    let gradient = model.input_gradient(&x, &labels, 0.1).unwrap();
    assert_eq!(gradient.dims(), x.dims());
    let gradient: Vec<f64> = gradient.flatten_all().unwrap().to_vec1().unwrap();
    let values: Vec<f64> = x.flatten_all().unwrap().to_vec1().unwrap();
    for at in [0, 255, 500, 1024, 2000, 3071] {
        let moved = |offset: f64| {
            let mut moved = values.clone();
            moved[at] += offset;
            let moved = Tensor::from_vec(moved, x.shape(), &Device::Cpu).unwrap();
            let logits = model.forward(&moved, Mode::Eval).unwrap();
            in9_kernels::cross_entropy(&logits, &labels, 0.1).unwrap().to_scalar::<f64>().unwrap()
        };
        let numeric = (moved(H) - moved(-H)) / (2.0 * H);
        let error = (numeric - gradient[at]).abs() / (numeric.abs() + gradient[at].abs()).max(1e-4);
        assert!(error < 1e-4, "[{at}]: {} but {numeric}", gradient[at]);
    }
}

#[test]
fn pictures_stay_in_the_ball_and_in_range_while_the_loss_grows() {
    let model = small(DType::F32);
    let (clean, x, labels) = pictures(DType::F32);
    for (attack, alone) in [(Attack::new(Norm::L2, 0.7, 4), 2e-3), (Attack::new(Norm::Linf, 0.03, 3), 2e-2)] {
        let moved = attack.perturb(&model, &x, &labels, 0.0, NORMALIZATION).unwrap();
        assert!(loss(&model, &moved, &labels) > 1.05 * loss(&model, &x, &labels), "{attack:?}");
        let moved = pixels(&moved);
        assert!(moved.iter().all(|v| (-1e-6..=1.0 + 1e-6).contains(v)));
        for (a, b) in moved.chunks(3 * 256).zip(clean.chunks(3 * 256)) {
            let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs());
            let length = match attack.norm {
                Norm::L2 => apart.map(|d| d * d).sum::<f64>().sqrt(),
                Norm::Linf => apart.fold(0.0, f64::max),
            };
            assert!(length <= attack.epsilon * (1.0 + 1e-5) && length > 0.5 * attack.epsilon, "{length}");
        }
        // A picture goes the same way without the others.
        let third = attack.perturb(
            &model,
            &x.narrow(0, 2, 1).unwrap(),
            &labels.narrow(0, 2, 1).unwrap(),
            0.0,
            NORMALIZATION,
        );
        let third = pixels(&third.unwrap());
        let apart = third.iter().zip(&moved[2 * 768..]).filter(|(a, b)| (*a - *b).abs() > 1e-4).count();
        assert!(apart as f64 <= alone * 768.0, "{attack:?}: {apart}");
    }
}

#[test]
fn no_gradient_moves_nothing() {
    // A network of zeros answers alike whatever it sees.
    let params = Params::random(0, DType::F32, &Device::Cpu);
    let model = build("resnet-tiny", 3, &params).unwrap();
    let zeros = model.tensors().into_iter().map(|(name, t)| (name, t.zeros_like().unwrap())).collect();
    model.set_tensors(&zeros).unwrap();
    let (clean, x, labels) = pictures(DType::F32);
    for norm in [Norm::L2, Norm::Linf] {
        let moved = Attack::new(norm, 0.5, 2).perturb(&model, &x, &labels, 0.0, NORMALIZATION).unwrap();
        assert!(pixels(&moved).iter().zip(&clean).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}
