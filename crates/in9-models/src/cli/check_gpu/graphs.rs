//! Captured graphs beside plain launches: the same bits.

use candle_core::{DType, Device, Tensor};

use super::report::Report;
use super::{random, values};
use crate::replay::{CapturedStep, Passes};
use crate::train::{Batch, Decay, Sgd};
use crate::{Mode, Model, Params, build};

/// One with residuals; one with gates and dropout, whose key is another one each step; one with maps of channels.
const NETWORKS: [&str; 3] = ["resnet-tiny", "mobilenet_v3_small", "shufflenet_v2_x0_5"];
const STEPS: u64 = 8;
const BATCH: usize = 16;

fn batch(step: u64, device: &Device) -> anyhow::Result<Batch> {
    let images = random(&[BATCH, 3, 64, 64], 200 + step)?.to_device(device)?;
    let labels: Vec<u32> = (0..BATCH as u32).map(|i| (i + step as u32) % 9).collect();
    Ok(Batch { images, labels: Tensor::from_vec(labels, BATCH, device)? })
}

fn model(name: &str, device: &Device) -> anyhow::Result<Model> {
    Ok(build(name, 9, &Params::random(3, DType::F32, device))?)
}

/// The bits of all parameters, running statistics and losses after a few steps; and why there was no graph, if there
/// was to be one.
fn trained(name: &str, device: &Device, graph: bool) -> anyhow::Result<(Vec<u32>, Option<String>)> {
    let model = model(name, device)?;
    let mut sgd = Sgd::new(&model.parameters(), 0.9, true, 5e-4, Decay::All)?;
    let mut captured = match graph {
        true => CapturedStep::new(&model, &batch(0, device)?, 0.1)?,
        false => None,
    };
    let mut bits = Vec::new();
    for step in 0..STEPS {
        let (pictures, mode) = (batch(step, device)?, Mode::Train { seed: 1, step });
        // The rate falls, as it does in a training.
        let rate = 0.02 / (step + 1) as f64;
        let loss = match &mut captured {
            Some(captured) => captured.run(&model, &sgd, &pictures, rate, mode)?.0 as f32,
            None => {
                let (loss, _, gradients) =
                    model.gradients(&pictures.images, &pictures.labels, 0.1, 1.0, mode)?;
                sgd.step(&gradients, rate)?;
                values(&loss)?[0]
            }
        };
        bits.push(loss.to_bits());
    }
    for parameter in model.parameters() {
        bits.extend(values(&parameter.value)?.into_iter().map(f32::to_bits));
    }
    let refusal = captured.and_then(|captured| match captured.state() {
        Ok(true) => None,
        Ok(false) => Some("never captured".to_owned()),
        Err(why) => Some(why.to_owned()),
    });
    Ok((bits, refusal))
}

/// The bits of the logits of a few batches.
fn answered(name: &str, device: &Device, graph: bool) -> anyhow::Result<(Vec<u32>, Option<String>)> {
    let (model, passes) = (model(name, device)?.frozen()?, Passes::default());
    let mut bits = Vec::new();
    for step in 0..STEPS {
        let images = batch(step, device)?.images;
        let logits = match graph {
            true => passes.forward(&model, &images)?,
            false => model.forward(&images, Mode::Eval)?,
        };
        bits.extend(values(&logits)?.into_iter().map(f32::to_bits));
    }
    let refusal = match passes.state() {
        (0, why) if graph => Some(why.join("; ")),
        _ => None,
    };
    Ok((bits, refusal))
}

type Run = fn(&str, &Device, bool) -> anyhow::Result<(Vec<u32>, Option<String>)>;

pub(super) fn check(device: &Device, way: &str, report: &mut Report) -> anyhow::Result<()> {
    let works: [(&str, Run); 2] = [("training", trained), ("evaluation", answered)];
    for name in NETWORKS {
        for (what, work) in works {
            report.begin(format!("graph of {name}, {what}, {way}"))?;
            let runs = work(name, device, false).and_then(|plain| Ok((plain.0, work(name, device, true)?)));
            let line = format!("{name} {what}: values other than without a graph");
            match runs {
                Ok((plain, (captured, refusal))) => {
                    if let Some(why) = refusal {
                        report.note(format!("{name} {what}, {way}: plain launches, not a graph: {why}"));
                    }
                    let differing = plain.iter().zip(&captured).filter(|(a, b)| a != b).count();
                    let missing = plain.len().abs_diff(captured.len());
                    report.compare(line, way, (differing + missing) as f64, 0.0);
                }
                Err(error) => {
                    report.note(format!("✗ graph of {name}, {what}, {way}: {error:#}"));
                    report.compare(line, way, f64::INFINITY, 0.0);
                }
            }
        }
    }
    Ok(())
}
