//! Every layer on the GPU and on the processor: results and all gradients.

use std::path::Path;

use candle_core::{DType, Device, Tensor, Var};
use in9_kernels::{
    Activation, ChannelSource, Conv2dConfig, Recording, SgdStep, adaptive_avg_pool2d, add_act,
    assemble_channels, avg_pool2d, batch_norm_train, conv2d, cross_entropy, dropout, global_avg_pool, linear,
    max_pool2d, scale_channels, sgd_step, sgd_step_on_gpu, update_running_stats,
};

use super::report::Report;
use super::{difference, random, values};
use crate::npy;

type Layer<'a> = &'a dyn Fn(&[Tensor]) -> in9_kernels::Result<Tensor>;

/// Result and gradients of `Σ dy ⊙ f(inputs)` by Candle's graph.
fn on_processor(inputs: &[Tensor], dy: &Tensor, f: Layer<'_>) -> anyhow::Result<(Tensor, Vec<Tensor>)> {
    let variables = inputs.iter().map(Var::from_tensor).collect::<candle_core::Result<Vec<_>>>()?;
    let tensors: Vec<Tensor> = variables.iter().map(|v| v.as_tensor().clone()).collect();
    let y = f(&tensors)?;
    let store = (&y * dy)?.sum_all()?.backward()?;
    let gradient = |v: &Var| store.get(v).map_or_else(|| v.zeros_like(), |g| Ok(g.clone()));
    let gradients = variables.iter().map(gradient).collect::<candle_core::Result<Vec<_>>>()?;
    Ok((y.detach(), gradients))
}

/// The same by a recording. The first input is an activation, in the precision of the way; the others are f32.
fn on_gpu(
    device: &Device,
    way: &str,
    inputs: &[Tensor],
    activations: usize,
    dy: &Tensor,
    f: Layer<'_>,
) -> anyhow::Result<(Tensor, Vec<Tensor>)> {
    let mut variables = Vec::new();
    for (i, input) in inputs.iter().enumerate() {
        let to = if way == "bf16" && i < activations { DType::BF16 } else { DType::F32 };
        variables.push(Var::from_tensor(&input.to_device(device)?.to_dtype(to)?)?);
    }
    let tensors: Vec<Tensor> = variables.iter().map(|v| v.as_tensor().clone()).collect();
    let recording = Recording::start();
    let y = f(&tensors)?;
    let mut store = Tensor::zeros((), DType::F32, device)?.backward()?;
    recording.backward_from(&y, &dy.to_device(device)?.to_dtype(y.dtype())?, &mut store)?;
    let gradient = |v: &Var| store.get(v).map_or_else(|| v.zeros_like(), |g| Ok(g.clone()));
    let gradients = variables.iter().map(gradient).collect::<candle_core::Result<Vec<_>>>()?;
    Ok((y, gradients))
}

struct Check<'a> {
    device: &'a Device,
    way: &'static str,
    tolerance: f64,
    dump: Option<&'a Path>,
    report: &'a mut Report,
}

impl Check<'_> {
    /// Rounds what a GPU in bf16 would round, so that both sides begin with the same numbers.
    fn rounded(&self, t: &Tensor) -> candle_core::Result<Tensor> {
        if self.way == "bf16" { t.to_dtype(DType::BF16)?.to_dtype(DType::F32) } else { Ok(t.clone()) }
    }

    /// `activations` of the inputs are activations; the rest are parameters.
    fn layer(
        &mut self,
        name: &str,
        inputs: &[Tensor],
        activations: usize,
        f: Layer<'_>,
    ) -> anyhow::Result<()> {
        self.report.begin(format!("{name}, {}", self.way))?;
        let mut given = Vec::new();
        for (i, input) in inputs.iter().enumerate() {
            given.push(if i < activations { self.rounded(input)? } else { input.clone() });
        }
        let dy = self.rounded(&random(f(&given)?.dims(), 99)?)?;
        let (y, gradients) = on_processor(&given, &dy, f)?;
        let found = on_gpu(self.device, self.way, &given, activations, &dy, f);
        let (found_y, found) = match found {
            Ok(found) => found,
            Err(error) => {
                self.report.note(format!("✗ {name}, {}: {error:#}", self.way));
                self.report.compare(name, self.way, f64::INFINITY, self.tolerance);
                return Ok(());
            }
        };
        let mut worst = difference(&found_y, &y)?;
        for (found, expected) in found.iter().zip(&gradients) {
            worst = worst.max(difference(found, expected)?);
        }
        self.report.compare(name, self.way, worst, self.tolerance);
        if let Some(folder) = self.dump {
            let stem: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
            let write = |part: &str, t: &Tensor| -> anyhow::Result<()> {
                Ok(npy::write(&folder.join(format!("{stem}.{part}.npy")), t.dims(), &values(t)?)?)
            };
            for (i, input) in given.iter().enumerate() {
                write(&format!("in{i}"), input)?;
                write(&format!("grad{i}"), &found[i])?;
            }
            write("dy", &dy)?;
            write("out", &found_y)?;
        }
        Ok(())
    }
}

/// Input, filters, stride, padding, dilation, groups: the layers of the zoo and awkward ones.
fn convolutions() -> Vec<([usize; 4], [usize; 4], Conv2dConfig)> {
    let square = |x: [usize; 4], out: usize, k: usize, s: usize, p: usize, groups: usize| {
        (x, [out, x[1] / groups, k, k], Conv2dConfig::new(s, p).with_groups(groups))
    };
    let case = |x: [usize; 4], w: [usize; 4], stride, padding, dilation, groups| {
        (x, w, Conv2dConfig { stride, padding, dilation, groups })
    };
    vec![
        square([8, 3, 64, 64], 64, 7, 2, 3, 1),
        square([8, 64, 28, 28], 64, 3, 1, 1, 1),
        square([8, 64, 28, 28], 128, 3, 2, 1, 1),
        square([8, 64, 28, 28], 256, 1, 1, 0, 1),
        square([8, 64, 28, 28], 128, 1, 2, 0, 1),
        square([4, 96, 14, 14], 96, 3, 1, 1, 32),
        square([4, 24, 15, 15], 48, 3, 1, 1, 24),
        square([4, 32, 28, 28], 32, 3, 1, 1, 32),
        square([4, 24, 15, 15], 24, 5, 2, 2, 24),
        square([5, 17, 9, 11], 19, 3, 1, 1, 1),
        square([3, 16, 1, 1], 16, 3, 1, 1, 1),
        case([2, 3, 33, 32], [16, 3, 3, 3], [2, 2], [0, 1, 0, 1], [1; 2], 1),
        case([2, 16, 12, 11], [16, 16, 3, 3], [1, 1], [2; 4], [2; 2], 1),
        case([2, 8, 12, 10], [12, 8, 5, 2], [2, 1], [2, 1, 0, 1], [1; 2], 1),
        case([2, 12, 12, 11], [12, 1, 3, 5], [3, 2], [0, 2, 1, 3], [2, 1], 12),
    ]
}

pub(super) fn check(
    device: &Device,
    way: &'static str,
    tolerance: f64,
    dump: Option<&Path>,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut check = Check { device, way, tolerance, dump, report };
    for (x, w, config) in convolutions() {
        let inputs = [random(&x, 1)?, random(&w, 2)?, random(&[w[0]], 3)?];
        let Conv2dConfig { stride, padding, dilation, groups } = config;
        let name = format!("conv {x:?} {w:?} s{stride:?} p{padding:?} d{dilation:?} g{groups}");
        check.layer(&name, &inputs, 1, &|t| conv2d(&t[0], &t[1], Some(&t[2]), &config))?;
    }
    for (i, shape) in
        [[4, 3, 5, 7], [8, 64, 28, 28], [2, 264, 3, 5], [16, 32, 56, 56]].into_iter().enumerate()
    {
        let inputs = [
            random(&shape, 1)?.affine(3.0, 0.7)?,
            random(&[shape[1]], 2)?.affine(0.5, 1.0)?,
            random(&[shape[1]], 3)?,
        ];
        let a = Activation::ALL[(i + 1) % Activation::ALL.len()];
        let name = format!("batch norm {shape:?} {a:?}");
        check.layer(&name, &inputs, 1, &|t| Ok(batch_norm_train(&t[0], &t[1], &t[2], 1e-3, a)?.y))?;
    }
    // The identity is no layer.
    for a in Activation::ALL.into_iter().skip(1) {
        let x = |seed| random(&[4, 24, 9, 7], seed)?.affine(4.0, 0.0);
        check.layer(&format!("activation {a:?}"), &[x(1)?], 1, &|t| a.apply(&t[0]))?;
        check.layer(&format!("residual {a:?}"), &[x(1)?, x(2)?], 2, &|t| add_act(&t[0], &t[1], a))?;
    }
    let x = random(&[4, 24, 17, 20], 1)?;
    let x = std::slice::from_ref(&x);
    check.layer("max pool 3/2/1", x, 1, &|t| max_pool2d(&t[0], [3, 3], [2, 2], [1; 4]))?;
    check.layer("max pool 3x5/1", x, 1, &|t| max_pool2d(&t[0], [3, 5], [1, 1], [1, 1, 2, 2]))?;
    check.layer("average pool 3/2/1", x, 1, &|t| avg_pool2d(&t[0], [3, 3], [2, 2], [1; 4], true))?;
    check.layer("average pool to 6x6", x, 1, &|t| adaptive_avg_pool2d(&t[0], [6, 6]))?;
    check.layer("mean of planes", x, 1, &|t| global_avg_pool(&t[0]))?;
    let gated = [random(&[4, 24, 9, 7], 1)?, random(&[4, 24], 2)?];
    check.layer("channel gates", &gated, 1, &|t| scale_channels(&t[0], &t[1]))?;
    let halves = [random(&[4, 8, 9, 7], 1)?, random(&[4, 8, 9, 7], 2)?];
    let shuffled = |k: usize| {
        if k.is_multiple_of(2) { ChannelSource::First(k / 2) } else { ChannelSource::Second(k / 2) }
    };
    let sources: Vec<ChannelSource> = (0..16).map(shuffled).collect();
    check.layer("channel shuffle", &halves, 2, &|t| assemble_channels(&t[0], &t[1], &sources))?;
    let head = [random(&[8, 64], 1)?, random(&[10, 64], 2)?, random(&[10], 3)?];
    check.layer("linear", &head, 0, &|t| linear(&t[0], &t[1], Some(&t[2])))?;
    check.layer("dropout", &[random(&[64, 77], 1)?], 0, &|t| dropout(&t[0], 0.3, 7))?;
    let labels: Vec<u32> = (0..40).map(|i| i * 7 % 9).collect();
    let logits = [random(&[40, 9], 1)?.affine(6.0, 0.0)?];
    check.layer("cross-entropy", &logits, 0, &|t| {
        let targets = Tensor::from_slice(&labels, labels.len(), t[0].device())?;
        cross_entropy(&t[0], &targets, 0.1)
    })?;
    statistics_and_step(&mut check)
}

/// What is changed in place: running statistics, and a parameter by a step of SGD.
fn statistics_and_step(check: &mut Check<'_>) -> anyhow::Result<()> {
    let x = check.rounded(&random(&[4, 24, 9, 7], 1)?.affine(2.0, 5.0)?)?;
    let run = |x: &Tensor, device: &Device| -> anyhow::Result<[Tensor; 2]> {
        let ones = Tensor::ones(24, DType::F32, device)?;
        let out = batch_norm_train(x, &ones, &ones, 1e-5, Activation::None)?;
        let (mean, var) = (Var::zeros(24, DType::F32, device)?, Var::ones(24, DType::F32, device)?);
        update_running_stats(&mean, &var, &out, 0.1)?;
        Ok([mean.as_detached_tensor(), var.as_detached_tensor()])
    };
    let to = if check.way == "bf16" { DType::BF16 } else { DType::F32 };
    let on_gpu = run(&x.to_device(check.device)?.to_dtype(to)?, check.device)?;
    let on_processor = run(&x, &Device::Cpu)?;
    for (name, (found, expected)) in
        ["running mean", "running variance"].iter().zip(on_gpu.iter().zip(&on_processor))
    {
        check.report.compare(*name, check.way, difference(found, expected)?, 1e-5);
    }
    let (p, g) = (random(&[33, 7], 1)?, random(&[33, 7], 2)?);
    let step = SgdStep { rate: 0.3, momentum: 0.9, nesterov: true, weight_decay: 1e-2 };
    let (ours, theirs) = (Var::from_tensor(&p)?, Var::from_tensor(&p.to_device(check.device)?)?);
    let (mut velocity, on_device) = (vec![0.0; 231], Var::zeros((33, 7), DType::F32, check.device)?);
    let rate = Tensor::new(&[0.3f32], check.device)?;
    for _ in 0..3 {
        sgd_step(&ours, &g, &mut velocity, &step)?;
        sgd_step_on_gpu(&theirs, &g.to_device(check.device)?, &on_device, &rate, &step)?;
    }
    let off = difference(theirs.as_tensor(), ours.as_tensor())?;
    check.report.compare("three steps of SGD", check.way, off, 1e-5);
    Ok(())
}
