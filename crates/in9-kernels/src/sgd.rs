//! The update of stochastic gradient descent in one pass.

use crate::{
    Error, Result,
    activation::CHUNK,
    cpu,
    simd::{Level, for_each_level},
};
use candle_core::{CpuStorage, InplaceOp2, Layout, Tensor, Var};
use rayon::prelude::*;
use std::sync::Mutex;

/// Settings of [`sgd_step`], as PyTorch defines them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdStep {
    /// Learning rate, at least 0.
    pub rate: f64,
    /// Momentum factor μ, in `0.0..1.0`; 0 for none.
    pub momentum: f64,
    /// Whether to use Nesterov momentum.
    pub nesterov: bool,
    /// Weight decay λ: λ times the parameter is added to its gradient.
    pub weight_decay: f64,
}

/// Updates an f32 parameter `p` on the CPU by one step of SGD, in one pass over memory.
///
/// With `d = gradient + weight_decay * p`, the velocity becomes `v = momentum * v + d`, and the parameter
/// becomes `p - rate * v`, or with Nesterov momentum `p - rate * (d + momentum * v)`. This is
/// `torch.optim.SGD` without dampening.
///
/// # Shapes
/// - `gradient`: that of `parameter`
/// - `velocity`: one value for each element of the parameter, in row-major order; zeros before the first
///   step
///
/// # Errors
/// [`Error::Shape`] if the sizes differ, [`Error::Candle`] for another device or type.
pub fn sgd_step(parameter: &Var, gradient: &Tensor, velocity: &mut [f32], step: &SgdStep) -> Result<()> {
    const OP: &str = "sgd_step";
    let expected = || format!("{:?}", parameter.dims());
    if gradient.dims() != parameter.dims() {
        return Err(Error::shape(OP, "gradient", expected(), gradient.dims()));
    }
    if velocity.len() != parameter.elem_count() {
        return Err(Error::shape(OP, "velocity", expected(), &[velocity.len()]));
    }
    let op = Update { velocity: Mutex::new(velocity), step: *step };
    Ok(parameter.inplace_op2(&gradient.detach().contiguous()?, &op)?)
}

/// [`sgd_step`] for a parameter on a GPU, whose velocity is a variable beside it.
///
/// # Shapes
/// - `gradient`, `velocity`: that of `parameter`; the velocity zeros before the first step
/// - `rate`: `[1]`, the learning rate on the device, which stands for that of `step`
///
/// # Errors
/// [`Error::Shape`] if the sizes differ, [`Error::Candle`] for another device or type.
#[cfg(feature = "cuda")]
pub fn sgd_step_on_gpu(
    parameter: &Var,
    gradient: &Tensor,
    velocity: &Var,
    rate: &Tensor,
    step: &SgdStep,
) -> Result<()> {
    const OP: &str = "sgd_step_on_gpu";
    for (argument, tensor) in [("gradient", gradient), ("velocity", velocity.as_tensor())] {
        if tensor.dims() != parameter.dims() {
            return Err(Error::shape(OP, argument, format!("{:?}", parameter.dims()), tensor.dims()));
        }
    }
    let gpu = crate::gpu::Gpu::of(parameter)
        .ok_or_else(|| Error::Candle(candle_core::Error::Msg(format!("{OP}: not on an open GPU"))))?;
    crate::gpu::sgd(&gpu, parameter, gradient, velocity, rate, step)
}

struct Update<'a> {
    velocity: Mutex<&'a mut [f32]>,
    step: SgdStep,
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "in9-sgd-step"
    }

    fn cpu_fwd(
        &self,
        parameter: &mut CpuStorage,
        parameter_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> candle_core::Result<()> {
        let (CpuStorage::F32(parameter), Some((from, to))) =
            (parameter, parameter_layout.contiguous_offsets())
        else {
            candle_core::bail!("sgd_step: the parameter is not f32, or strided");
        };
        let gradient = cpu::slice(gradient, gradient_layout)?;
        // The lock is never contended. If it is poisoned, the velocity behind it is still whole.
        let mut velocity = self.velocity.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (level, step) = (Level::current(), self.step);
        let [rate, momentum, decay] = [step.rate, step.momentum, step.weight_decay].map(|v| v as f32);
        parameter[from..to]
            .par_chunks_mut(CHUNK)
            .zip(gradient.par_chunks(CHUNK))
            .zip(velocity.par_chunks_mut(CHUNK))
            .for_each(|((p, g), v)| update(level, p, g, v, [rate, momentum, decay], step.nesterov));
        Ok(())
    }
}

for_each_level! {
    fn update(p: &mut [f32], g: &[f32], v: &mut [f32], settings: [f32; 3], nesterov: bool) {
        let [rate, momentum, decay] = settings;
        // The branch is outside the loops, so that both are vectorised.
        if nesterov {
            for ((p, g), v) in p.iter_mut().zip(g).zip(v) {
                let d = g + decay * *p;
                *v = momentum * *v + d;
                *p -= rate * (d + momentum * *v);
            }
        } else {
            for ((p, g), v) in p.iter_mut().zip(g).zip(v) {
                *v = momentum * *v + g + decay * *p;
                *p -= rate * *v;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    #[test]
    fn two_steps_by_hand_on_every_level() {
        // Powers of two: every product and sum is exact.
        for (nesterov, expected) in [(false, [0.4375f32, -0.371_093_75]), (true, [0.15625, -0.749_023_44])] {
            for level in Level::available() {
                let (mut p, mut v) = (vec![1f32; 40], vec![0f32; 40]);
                for after in expected {
                    update(level, &mut p, &[1.0; 40], &mut v, [0.5, 0.5, 0.125], nesterov);
                    assert!(p.iter().all(|&p| p == after), "{level:?} {nesterov}: {} {after}", p[0]);
                }
            }
        }
    }

    #[test]
    fn other_sizes_and_types_are_rejected() {
        let step = SgdStep { rate: 0.1, momentum: 0.0, nesterov: false, weight_decay: 0.0 };
        let p = Var::zeros((2, 3), DType::F32, &Device::Cpu).unwrap();
        let g = Tensor::ones((3, 2), DType::F32, &Device::Cpu).unwrap();
        assert!(sgd_step(&p, &g, &mut [0.0; 6], &step).unwrap_err().to_string().contains("gradient"));
        let g = g.t().unwrap();
        assert!(sgd_step(&p, &g, &mut [0.0; 5], &step).unwrap_err().to_string().contains("velocity"));
        sgd_step(&p, &g, &mut [0.0; 6], &step).unwrap();
        assert_eq!(p.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [-0.1; 6]);
        let p = Var::zeros((2, 3), DType::F64, &Device::Cpu).unwrap();
        assert!(sgd_step(&p, &g, &mut [0.0; 6], &step).is_err());
    }
}
