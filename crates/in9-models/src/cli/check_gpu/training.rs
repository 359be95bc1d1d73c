//! A short training: its losses beside the processor's, and the same bits when it is run again.

use candle_core::{DType, Device, Tensor};

use super::report::Report;
use super::{random, values};
use crate::train::{Decay, Sgd};
use crate::{Mode, Params, build};

const STEPS: u64 = 30;
const BATCH: usize = 32;

/// Losses of the steps, and all parameters after the last.
fn train(device: &Device) -> anyhow::Result<(Vec<f64>, Vec<u32>)> {
    let model = build("resnet-tiny", 4, &Params::random(1, DType::F32, device))?;
    let mut sgd = Sgd::new(&model.parameters(), 0.9, true, 5e-4, Decay::All)?;
    let mut losses = Vec::new();
    for step in 0..STEPS {
        // Four classes that differ in brightness, so that there is something to learn.
        let labels: Vec<u32> = (0..BATCH as u32).map(|i| (i + step as u32) % 4).collect();
        let shift: Vec<f32> = labels.iter().map(|&l| l as f32 * 0.5 - 0.75).collect();
        let shift = Tensor::from_vec(shift, (BATCH, 1, 1, 1), &Device::Cpu)?;
        let images = random(&[BATCH, 3, 32, 32], 100 + step)?.broadcast_add(&shift)?.to_device(device)?;
        let labels = Tensor::from_vec(labels, BATCH, device)?;
        let mode = Mode::Train { seed: 1, step };
        let (loss, _, gradients) = model.gradients(&images, &labels, 0.0, 1.0, mode)?;
        sgd.step(&gradients, 0.02)?;
        losses.push(f64::from(values(&loss)?[0]));
    }
    let mut bits = Vec::new();
    for parameter in model.parameters() {
        bits.extend(values(&parameter.value)?.into_iter().map(f32::to_bits));
    }
    Ok((losses, bits))
}

pub(super) fn check(device: &Device, way: &str, report: &mut Report) -> anyhow::Result<()> {
    report.begin(format!("training, {way}"))?;
    let (expected, _) = train(&Device::Cpu)?;
    let (found, again) = match (train(device), train(device)) {
        (Ok(found), Ok(again)) => (found, again),
        (Err(error), _) | (_, Err(error)) => {
            report.note(format!("✗ training, {way}: {error:#}"));
            report.compare("training", way, f64::INFINITY, 0.0);
            return Ok(());
        }
    };
    let tolerance = match way {
        "f32" => 0.03,
        "tf32" => 0.1,
        _ => 0.2,
    };
    let off = found.0.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / expected[0];
    report.compare(format!("loss over {STEPS} steps of resnet-tiny"), way, off, tolerance);
    let differing = found.1.iter().zip(&again.1).filter(|(a, b)| a != b).count();
    report.compare("weights that differ when it is run again", way, differing as f64, 0.0);
    Ok(())
}
