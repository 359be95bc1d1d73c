//! Residual addition with the activation fused.

use crate::{
    Activation, Error, Result,
    activation::{CHUNK, specialise},
    cpu, output, portable,
    simd::{Level, for_each_level},
};
use candle_core::{CpuStorage, CustomOp2, Layout, Shape, Tensor};
use std::mem::MaybeUninit;

/// `activation(a + b)`, the end of a residual block. Differentiable with respect to both terms.
///
/// # Shapes
/// `a`, `b` and the result have the same shape, of any rank.
///
/// # Errors
/// [`Error::Shape`] if the shapes differ.
pub fn add_act(a: &Tensor, b: &Tensor, activation: Activation) -> Result<Tensor> {
    if a.dims() != b.dims() {
        return Err(Error::shape("add_act", "b", format!("{:?}", a.dims()), b.dims()));
    }
    if cpu::supported(&[a, b]) {
        return Ok(a.contiguous()?.apply_op2(&b.contiguous()?, AddAct(activation))?);
    }
    #[cfg(feature = "cuda")]
    if let Some(gpu) = crate::gpu::takes(&[a, b]) {
        return crate::gpu::add_act(&gpu, a, b, activation);
    }
    portable::activation(&(a + b)?, activation)
}

for_each_level! {
    fn forward(y: &mut [MaybeUninit<f32>], a: &[f32], b: &[f32], activation: Activation) {
        specialise!(activation, F => for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
            y.write(F.value_with::<FMA>(a + b));
        })
    }
}

for_each_level! {
    fn backward(d: &mut [MaybeUninit<f32>], a: &[f32], b: &[f32], dy: &[f32], activation: Activation) {
        specialise!(activation, F => for (((d, &a), &b), &dy) in d.iter_mut().zip(a).zip(b).zip(dy) {
            d.write(F.derivative::<FMA>(a + b) * dy);
        })
    }
}

/// See [`crate::gradients::add_act`].
pub(crate) fn gradients(a: &Tensor, b: &Tensor, activation: Activation, dy: &Tensor) -> Result<Tensor> {
    for (what, t) in [("b", b), ("dy", dy)] {
        if t.dims() != a.dims() {
            let expected = format!("{:?}", a.dims());
            return Err(Error::shape("add_act gradients", what, expected, t.dims()));
        }
    }
    if activation == Activation::None {
        return Ok(dy.clone());
    }
    if cpu::supported(&[a, b, dy]) {
        return Ok(gradient(a, b, activation, dy)?);
    }
    #[cfg(feature = "cuda")]
    if let Some(gpu) = crate::gpu::takes(&[a, b, dy]) {
        return crate::gpu::add_act_gradient(&gpu, a, b, activation, dy);
    }
    let sum = (a.detach() + b.detach())?;
    let mut gradients = portable::gradients(&[&sum], dy, |t| portable::activation(&t[0], activation))?;
    Ok(gradients.pop().unwrap_or(sum.zeros_like()?))
}

/// The gradient with respect to `a`, which is also that with respect to `b`.
fn gradient(a: &Tensor, b: &Tensor, activation: Activation, dy: &Tensor) -> candle_core::Result<Tensor> {
    let level = Level::current();
    let d = cpu::with_slice(a, |a| {
        cpu::with_slice(b, |b| {
            cpu::with_slice(dy, |dy| {
                let run = |i: usize, d: &mut [MaybeUninit<f32>]| {
                    let (from, to) = (i * CHUNK, i * CHUNK + d.len());
                    backward(level, d, &a[from..to], &b[from..to], &dy[from..to], activation);
                };
                // SAFETY: `backward` writes an element for each of four slices of equal length.
                unsafe { output::uninit_chunks(a.len(), CHUNK, run) }
            })
        })
    })???;
    cpu::tensor(d, a.shape())
}

struct AddAct(Activation);

impl CustomOp2 for AddAct {
    fn name(&self) -> &'static str {
        "in9-add-act"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (a, b, level) = (cpu::slice(a, a_layout)?, cpu::slice(b, b_layout)?, Level::current());
        let run = |i: usize, y: &mut [MaybeUninit<f32>]| {
            let (from, to) = (i * CHUNK, i * CHUNK + y.len());
            forward(level, y, &a[from..to], &b[from..to], self.0);
        };
        // SAFETY: `forward` writes an element for each of three slices of equal length.
        let y = unsafe { output::uninit_chunks(a.len(), CHUNK, run) };
        Ok((CpuStorage::F32(y), a_layout.shape().clone()))
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        if self.0 == Activation::None {
            return Ok((Some(dy.clone()), Some(dy.clone())));
        }
        let d = gradient(a, b, self.0, dy)?;
        Ok((Some(d.clone()), Some(d)))
    }
}
