//! The way to in9-cuda: which tensors its layers take, and what they keep for their gradients.
//!
//! A layer runs there if its tensors are on a GPU that in9-cuda has opened, in f32 or bf16, and either no gradient is
//! asked of it or a [`Recording`](crate::Recording) is under way. Everything else runs portably.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{DType, Tensor, Var};
pub(crate) use in9_cuda::device::Gpu;
use in9_cuda::device::{self, Conv2d, Filters};
use in9_cuda::launch::Element;
use in9_cuda::plan::pool::{Pool, Windows as AxisWindows};

use crate::conv::geometry::Geometry;
use crate::pool::Windows;
use crate::recording;
use crate::{Activation, BatchNormOutput, Error, Result, SgdStep};

impl From<in9_cuda::device::Error> for Error {
    fn from(error: in9_cuda::device::Error) -> Self {
        Self::Candle(error.into())
    }
}

/// The GPU that these tensors are on, if in9-cuda takes them.
pub(crate) fn takes(tensors: &[&Tensor]) -> Option<Arc<Gpu>> {
    let gpu = Gpu::of(tensors.first()?)?;
    let known = |t: &&Tensor| matches!(t.dtype(), DType::F32 | DType::BF16) && t.device().is_cuda();
    let graph = || tensors.iter().any(|t| t.track_op());
    (tensors.iter().all(known) && (recording::is_active() || !graph())).then_some(gpu)
}

fn number(activation: Activation) -> in9_cuda::Activation {
    match activation {
        Activation::None => in9_cuda::Activation::None,
        Activation::Relu => in9_cuda::Activation::Relu,
        Activation::Relu6 => in9_cuda::Activation::Relu6,
        Activation::HardSwish => in9_cuda::Activation::HardSwish,
        Activation::Silu => in9_cuda::Activation::Silu,
        Activation::HardSigmoid => in9_cuda::Activation::HardSigmoid,
        Activation::Sigmoid => in9_cuda::Activation::Sigmoid,
    }
}

fn element(x: &Tensor) -> Element {
    if x.dtype() == DType::BF16 { Element::Bf16 } else { Element::F32 }
}

fn sizes(g: &Geometry) -> Conv2d {
    Conv2d {
        n: g.n,
        channels: [g.ci, g.co],
        input: [g.h, g.w],
        output: [g.oh, g.ow],
        kernel: [g.kh, g.kw],
        stride: [g.sy, g.sx],
        padding: [g.top, g.bottom, g.left, g.right],
        dilation: [g.dy, g.dx],
        groups: g.groups,
    }
}

pub(crate) fn prepare(gpu: &Gpu, w: &Tensor, x: &Tensor, g: &Geometry) -> Result<Tensor> {
    Ok(sizes(g).prepare(gpu, w, element(x))?)
}

/// Without gradients: see [`crate::FrozenConv2d`].
pub(crate) fn conv2d_act(
    gpu: &Gpu,
    x: &Tensor,
    [w, prepared]: [Option<&Tensor>; 2],
    bias: Option<&Tensor>,
    residual: Option<&Tensor>,
    g: &Geometry,
    activation: Activation,
) -> Result<Tensor> {
    let master = w.unwrap_or(x);
    let filters = Filters { master, prepared };
    Ok(sizes(g).forward(gpu, x, filters, bias, residual, number(activation))?)
}

pub(crate) fn conv2d(
    gpu: &Arc<Gpu>,
    x: &Tensor,
    w: &Tensor,
    bias: Option<&Tensor>,
    g: &Geometry,
) -> Result<Tensor> {
    let y = conv2d_act(gpu, x, [Some(w), None], bias, None, g, Activation::None)?;
    let (gpu, g, x, w, bias) = (gpu.clone(), *g, x.clone(), w.clone(), bias.cloned());
    let inputs = [Some(x.clone()), Some(w.clone()), bias.clone()];
    recording::record(&y, inputs, move |dy, wanted| {
        let [needs_x, needs_w, needs_bias] = wanted;
        let dx = needs_x.then(|| conv2d_dx(&gpu, &w, dy, &g)).transpose()?;
        let dw = needs_w.then(|| conv2d_dw(&gpu, &x, dy, &g)).transpose()?;
        let db = needs_bias.then(|| device::bias_gradient(&gpu, dy)).transpose()?;
        Ok([dx, dw, db])
    });
    Ok(y)
}

pub(crate) fn conv2d_dx(gpu: &Gpu, w: &Tensor, dy: &Tensor, g: &Geometry) -> Result<Tensor> {
    Ok(sizes(g).backward_data(gpu, Filters { master: w, prepared: None }, dy)?)
}

pub(crate) fn conv2d_dw(gpu: &Gpu, x: &Tensor, dy: &Tensor, g: &Geometry) -> Result<Tensor> {
    Ok(sizes(g).backward_weight(gpu, x, dy)?)
}

pub(crate) fn activation(gpu: &Arc<Gpu>, x: &Tensor, activation: Activation) -> Result<Tensor> {
    let y = device::activation(gpu, x, number(activation))?;
    let (gpu, x) = (gpu.clone(), x.clone());
    recording::record(&y, [Some(x.clone())], move |dy, _| {
        Ok([Some(device::activation_gradient(&gpu, &x, number(activation), dy)?)])
    });
    Ok(y)
}

pub(crate) fn add_act(gpu: &Arc<Gpu>, a: &Tensor, b: &Tensor, activation: Activation) -> Result<Tensor> {
    let y = device::add_act(gpu, a, b, number(activation))?;
    let (gpu, a, b) = (gpu.clone(), a.clone(), b.clone());
    recording::record(&y, [Some(a.clone()), Some(b.clone())], move |dy, _| {
        let d = add_act_gradient(&gpu, &a, &b, activation, dy)?;
        Ok([Some(d.clone()), Some(d)])
    });
    Ok(y)
}

pub(crate) fn add_act_gradient(
    gpu: &Gpu,
    a: &Tensor,
    b: &Tensor,
    activation: Activation,
    dy: &Tensor,
) -> Result<Tensor> {
    if activation == Activation::None {
        return Ok(dy.clone());
    }
    Ok(device::add_act_gradient(gpu, a, b, number(activation), dy)?)
}

pub(crate) fn batch_norm_train(
    gpu: &Arc<Gpu>,
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    eps: f64,
    activation: Activation,
) -> Result<BatchNormOutput> {
    let [y, mean, var] = device::batch_norm(gpu, x, [gamma, beta], eps, number(activation))?;
    let count = x.elem_count() / gamma.elem_count().max(1);
    let output = BatchNormOutput { y: y.clone(), batch_mean: mean.clone(), batch_var: var.clone(), count };
    let (gpu, x, gamma, beta) = (gpu.clone(), x.clone(), gamma.clone(), beta.clone());
    let inputs = [Some(x.clone()), Some(gamma.clone()), Some(beta.clone())];
    recording::record(&y, inputs, move |dy, _| {
        let of = [&gamma, &beta, &mean, &var];
        Ok(device::batch_norm_gradients(&gpu, &x, of, eps, number(activation), dy)?.map(Some))
    });
    Ok(output)
}

pub(crate) fn batch_norm_gradients(
    gpu: &Gpu,
    x: &Tensor,
    of: [&Tensor; 4],
    eps: f64,
    activation: Activation,
    dy: &Tensor,
) -> Result<[Tensor; 3]> {
    Ok(device::batch_norm_gradients(gpu, x, of, eps, number(activation), dy)?)
}

pub(crate) fn update_running_stats(
    gpu: &Gpu,
    running: [&Var; 2],
    output: &BatchNormOutput,
    momentum: f64,
) -> Result<()> {
    let batch = [&output.batch_mean, &output.batch_var];
    Ok(device::running_statistics(gpu, running, batch, momentum, output.count)?)
}

/// The windows of an axis as numbers. `windows` is what they are, clipped to the image.
fn axis(windows: &[Range<usize>], size: usize, sliding: Option<[usize; 3]>) -> AxisWindows {
    let outputs = windows.len();
    match sliding {
        Some([kernel, stride, before]) => AxisWindows::Sliding { size, outputs, kernel, stride, before },
        None => AxisWindows::Adaptive { size, outputs },
    }
}

/// Kernel, stride and padding before, over rows and over columns; none for parts of nearly equal size.
pub(crate) type Sliding = Option<[[usize; 3]; 2]>;

fn pool(x: &Tensor, windows: &Windows, sliding: Sliding, divisor: Option<usize>) -> Result<Pool> {
    let (n, channels, h, w) = x.dims4()?;
    let of = |which: usize| sliding.map(|sliding| sliding[which]);
    let windows = [axis(&windows.rows, h, of(0)), axis(&windows.columns, w, of(1))];
    Ok(Pool { n, channels, element: element(x), windows, divisor })
}

pub(crate) fn max_pool2d(
    gpu: &Arc<Gpu>,
    x: &Tensor,
    windows: &Windows,
    sliding: [[usize; 3]; 2],
) -> Result<Tensor> {
    let pool = pool(x, windows, Some(sliding), None)?;
    let [y, places] = device::max_pool(gpu, x, pool, [windows.rows.len(), windows.columns.len()])?;
    let (gpu, (_, _, h, w)) = (gpu.clone(), x.dims4()?);
    recording::record(&y, [Some(x.clone())], move |dy, _| {
        Ok([Some(device::max_pool_gradient(&gpu, &places, pool, [h, w], dy)?)])
    });
    Ok(y)
}

/// Whether the windows are small enough for in9-cuda.
pub(crate) fn max_pool_fits(kernel: [usize; 2]) -> bool {
    kernel[0] * kernel[1] <= 256
}

pub(crate) fn avg_pool2d(
    gpu: &Arc<Gpu>,
    x: &Tensor,
    windows: &Windows,
    sliding: Sliding,
    divisor: Option<usize>,
) -> Result<Tensor> {
    let pool = pool(x, windows, sliding, divisor)?;
    let y = device::avg_pool(gpu, x, pool, [windows.rows.len(), windows.columns.len()])?;
    let (gpu, (_, _, h, w)) = (gpu.clone(), x.dims4()?);
    recording::record(&y, [Some(x.clone())], move |dy, _| {
        Ok([Some(device::avg_pool_gradient(&gpu, pool, [h, w], dy)?)])
    });
    Ok(y)
}

pub(crate) fn global_avg_pool(gpu: &Arc<Gpu>, x: &Tensor) -> Result<Tensor> {
    let y = device::plane_mean(gpu, x)?;
    let (gpu, to, (_, _, h, w)) = (gpu.clone(), element(x), x.dims4()?);
    recording::record(&y, [Some(x.clone())], move |dy, _| {
        Ok([Some(device::plane_mean_gradient(&gpu, [h, w], to, dy)?)])
    });
    Ok(y)
}

pub(crate) fn scale_channels(gpu: &Arc<Gpu>, x: &Tensor, gates: &Tensor) -> Result<Tensor> {
    let y = device::scale(gpu, x, gates)?;
    let (gpu, x, gates) = (gpu.clone(), x.clone(), gates.clone());
    recording::record(&y, [Some(x.clone()), Some(gates.clone())], move |dy, _| {
        Ok(device::scale_gradients(&gpu, &x, &gates, dy)?.map(Some))
    });
    Ok(y)
}

pub(crate) fn assemble_channels(
    gpu: &Arc<Gpu>,
    a: &Tensor,
    b: &Tensor,
    from: [Vec<Option<usize>>; 2],
    to: [Vec<Option<usize>>; 2],
) -> Result<Tensor> {
    let y = device::assemble(gpu, a, b, [&from[0], &from[1]])?;
    let gpu = gpu.clone();
    recording::record(&y, [Some(a.clone()), Some(b.clone())], move |dy, wanted| {
        let mut gradients = [None, None];
        for (which, gradient) in gradients.iter_mut().enumerate() {
            if wanted[which] && to[which].iter().any(Option::is_some) {
                *gradient = Some(device::assemble_gradient(&gpu, &to[which], dy)?);
            }
        }
        Ok(gradients)
    });
    Ok(y)
}

pub(crate) fn cross_entropy(
    gpu: &Arc<Gpu>,
    logits: &Tensor,
    targets: &Tensor,
    smoothing: f64,
) -> Result<Tensor> {
    let targets = targets.to_dtype(DType::U32)?;
    let [loss, log_sums] = device::cross_entropy(gpu, logits, &targets, smoothing)?;
    let (gpu, logits) = (gpu.clone(), logits.clone());
    recording::record(&loss, [Some(logits.clone())], move |d, _| {
        let of = [&logits, &targets, &log_sums];
        Ok([Some(device::cross_entropy_gradient(&gpu, of, smoothing, d)?)])
    });
    Ok(loss)
}

pub(crate) fn dropout(gpu: &Arc<Gpu>, x: &Tensor, p: f64, key: device::Key) -> Result<Tensor> {
    let y = device::dropout(gpu, x, p, &key)?;
    let gpu = gpu.clone();
    let of = element(x);
    recording::record(&y, [Some(x.clone())], move |dy, _| {
        Ok([Some(device::cast(&gpu, &device::dropout(&gpu, dy, p, &key)?, of)?)])
    });
    Ok(y)
}

pub(crate) fn linear(gpu: &Arc<Gpu>, x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let y = device::linear(gpu, x, w, bias)?;
    let (gpu, x, w) = (gpu.clone(), x.clone(), w.clone());
    let inputs = [Some(x.clone()), Some(w.clone()), bias.cloned()];
    recording::record(&y, inputs, move |dy, _| {
        let [dx, dw, db] = device::linear_gradients(&gpu, &x, &w, dy)?;
        // The product is of f32; what goes back is of x's own precision.
        Ok([device::cast(&gpu, &dx, element(&x))?, dw, db].map(Some))
    });
    Ok(y)
}

/// Another shape of the same elements.
pub(crate) fn reshape(x: &Tensor, shape: &[usize]) -> Result<Tensor> {
    let y = x.detach().reshape(shape)?;
    let dims = x.dims().to_vec();
    recording::record(&y, [Some(x.clone())], move |dy, _| Ok([Some(dy.reshape(dims.as_slice())?)]));
    Ok(y)
}

/// Adds gradients that meet in one tensor.
pub(crate) fn sum(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let none = in9_cuda::Activation::None;
    match Gpu::of(a) {
        Some(gpu) if a.dtype() == b.dtype() => Ok(device::add_act(&gpu, a, b, none)?),
        _ => Ok((a + b)?),
    }
}

/// See [`crate::sgd_step_on_gpu`].
pub(crate) fn sgd(
    gpu: &Gpu,
    parameter: &Var,
    gradient: &Tensor,
    velocity: &Var,
    rate: &Tensor,
    step: &SgdStep,
) -> Result<()> {
    let factors = [step.momentum, step.weight_decay];
    Ok(device::sgd(gpu, parameter, gradient, velocity, rate, factors, step.nesterov)?)
}

/// See [`crate::network_input`].
pub(crate) fn network_input(gpu: &Arc<Gpu>, x: &Tensor) -> Result<Tensor> {
    let y = device::channels_last(gpu, x)?;
    let (gpu, of) = (gpu.clone(), element(x));
    recording::record(&y, [Some(x.clone())], move |dy, _| Ok([Some(device::cast(&gpu, dy, of)?)]));
    Ok(y)
}
