//! Batch normalisation: training with the activation fused, and folding for inference.

mod fold;
mod loops;
mod op;

use crate::{Activation, Error, Result, blocked, cpu, portable};
use candle_core::{Tensor, Var};
pub use fold::fold_batch_norm;
use op::Statistics;

/// The result of [`batch_norm_train`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchNormOutput {
    /// `activation(gamma * (x - mean) / sqrt(var + eps) + beta)`, `[batch, channels, height, width]`.
    pub y: Tensor,
    /// Mean of each channel over the batch, `[channels]`; no part of the autograd graph.
    pub batch_mean: Tensor,
    /// Biased variance of each channel over the batch, `[channels]`; no part of the autograd graph.
    pub batch_var: Tensor,
    /// Number of elements that each mean was taken over: `batch * height * width`.
    pub count: usize,
}

/// Batch normalisation in training (Ioffe and Szegedy 2015, algorithm 1), then the activation.
///
/// Each channel is normalised by its mean and variance over the batch. One pass reads `x` for the
/// statistics and one writes `y`; the backward pass needs only `x`. Differentiable with respect to `x`,
/// `gamma` and `beta`. Running statistics are the caller's: see [`update_running_stats`].
///
/// # Shapes
/// - `x`: `[batch, channels, height, width]`, any strides
/// - `gamma`, `beta`: `[channels]`
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit, [`Error::Range`] for a negative `eps`.
pub fn batch_norm_train(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    eps: f64,
    activation: Activation,
) -> Result<BatchNormOutput> {
    const OP: &str = "batch_norm_train";
    if blocked::is_in_blocks(x) {
        check_eps(OP, eps)?;
        return blocked::batch_norm_train(x, gamma, beta, eps, activation);
    }
    let &[n, channels, h, w] = x.dims() else {
        return Err(Error::shape(OP, "x", "[batch, channels, height, width]", x.dims()));
    };
    let count = n * h * w;
    if count == 0 {
        return Err(Error::shape(OP, "x", "at least one element in each channel", x.dims()));
    }
    check_vectors(OP, channels, &[("gamma", gamma), ("beta", beta)])?;
    check_eps(OP, eps)?;
    if !cpu::supported(&[x, gamma, beta]) {
        #[cfg(feature = "cuda")]
        if let Some(gpu) = crate::gpu::takes(&[x, gamma, beta]) {
            return crate::gpu::batch_norm_train(&gpu, x, gamma, beta, eps, activation);
        }
        return portable::batch_norm_train(x, gamma, beta, eps, activation);
    }
    let (y, statistics) = op::apply(x, gamma, beta, eps, activation)?;
    let (mean, var) = match statistics.get() {
        Some(s) => (s.mean.clone(), s.var.clone()),
        None => (vec![0.0; channels], vec![0.0; channels]),
    };
    Ok(BatchNormOutput {
        y,
        batch_mean: cpu::tensor(mean, channels)?,
        batch_var: cpu::tensor(var, channels)?,
        count,
    })
}

/// Moves running statistics towards those of a batch: `running += momentum * (batch - running)`.
///
/// The variance enters unbiased (times `count / (count - 1)`), as in PyTorch, where the default momentum
/// is 0.1.
///
/// # Shapes
/// `running_mean` and `running_var` are `[channels]`.
///
/// # Errors
/// [`Error::Candle`] if the shapes differ.
pub fn update_running_stats(
    running_mean: &Var,
    running_var: &Var,
    output: &BatchNormOutput,
    momentum: f64,
) -> Result<()> {
    #[cfg(feature = "cuda")]
    if let Some(gpu) = crate::gpu::takes(&[&output.batch_mean])
        && running_mean.dtype() == candle_core::DType::F32
    {
        return crate::gpu::update_running_stats(&gpu, [running_mean, running_var], output, momentum);
    }
    let unbiased = output.count as f64 / (output.count as f64 - 1.0).max(1.0);
    let step = |running: &Var, batch: &Tensor, scale: f64| -> Result<()> {
        let kept = (running.as_detached_tensor() * (1.0 - momentum))?;
        running.set(&(kept + (batch * (momentum * scale))?)?)?;
        Ok(())
    };
    step(running_mean, &output.batch_mean, 1.0)?;
    step(running_var, &output.batch_var, unbiased)
}

/// The gradients of [`batch_norm_train`]: see [`crate::gradients::batch_norm_train`].
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
    if blocked::is_in_blocks(x) {
        return blocked::batch_norm_gradients(x, [gamma, beta], output, eps, activation, dy);
    }
    let &[_, channels, _, _] = x.dims() else {
        return Err(Error::shape(OP, "x", "[batch, channels, height, width]", x.dims()));
    };
    if dy.dims() != x.dims() {
        return Err(Error::shape(OP, "dy", format!("{:?}", x.dims()), dy.dims()));
    }
    check_vectors(OP, channels, &[("gamma", gamma), ("beta", beta)])?;
    check_vectors(OP, channels, &[("mean", &output.batch_mean), ("var", &output.batch_var)])?;
    if cpu::supported(&[x, gamma, beta, dy, &output.batch_mean, &output.batch_var]) {
        let statistics = Statistics { mean: output.batch_mean.to_vec1()?, var: output.batch_var.to_vec1()? };
        return Ok(op::backward(x, [gamma, beta], &statistics, eps as f32, activation, dy)?);
    }
    #[cfg(feature = "cuda")]
    if let Some(gpu) = crate::gpu::takes(&[x, gamma, beta, dy]) {
        let of = [gamma, beta, &output.batch_mean, &output.batch_var];
        return crate::gpu::batch_norm_gradients(&gpu, x, of, eps, activation, dy);
    }
    let y = |t: &[Tensor]| Ok(portable::batch_norm_train(&t[0], &t[1], &t[2], eps, activation)?.y);
    let gradients = portable::gradients(&[x, gamma, beta], dy, y)?;
    match <[Tensor; 3]>::try_from(gradients) {
        Ok(gradients) => Ok(gradients),
        Err(_) => Ok([x.zeros_like()?, gamma.zeros_like()?, beta.zeros_like()?]),
    }
}

/// Checks that each of the named tensors is a vector of `len` elements.
fn check_vectors(op: &'static str, len: usize, vectors: &[(&'static str, &Tensor)]) -> Result<()> {
    for (argument, vector) in vectors {
        if vector.dims() != [len] {
            return Err(Error::shape(op, argument, format!("[{len}]"), vector.dims()));
        }
    }
    Ok(())
}

fn check_eps(op: &'static str, eps: f64) -> Result<()> {
    if eps >= 0.0 {
        return Ok(());
    }
    Err(Error::Range { op, parameter: "eps", allowed: "at least 0", found: eps })
}
