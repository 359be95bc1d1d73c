//! Batch normalisation: training with the activation fused, and folding for inference.

use crate::{
    Activation, Error, Result,
    activation::specialise,
    body, output, portable, scratch,
    simd::{
        Level, for_each_level, lanes,
        vector::{copy, for_each_vector},
    },
};
use candle_core::{CpuStorage, CustomOp3, DType, Layout, Shape, Tensor, Var};
use std::sync::{Arc, OnceLock};

/// What [`batch_norm_train`] computes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchNormOutput {
    /// `activation(gamma * (x - mean) / sqrt(var + eps) + beta)`, `[n, channels, height, width]`.
    pub y: Tensor,
    /// Mean of each channel over the batch, `[channels]`, outside the graph.
    pub batch_mean: Tensor,
    /// Biased variance of each channel over the batch, `[channels]`, outside the graph.
    pub batch_var: Tensor,
    /// Numbers that each mean was taken over: `n * height * width`.
    pub count: usize,
}

/// Normalises each channel by the statistics of the batch, then applies the activation.
///
/// One pass reads `x` for the statistics and one writes `y`; the backward pass needs only `x`.
/// Running statistics are the caller's: see [`update_running_stats`].
///
/// # Shapes
/// - `x`: `[n, channels, height, width]`, any strides
/// - `gamma`, `beta`: `[channels]`
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit, [`Error::Setting`] for a negative `eps`.
pub fn batch_norm_train(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    eps: f64,
    activation: Activation,
) -> Result<BatchNormOutput> {
    const OP: &str = "batch_norm_train";
    let &[n, channels, h, w] = x.dims() else {
        return Err(Error::shape(OP, "x", "[n, channels, height, width]", x.dims()));
    };
    let count = n * h * w;
    if count == 0 {
        return Err(Error::shape(OP, "x", "at least one number a channel", x.dims()));
    }
    check_vectors(OP, channels, &[("gamma", gamma), ("beta", beta)])?;
    check_eps(OP, eps)?;
    if !body::fused(&[x, gamma, beta]) {
        return portable::batch_norm_train(x, gamma, beta, eps, activation);
    }
    let statistics = Arc::new(OnceLock::new());
    let op = BatchNorm { eps: eps as f32, activation, statistics: statistics.clone() };
    let y = x.contiguous()?.apply_op3(&gamma.contiguous()?, &beta.contiguous()?, op)?;
    let (mean, var) = match statistics.get() {
        Some(s) => (s.mean.clone(), s.var.clone()),
        None => (vec![0.0; channels], vec![0.0; channels]),
    };
    Ok(BatchNormOutput {
        y,
        batch_mean: body::tensor(mean, channels)?,
        batch_var: body::tensor(var, channels)?,
        count,
    })
}

/// Moves running statistics towards those of a batch: `running += momentum * (batch - running)`.
///
/// The variance enters unbiased (times `count / (count - 1)`), as in PyTorch, whose default
/// momentum is 0.1.
///
/// # Errors
/// Only what Candle reports (shapes that differ).
pub fn update_running_stats(
    running_mean: &Var,
    running_var: &Var,
    output: &BatchNormOutput,
    momentum: f64,
) -> Result<()> {
    let unbiased = output.count as f64 / (output.count as f64 - 1.0).max(1.0);
    let step = |running: &Var, batch: &Tensor, scale: f64| -> Result<()> {
        let kept = (running.as_detached_tensor() * (1.0 - momentum))?;
        running.set(&(kept + (batch * (momentum * scale))?)?)?;
        Ok(())
    };
    step(running_mean, &output.batch_mean, 1.0)?;
    step(running_var, &output.batch_var, unbiased)
}

/// Filters and bias of the convolution that equals convolution followed by batch norm (inference).
///
/// `w * gamma / sqrt(var + eps)` and `beta + (bias - mean) * gamma / sqrt(var + eps)`, computed in
/// f64 and outside the graph.
///
/// # Shapes
/// `w` is `[out, …]`; `bias`, `gamma`, `beta`, `mean` and `var` are `[out]`.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit, [`Error::Setting`] for a negative `eps`.
pub fn fold_batch_norm(
    w: &Tensor,
    bias: Option<&Tensor>,
    gamma: &Tensor,
    beta: &Tensor,
    mean: &Tensor,
    var: &Tensor,
    eps: f64,
) -> Result<(Tensor, Tensor)> {
    const OP: &str = "fold_batch_norm";
    let Some(&out) = w.dims().first() else {
        return Err(Error::shape(OP, "w", "[out, …]", w.dims()));
    };
    let mut vectors = vec![("gamma", gamma), ("beta", beta), ("mean", mean), ("var", var)];
    vectors.extend(bias.map(|bias| ("bias", bias)));
    check_vectors(OP, out, &vectors)?;
    check_eps(OP, eps)?;
    let wide = |t: &Tensor| t.detach().to_dtype(DType::F64);
    let scale = (wide(gamma)? / (wide(var)? + eps)?.sqrt()?)?;
    let shift = match bias {
        Some(bias) => (wide(bias)? - wide(mean)?)?,
        None => wide(mean)?.neg()?,
    };
    let folded_bias = (wide(beta)? + (shift * &scale)?)?.to_dtype(w.dtype())?;
    let mut column = vec![1; w.rank()];
    column[0] = out;
    let folded = wide(w)?.broadcast_mul(&scale.reshape(column)?)?;
    Ok((folded.to_dtype(w.dtype())?, folded_bias))
}

fn check_vectors(op: &'static str, len: usize, vectors: &[(&'static str, &Tensor)]) -> Result<()> {
    for (what, vector) in vectors {
        if vector.dims() != [len] {
            return Err(Error::shape(op, what, format!("[{len}]"), vector.dims()));
        }
    }
    Ok(())
}

fn check_eps(op: &'static str, eps: f64) -> Result<()> {
    if eps >= 0.0 {
        return Ok(());
    }
    Err(Error::Setting { op, what: "eps", expected: "at least 0", found: eps.to_string() })
}

struct Statistics {
    mean: Vec<f32>,
    var: Vec<f32>,
}

struct BatchNorm {
    eps: f32,
    activation: Activation,
    statistics: Arc<OnceLock<Statistics>>,
}

/// `(mean, biased variance)` of one channel, given its planes.
///
/// Shifted by the channel's first number, so that a large mean does not swallow the variance.
fn moments<'a>(level: Level, planes: impl Iterator<Item = &'a [f32]>, count: usize) -> (f32, f32) {
    let mut shift = None;
    let (mut sum, mut square) = (0f64, 0f64);
    for plane in planes {
        let shift = *shift.get_or_insert(plane[0]);
        let (s, q) = lanes::shifted_moments(level, plane, shift);
        sum += f64::from(s);
        square += f64::from(q);
    }
    let mean = sum / count as f64;
    let var = (square / count as f64 - mean * mean).max(0.0);
    ((f64::from(shift.unwrap_or(0.0)) + mean) as f32, var as f32)
}

/// Planes of fewer numbers are put side by side first: a call for each would cost more than its work.
const SMALL: usize = 256;

/// Runs `f` on the numbers of some planes, one plane after another.
fn gathered<'a, R>(
    level: Level,
    planes: impl Iterator<Item = &'a [f32]>,
    count: usize,
    f: impl FnOnce(&[f32]) -> R,
) -> R {
    let planes: Vec<&[f32]> = planes.collect();
    scratch::with(count, |flat| {
        gather(level, &planes, flat);
        f(flat)
    })
}

for_each_vector! {
    fn gather<V>(planes: &[&[f32]], flat: &mut [f32]) {
        let mut flat = flat;
        for plane in planes {
            let (to, rest) = flat.split_at_mut(plane.len());
            copy::<V>(plane, to);
            flat = rest;
        }
    }
}

for_each_vector! {
    /// The reverse of [`gather`].
    fn scatter<V>(flat: &[f32], planes: Vec<&mut [f32]>) {
        let mut flat = flat;
        for plane in planes {
            let (from, rest) = flat.split_at(plane.len());
            copy::<V>(from, plane);
            flat = rest;
        }
    }
}

/// The planes of channel `c`.
fn planes(data: &[f32], channels: usize, plane: usize, c: usize) -> impl Iterator<Item = &[f32]> {
    data.chunks_exact(plane).skip(c).step_by(channels)
}

impl CustomOp3 for BatchNorm {
    fn name(&self) -> &'static str {
        "in9-batch-norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gamma: &CpuStorage,
        gamma_layout: &Layout,
        beta: &CpuStorage,
        beta_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n, channels, h, w) = x_layout.shape().dims4()?;
        let (level, plane) = (Level::current(), h * w);
        let x = body::slice(x, x_layout)?;
        let gamma = body::slice(gamma, gamma_layout)?;
        let beta = body::slice(beta, beta_layout)?;
        let (y, moments) = output::by_channel([n, channels, plane], |c, y| {
            let affine = |(mean, var): (f32, f32)| {
                let scale = gamma[c] / (var + self.eps).sqrt();
                [scale, beta[c] - mean * scale]
            };
            let xs = planes(x, channels, plane, c);
            if plane < SMALL {
                return gathered(level, xs, n * plane, |x| {
                    let found = moments(level, std::iter::once(x), n * plane);
                    scratch::with(n * plane, |out| {
                        scale_and_shift(level, out, x, affine(found), self.activation);
                        scatter(level, out, y);
                    });
                    found
                });
            }
            let found = moments(level, xs, n * plane);
            for (y, x) in y.into_iter().zip(planes(x, channels, plane, c)) {
                scale_and_shift(level, y, x, affine(found), self.activation);
            }
            found
        });
        let (mean, var) = moments.into_iter().unzip();
        // A second forward pass of the same node would compute the same numbers.
        self.statistics.get_or_init(|| Statistics { mean, var });
        Ok((CpuStorage::F32(y), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gamma: &Tensor,
        beta: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let Some(statistics) = self.statistics.get() else {
            candle_core::bail!("batch norm: backward before forward");
        };
        let (dx, dgamma, dbeta) = backward(x, [gamma, beta], statistics, self.eps, self.activation, dy)?;
        Ok((Some(dx), Some(dgamma), Some(dbeta)))
    }
}

/// See [`crate::gradients::batch_norm_train`].
pub(crate) fn gradients(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    output: &BatchNormOutput,
    eps: f64,
    activation: Activation,
    dy: &Tensor,
) -> Result<[Tensor; 3]> {
    const OP: &str = "batch_norm_train gradients";
    let &[_, channels, _, _] = x.dims() else {
        return Err(Error::shape(OP, "x", "[n, channels, height, width]", x.dims()));
    };
    if dy.dims() != x.dims() {
        return Err(Error::shape(OP, "dy", format!("{:?}", x.dims()), dy.dims()));
    }
    check_vectors(OP, channels, &[("gamma", gamma), ("beta", beta)])?;
    check_vectors(OP, channels, &[("mean", &output.batch_mean), ("var", &output.batch_var)])?;
    if body::fused(&[x, gamma, beta, dy, &output.batch_mean, &output.batch_var]) {
        let statistics = Statistics { mean: output.batch_mean.to_vec1()?, var: output.batch_var.to_vec1()? };
        let (dx, dgamma, dbeta) = backward(x, [gamma, beta], &statistics, eps as f32, activation, dy)?;
        return Ok([dx, dgamma, dbeta]);
    }
    let y = |t: &[Tensor]| Ok(portable::batch_norm_train(&t[0], &t[1], &t[2], eps, activation)?.y);
    let found = portable::gradients(&[x, gamma, beta], dy, y)?;
    match <[Tensor; 3]>::try_from(found) {
        Ok(gradients) => Ok(gradients),
        Err(_) => Ok([x.zeros_like()?, gamma.zeros_like()?, beta.zeros_like()?]),
    }
}

/// Gradients of `x`, `gamma` and `beta`.
fn backward(
    x: &Tensor,
    [gamma, beta]: [&Tensor; 2],
    statistics: &Statistics,
    eps: f32,
    activation: Activation,
    dy: &Tensor,
) -> candle_core::Result<(Tensor, Tensor, Tensor)> {
    let (n, channels, h, w) = x.dims4()?;
    let (level, plane, shape) = (Level::current(), h * w, x.shape());
    let (gamma, beta) = (gamma.to_vec1::<f32>()?, beta.to_vec1::<f32>()?);
    let (dx, (dgamma, dbeta)) = body::with_slice(x, |x| {
        body::with_slice(dy, |dy| {
            let (dx, sums) = output::by_channel([n, channels, plane], |c, dx| {
                let (mean, var) = (statistics.mean[c], statistics.var[c]);
                let inverse = f64::from(1.0 / (var + eps).sqrt());
                let scale = gamma[c] / (var + eps).sqrt();
                let affine = Affine { scale, shift: beta[c] - mean * scale, mean };
                let xs = || planes(x, channels, plane, c);
                let dys = || planes(dy, channels, plane, c);
                let count = (n * plane) as f64;
                let means = |[sum, product]: [f64; 2]| {
                    [(sum / count) as f32, (product / count * inverse * inverse) as f32]
                };
                let sums = if plane < SMALL {
                    gathered(level, xs(), n * plane, |x| {
                        gathered(level, dys(), n * plane, |dy| {
                            let (sum, product) = gradient_sums(level, x, dy, affine, activation);
                            let sums = [sum, product].map(f64::from);
                            scratch::with(n * plane, |out| {
                                input_gradient(level, out, x, dy, affine, means(sums), activation);
                                scatter(level, out, dx);
                            });
                            sums
                        })
                    })
                } else {
                    let mut sums = [0f64; 2];
                    for (x, dy) in xs().zip(dys()) {
                        let (sum, product) = gradient_sums(level, x, dy, affine, activation);
                        sums[0] += f64::from(sum);
                        sums[1] += f64::from(product);
                    }
                    for (dx, (x, dy)) in dx.into_iter().zip(xs().zip(dys())) {
                        input_gradient(level, dx, x, dy, affine, means(sums), activation);
                    }
                    sums
                };
                ((sums[1] * inverse) as f32, sums[0] as f32)
            });
            (dx, sums.into_iter().unzip::<f32, f32, Vec<f32>, Vec<f32>>())
        })
    })??;
    Ok((body::tensor(dx, shape)?, body::tensor(dgamma, channels)?, body::tensor(dbeta, channels)?))
}

/// Normalisation of one channel: `scale * x + shift`.
#[derive(Clone, Copy)]
struct Affine {
    scale: f32,
    shift: f32,
    mean: f32,
}

for_each_level! {
    /// `y = f(scale * x + shift)`.
    fn scale_and_shift(y: &mut [f32], x: &[f32], affine: [f32; 2], activation: Activation) {
        let [scale, shift] = affine;
        specialise!(activation, F => for (y, &x) in y.iter_mut().zip(x) {
            *y = F.value_with::<FMA>(lanes::fma::<FMA>(scale, x, shift));
        })
    }
}

/// Sums kept in flight.
const LANES: usize = 32;

for_each_level! {
    /// `(Σ d, Σ d (x - mean))` with `d = f'(scale * x + shift) dy`.
    fn gradient_sums(x: &[f32], dy: &[f32], a: Affine, activation: Activation) -> (f32, f32) {
        specialise!(activation, F => {
            let (mut sums, mut products) = ([0f32; LANES], [0f32; LANES]);
            for (x, dy) in x.chunks(LANES).zip(dy.chunks(LANES)) {
                if let (Some(x), Some(dy)) = (x.first_chunk::<LANES>(), dy.first_chunk::<LANES>()) {
                    for i in 0..LANES {
                        let d = F.slope::<FMA>(lanes::fma::<FMA>(a.scale, x[i], a.shift)) * dy[i];
                        sums[i] += d;
                        products[i] = lanes::fma::<FMA>(d, x[i] - a.mean, products[i]);
                    }
                    continue;
                }
                for (i, (&x, &dy)) in x.iter().zip(dy).enumerate() {
                    let d = F.slope::<FMA>(lanes::fma::<FMA>(a.scale, x, a.shift)) * dy;
                    sums[i] += d;
                    products[i] = lanes::fma::<FMA>(d, x - a.mean, products[i]);
                }
            }
            (lanes::total(sums), lanes::total(products))
        })
    }
}

for_each_level! {
    /// `dx = scale * (d - offset - (x - mean) * slope)`, `d` as in [`gradient_sums`].
    fn input_gradient(
        dx: &mut [f32],
        x: &[f32],
        dy: &[f32],
        a: Affine,
        means: [f32; 2],
        activation: Activation,
    ) {
        let [offset, slope] = means;
        specialise!(activation, F => for ((dx, &x), &dy) in dx.iter_mut().zip(x).zip(dy) {
            let d = F.slope::<FMA>(lanes::fma::<FMA>(a.scale, x, a.shift)) * dy;
            *dx = a.scale * (d - offset - (x - a.mean) * slope);
        })
    }
}
