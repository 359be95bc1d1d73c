//! Every network of the registry: its answers, and of some the gradients of all parameters.

use candle_core::{DType, Device, Tensor};

use super::report::Report;
use super::{difference, random, values};
use crate::registry;
use crate::{Mode, Params, build};

/// How far logits and gradients may be off, of the largest: rounding adds up over a hundred layers.
fn tolerance(way: &str) -> f64 {
    match way {
        "f32" => 2e-3,
        "tf32" => 5e-2,
        _ => 3e-1,
    }
}

/// Networks whose gradients are compared: one with residuals, one with depthwise layers and gates, one with shuffles.
const TRAINED: [&str; 3] = ["resnet-tiny", "mobilenet_v3_small", "shufflenet_v2_x0_5"];

pub(super) fn check(device: &Device, way: &str, report: &mut Report) -> anyhow::Result<()> {
    let images = random(&[2, 3, 64, 64], 1)?;
    for architecture in registry::ARCHITECTURES.iter().filter(|a| !a.evaluation_only) {
        // The larger members of a family have the layers of the smaller.
        if ["resnet101", "resnet152", "wide_resnet50_2"].contains(&architecture.name) {
            continue;
        }
        report.begin(format!("{}, {way}", architecture.name))?;
        let model = build(architecture.name, 9, &Params::random(3, DType::F32, &Device::Cpu))?;
        let tensors = model.tensors();
        let logits = |device: &Device| -> crate::Result<Tensor> {
            let frozen = build(architecture.name, 9, &Params::frozen(tensors.clone(), DType::F32, device))?;
            frozen.forward(&images.to_device(device)?, Mode::Eval)
        };
        let expected = logits(&Device::Cpu)?;
        let off = match logits(device) {
            Ok(found) => difference(&found, &expected)?,
            Err(error) => {
                report.note(format!("✗ {}, {way}: {error}", architecture.name));
                f64::INFINITY
            }
        };
        report.compare(format!("{} logits", architecture.name), way, off, tolerance(way));
    }
    for name in TRAINED {
        gradients(name, device, way, report)?;
    }
    Ok(())
}

fn gradients(name: &str, device: &Device, way: &str, report: &mut Report) -> anyhow::Result<()> {
    report.begin(format!("gradients of {name}, {way}"))?;
    let images = random(&[8, 3, 64, 64], 1)?;
    let labels: Vec<u32> = (0..8).map(|i| i % 9).collect();
    let run = |device: &Device| -> anyhow::Result<(f64, Vec<f32>)> {
        let model = build(name, 9, &Params::random(3, DType::F32, device))?;
        let labels = Tensor::from_slice(&labels, labels.len(), device)?;
        let mode = Mode::Train { seed: 0, step: 0 };
        let (loss, _, store) = model.gradients(&images.to_device(device)?, &labels, 0.1, 1.0, mode)?;
        let mut all = Vec::new();
        for variable in model.parameters().iter().filter_map(|p| p.variable.as_ref()) {
            if let Some(gradient) = store.get(variable) {
                all.extend(values(gradient)?);
            }
        }
        Ok((f64::from(values(&loss)?[0]), all))
    };
    let (expected, found) = (run(&Device::Cpu)?, run(device));
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            report.note(format!("✗ {name} gradients, {way}: {error:#}"));
            report.compare(format!("{name} gradients"), way, f64::INFINITY, tolerance(way));
            return Ok(());
        }
    };
    report.compare(format!("{name} loss"), way, (found.0 - expected.0).abs() / expected.0, tolerance(way));
    // Of small batches single gradients are ill-conditioned; their directions are not.
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let away = match found.1.len() == expected.1.len() {
        true => {
            let lengths = (dot(&found.1, &found.1) * dot(&expected.1, &expected.1)).sqrt();
            1.0 - dot(&found.1, &expected.1) / lengths.max(1e-30)
        }
        false => f64::INFINITY,
    };
    report.compare(format!("{name} gradients (1 - cosine)"), way, away, tolerance(way));
    Ok(())
}
