//! Batch normalisation in training as a node of Candle's autograd graph.

use super::loops::{Affine, concatenate, gradient_sums, input_gradient, moments, scale_and_shift, split};
use crate::{Activation, Result, cpu, output, scratch, simd::Level};
use candle_core::{CpuStorage, CustomOp3, Layout, Shape, Tensor};
use std::sync::{Arc, OnceLock};

/// Mean and biased variance of each channel over the batch.
pub(super) struct Statistics {
    pub(super) mean: Vec<f32>,
    pub(super) var: Vec<f32>,
}

struct BatchNorm {
    eps: f32,
    activation: Activation,
    /// Set by the forward pass.
    statistics: Arc<OnceLock<Statistics>>,
}

/// Adds the node to the graph; the statistics are set once the forward pass is done.
pub(super) fn apply(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    eps: f64,
    activation: Activation,
) -> Result<(Tensor, Arc<OnceLock<Statistics>>)> {
    let statistics = Arc::new(OnceLock::new());
    let op = BatchNorm { eps: eps as f32, activation, statistics: statistics.clone() };
    let y = x.contiguous()?.apply_op3(&gamma.contiguous()?, &beta.contiguous()?, op)?;
    Ok((y, statistics))
}

/// Channels whose planes have fewer elements than this are copied into one contiguous buffer first. One
/// call of a vector loop for each small plane would take longer than the loops themselves.
const SMALL_PLANE: usize = 256;

/// Runs `f` on the planes of one channel, concatenated in a buffer of `count` elements.
fn with_contiguous<'a, R>(
    level: Level,
    planes: impl Iterator<Item = &'a [f32]>,
    count: usize,
    f: impl FnOnce(&[f32]) -> R,
) -> R {
    let planes: Vec<&[f32]> = planes.collect();
    scratch::with(count, |buffer| {
        concatenate(level, &planes, buffer);
        f(buffer)
    })
}

/// The planes of channel `c`, image after image.
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
        let x = cpu::slice(x, x_layout)?;
        let gamma = cpu::slice(gamma, gamma_layout)?;
        let beta = cpu::slice(beta, beta_layout)?;
        let (y, moments) = output::by_channel([n, channels, plane], |c, y| {
            let affine = |(mean, var): (f32, f32)| {
                let scale = gamma[c] / (var + self.eps).sqrt();
                [scale, beta[c] - mean * scale]
            };
            let xs = planes(x, channels, plane, c);
            if plane < SMALL_PLANE {
                return with_contiguous(level, xs, n * plane, |x| {
                    let found = moments(level, std::iter::once(x), n * plane);
                    scratch::with(n * plane, |out| {
                        scale_and_shift(level, out, x, affine(found), self.activation);
                        split(level, out, y);
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
        // A second forward pass of the same node would compute the same statistics.
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
        let [dx, dgamma, dbeta] = backward(x, [gamma, beta], statistics, self.eps, self.activation, dy)?;
        Ok((Some(dx), Some(dgamma), Some(dbeta)))
    }
}

/// Gradients with respect to `x`, `gamma` and `beta`.
pub(super) fn backward(
    x: &Tensor,
    [gamma, beta]: [&Tensor; 2],
    statistics: &Statistics,
    eps: f32,
    activation: Activation,
    dy: &Tensor,
) -> candle_core::Result<[Tensor; 3]> {
    let (n, channels, h, w) = x.dims4()?;
    let (level, plane, shape) = (Level::current(), h * w, x.shape());
    let (gamma, beta) = (gamma.to_vec1::<f32>()?, beta.to_vec1::<f32>()?);
    let (dx, (dgamma, dbeta)) = cpu::with_slice(x, |x| {
        cpu::with_slice(dy, |dy| {
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
                let sums = if plane < SMALL_PLANE {
                    with_contiguous(level, xs(), n * plane, |x| {
                        with_contiguous(level, dys(), n * plane, |dy| {
                            let (sum, product) = gradient_sums(level, x, dy, affine, activation);
                            let sums = [sum, product].map(f64::from);
                            scratch::with(n * plane, |out| {
                                input_gradient(level, out, x, dy, affine, means(sums), activation);
                                split(level, out, dx);
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
    Ok([cpu::tensor(dx, shape)?, cpu::tensor(dgamma, channels)?, cpu::tensor(dbeta, channels)?])
}
