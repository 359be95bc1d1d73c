//! The loss of a classifier.

use crate::{Error, Result, cpu, portable};
use candle_core::{CpuStorage, CustomOp2, DType, Layout, Shape, Tensor};
use rayon::prelude::*;

/// Fewest rows of a parallel task.
const ROWS: usize = 16;

/// Mean cross-entropy of softmax with label smoothing, as `torch.nn.functional.cross_entropy`.
///
/// The target distribution has `1 - label_smoothing` on the target class, plus `label_smoothing` spread
/// evenly over all classes (Szegedy and others 2016, section 7). Differentiable with respect to `logits`.
///
/// # Shapes
/// - `logits`: `[batch, classes]`, not normalised
/// - `targets`: `[batch]`, u32, each less than `classes`
/// - result: a scalar, `[]`, in nats
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit or the batch is empty, [`Error::Range`] for smoothing
/// outside 0 to 1, [`Error::Target`] for a class that does not exist.
pub fn cross_entropy(logits: &Tensor, targets: &Tensor, label_smoothing: f64) -> Result<Tensor> {
    const OP: &str = "cross_entropy";
    let &[n, classes] = logits.dims() else {
        return Err(Error::shape(OP, "logits", "[batch, classes]", logits.dims()));
    };
    if n == 0 || classes == 0 {
        return Err(Error::shape(OP, "logits", "at least one image and one class", logits.dims()));
    }
    if targets.dims() != [n] {
        return Err(Error::shape(OP, "targets", format!("[{n}]"), targets.dims()));
    }
    if !(0.0..=1.0).contains(&label_smoothing) {
        return Err(Error::Range {
            op: OP,
            parameter: "label_smoothing",
            allowed: "0 to 1",
            found: label_smoothing,
        });
    }
    // On a GPU a target that is no class makes the loss NaN: to look at them here would wait for the device.
    #[cfg(feature = "cuda")]
    if let Some(gpu) = crate::gpu::takes(&[logits]) {
        return crate::gpu::cross_entropy(&gpu, logits, targets, label_smoothing);
    }
    let classes_of = targets.to_dtype(DType::U32)?.to_vec1::<u32>()?;
    for (index, &found) in classes_of.iter().enumerate() {
        if found as usize >= classes {
            return Err(Error::Target { index, found, classes });
        }
    }
    if !cpu::supported(&[logits]) {
        return portable::cross_entropy(logits, targets, label_smoothing);
    }
    let op = CrossEntropy { targets: classes_of, smoothing: label_smoothing };
    // The operation has its own copy of the targets; the argument only makes them a node of the graph.
    Ok(logits.contiguous()?.apply_op2(targets, op)?)
}

struct CrossEntropy {
    targets: Vec<u32>,
    smoothing: f64,
}

/// `log Σ exp`, in f64.
fn log_sum_exp(row: &[f32]) -> f64 {
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = row.iter().map(|&v| f64::from((v - max).exp())).sum();
    f64::from(max) + sum.ln()
}

impl CustomOp2 for CrossEntropy {
    fn name(&self) -> &'static str {
        "in9-cross-entropy"
    }

    fn cpu_fwd(
        &self,
        logits: &CpuStorage,
        layout: &Layout,
        _targets: &CpuStorage,
        _targets_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n, classes) = layout.shape().dims2()?;
        let logits = cpu::slice(logits, layout)?;
        let losses: Vec<f64> = logits
            .par_chunks(classes)
            .zip(&self.targets)
            .with_min_len(ROWS)
            .map(|(row, &target)| {
                let mean = row.iter().map(|&v| f64::from(v)).sum::<f64>() / classes as f64;
                let kept = (1.0 - self.smoothing) * f64::from(row[target as usize]);
                log_sum_exp(row) - kept - self.smoothing * mean
            })
            .collect();
        let mean = losses.iter().sum::<f64>() / n as f64;
        Ok((CpuStorage::F32(vec![mean as f32]), ().into()))
    }

    fn bwd(
        &self,
        logits: &Tensor,
        _targets: &Tensor,
        _loss: &Tensor,
        d: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let (n, classes) = logits.dims2()?;
        let scale = f64::from(d.to_scalar::<f32>()?) / n as f64;
        let even = self.smoothing / classes as f64;
        let dx = cpu::with_slice(logits, |logits| {
            let mut dx = vec![0f32; logits.len()];
            dx.par_chunks_mut(classes)
                .zip(logits.par_chunks(classes).zip(&self.targets))
                .with_min_len(ROWS)
                .for_each(|(dx, (row, &target))| {
                    let log_sum = log_sum_exp(row);
                    for (dx, &v) in dx.iter_mut().zip(row) {
                        *dx = (((f64::from(v) - log_sum).exp() - even) * scale) as f32;
                    }
                    dx[target as usize] -= ((1.0 - self.smoothing) * scale) as f32;
                });
            dx
        })?;
        Ok((Some(cpu::tensor(dx, logits.shape())?), None))
    }
}
