//! Residual addition with the activation fused.

use crate::{
    Activation, Error, Result,
    activation::{CHUNK, specialise},
    cpu, output, portable,
    simd::{Level, for_each_level},
};
use candle_core::{CpuStorage, CustomOp2, Layout, Shape, Tensor};

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
    fn forward(y: &mut [f32], a: &[f32], b: &[f32], activation: Activation) {
        specialise!(activation, F => for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
            *y = F.value_with::<FMA>(a + b);
        })
    }
}

for_each_level! {
    fn backward(d: &mut [f32], a: &[f32], b: &[f32], dy: &[f32], activation: Activation) {
        specialise!(activation, F => for (((d, &a), &b), &dy) in d.iter_mut().zip(a).zip(b).zip(dy) {
            *d = F.derivative::<FMA>(a + b) * dy;
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
                output::chunks(a.len(), CHUNK, |i, d| {
                    let (from, to) = (i * CHUNK, i * CHUNK + d.len());
                    backward(level, d, &a[from..to], &b[from..to], &dy[from..to], activation);
                })
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
        let y = output::chunks(a.len(), CHUNK, |i, y| {
            let (from, to) = (i * CHUNK, i * CHUNK + y.len());
            forward(level, y, &a[from..to], &b[from..to], self.0);
        });
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
