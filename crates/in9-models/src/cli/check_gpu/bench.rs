//! Speed: networks, composition, and what the card itself can do.

use std::time::Instant;

use candle_core::{DType, Device, Tensor};
use in9_cuda::device::{Gpu, Settings, compose, open};
use in9_cuda::plan::compose::{Picture, View};

use super::random;
use super::report::Report;
use crate::replay::{CapturedStep, Passes};
use crate::train::{Batch, Decay, Sgd};
use crate::{Mode, Model, Params, build};

/// The median of a few runs in seconds, each waited for, after some that warm up.
fn median(gpu: &Gpu, runs: usize, mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    // Twice as it is and once to capture it, where it is.
    for _ in 0..4 {
        work()?;
    }
    gpu.synchronize()?;
    let mut times = Vec::new();
    for _ in 0..runs {
        let started = Instant::now();
        work()?;
        gpu.synchronize()?;
        times.push(started.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

/// Bytes a second of a copy, read and written, and operations a second of a bf16 product: the card's own limits.
fn limits(device: &Device, gpu: &Gpu, report: &mut Report) -> anyhow::Result<[f64; 2]> {
    const MIB: usize = 1 << 20;
    let block = Tensor::zeros(1024 * MIB, DType::U8, device)?;
    let seconds = median(gpu, 5, || {
        block.copy()?;
        Ok(())
    })?;
    let bandwidth = 2.0 * (1024 * MIB) as f64 / seconds;
    report.time("copy of 1 GiB", "", seconds, (bandwidth / 1e9, "GB/s"), None);
    let side = 8192;
    let a = random(&[side, side], 1)?.to_device(device)?.to_dtype(DType::BF16)?;
    let seconds = median(gpu, 5, || {
        a.matmul(&a)?;
        Ok(())
    })?;
    let operations = 2.0 * (side as f64).powi(3) / seconds;
    report.time("product of 8192²", "bf16", seconds, (operations / 1e12, "TFLOP/s"), None);
    Ok([bandwidth, operations])
}

/// Mixed pictures of 224² from bytes.
fn composition(device: &Device, gpu: &Gpu, bandwidth: f64, report: &mut Report) -> anyhow::Result<()> {
    let (size, samples, count) = (224, 512, 512);
    let layer = size * size * 3;
    let bytes = |len: usize| -> anyhow::Result<Tensor> {
        Ok(random(&[samples, len], 5)?.affine(127.0, 128.0)?.to_dtype(DType::U8)?.to_device(device)?)
    };
    let (photos, tiled) = (bytes(layer)?, bytes(layer)?);
    // Objects are of one piece, so of a pixel's two layers one is read.
    let mask = size * size / 8;
    let upper: Vec<u8> = (0..samples * mask).map(|i| if i % mask < mask / 2 { 255 } else { 0 }).collect();
    let masks = Tensor::from_vec(upper, (samples, mask), device)?;
    let boxes = Tensor::zeros((samples, 4), DType::I32, device)?;
    let picture = |i: usize| Picture {
        sample: i as i32,
        background: ((i * 7 + 1) % samples) as i32,
        view: View::Mixed,
        mirrored: false,
        dx: 0,
        dy: 0,
    };
    let pictures: Vec<Picture> = (0..count).map(picture).collect();
    let seconds = median(gpu, 9, || {
        compose(gpu, [&photos, &tiled, &masks, &boxes], &pictures, size, [(0.01, -1.0); 3])?;
        Ok(())
    })?;
    let written = if gpu.settings().bf16 { 2 } else { 4 };
    let moved = (count * (layer + layer * written + mask)) as f64 / seconds;
    let way = if gpu.settings().bf16 { "bf16" } else { "f32" };
    let limit = Some(bandwidth / 1e9);
    report.time(format!("composing {count} pictures"), way, seconds, (moved / 1e9, "GB/s"), limit);
    Ok(())
}

struct Bench<'a> {
    device: &'a Device,
    gpu: &'a Gpu,
    way: &'a str,
    report: &'a mut Report,
}

impl Bench<'_> {
    fn inference(&mut self, name: &str, batch: usize) -> anyhow::Result<()> {
        let what = format!("{name} inference of {batch}");
        self.report.begin(format!("{what}, {}", self.way))?;
        let model = build(name, 1000, &Params::random(1, DType::F32, self.device))?.frozen()?;
        let images = self.pictures(batch)?;
        let passes = Passes::default();
        let seconds = median(self.gpu, 5, || {
            passes.forward(&model, &images)?;
            Ok(())
        })?;
        let (captured, refusals) = passes.state();
        self.timed(&what, batch, seconds);
        match captured {
            0 => self.plain(&what, &refusals.join("; ")),
            _ => {
                let seconds = median(self.gpu, 5, || {
                    model.forward(&images, Mode::Eval)?;
                    Ok(())
                })?;
                self.timed(&format!("{what}, plain launches"), batch, seconds);
            }
        }
        Ok(())
    }

    fn training(&mut self, name: &str, batch: usize) -> anyhow::Result<()> {
        let what = format!("{name} training step of {batch}");
        self.report.begin(format!("{what}, {}", self.way))?;
        let model = build(name, 1000, &Params::random(1, DType::F32, self.device))?;
        let images = self.pictures(batch)?;
        let labels: Vec<u32> = (0..batch as u32).map(|i| i % 1000).collect();
        let labels = Tensor::from_vec(labels, batch, self.device)?;
        let mut sgd = Sgd::new(&model.parameters(), 0.9, false, 1e-4, Decay::All)?;
        let pictures = Batch { images: images.clone(), labels: labels.clone() };
        if let Some(mut captured) = CapturedStep::new(&model, &pictures, 0.0)? {
            let mode = Mode::Train { seed: 0, step: 0 };
            let seconds = median(self.gpu, 5, || {
                captured.run(&model, &sgd, &pictures, 1e-3, mode)?;
                Ok(())
            })?;
            match captured.state() {
                Ok(_) => self.timed(&what, batch, seconds),
                Err(why) => {
                    let why = why.to_owned();
                    self.plain(&what, &why);
                }
            }
        }
        let seconds = median(self.gpu, 5, || step(&model, &mut sgd, &images, &labels))?;
        self.timed(&format!("{what}, plain launches"), batch, seconds);
        Ok(())
    }

    /// Channels last in the device's precision, as they come out of the composition.
    fn pictures(&self, batch: usize) -> anyhow::Result<Tensor> {
        let pictures = random(&[batch, 3, 224, 224], 1)?.to_device(self.device)?;
        Ok(in9_kernels::network_input(&pictures)?)
    }

    fn timed(&mut self, what: &str, batch: usize, seconds: f64) {
        self.report.time(what, self.way, seconds, (batch as f64 / seconds, "images/s"), None);
    }

    /// Says that there is no graph, and why.
    fn plain(&mut self, what: &str, why: &str) {
        self.report.note(format!("{what}, {}: plain launches, not a graph: {why}", self.way));
    }
}

fn step(model: &Model, sgd: &mut Sgd, images: &Tensor, labels: &Tensor) -> anyhow::Result<()> {
    let (_, _, gradients) = model.gradients(images, labels, 0.0, 1.0, Mode::Train { seed: 0, step: 0 })?;
    Ok(sgd.step(&gradients, 1e-3)?)
}

/// The zoo, ResNet-50 first. DPN and VGG want much memory.
const ZOO: [(&str, usize); 8] = [
    ("resnet50", 256),
    ("mobilenet_v2", 256),
    ("efficientnet_b0", 256),
    ("shufflenet_v2_x1_0", 256),
    ("mobilenet_v3_large", 256),
    ("resnet18", 256),
    ("vgg16_bn", 128),
    ("dpn92", 128),
];

pub(super) fn run(number: usize, deadline: Instant, report: &mut Report) -> anyhow::Result<()> {
    let ways = [("bf16", Settings { bf16: true, ..Settings::default() }), ("tf32", Settings::default())];
    for (way, settings) in ways {
        candle_core::cuda::set_gemm_reduced_precision_f32(true);
        let (device, gpu) = open(number, settings)?;
        let [bandwidth, _] = limits(&device, &gpu, report)?;
        composition(&device, &gpu, bandwidth, report)?;
        let mut bench = Bench { device: &device, gpu: &gpu, way, report };
        for (name, batch) in ZOO.into_iter().take(if way == "bf16" { ZOO.len() } else { 2 }) {
            if Instant::now() > deadline {
                bench.report.note(format!("{name}, {way}: not timed, the time is up"));
                continue;
            }
            if let Err(error) = bench.inference(name, batch).and_then(|()| bench.training(name, batch / 2)) {
                bench.report.note(format!("✗ {name}, {way}: {error:#}"));
            }
        }
    }
    Ok(())
}
