//! Squeeze-and-excitation (Hu et al. 2017): each channel is scaled by a function of all means.

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Shape, Tensor};
use rayon::prelude::*;

use crate::error::Result;
use crate::init::Init;
use crate::layers::{Activation, Conv, ConvAct, global_avg_pool};
use crate::model::Context;
use crate::params::Params;

/// `x · gate(expand(inner(reduce(mean(x)))))`, both layers 1×1 convolutions with a bias.
pub struct SqueezeExcite {
    reduce: ConvAct,
    expand: ConvAct,
}

impl SqueezeExcite {
    /// Parameters `reduce.{weight,bias}` and `expand.{weight,bias}` under these two names.
    ///
    /// # Errors
    /// When `params` holds weights that do not fit.
    pub fn new(
        params: &Params,
        names: [&str; 2],
        channels: usize,
        squeezed: usize,
        inner: Activation,
        gate: Activation,
    ) -> Result<Self> {
        let zero = Some(Init::Constant(0.0));
        Ok(Self {
            reduce: ConvAct::new(params, names[0], Conv::new(channels, squeezed, 1), zero, inner)?,
            expand: ConvAct::new(params, names[1], Conv::new(squeezed, channels, 1), zero, gate)?,
        })
    }

    /// Scales the channels.
    ///
    /// # Shapes
    /// `x` and the output: `[n, channels, h, w]`
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, x: &Tensor, context: &Context) -> Result<Tensor> {
        let means = global_avg_pool(x)?;
        let (n, channels) = means.dims2()?;
        let gates = self.reduce.forward(&means.reshape((n, channels, 1, 1))?, context)?;
        let gates = self.expand.forward(&gates, context)?;
        Ok(scale(x, &gates)?)
    }
}

/// Every plane of `x`, `[n, channels, h, w]`, times its number in `gates`, `[n, channels, 1, 1]`.
fn scale(x: &Tensor, gates: &Tensor) -> candle_core::Result<Tensor> {
    let fused = x.dtype() == DType::F32 && x.device().is_cpu();
    if !fused || x.dims()[..2] != gates.dims()[..2] {
        return x.broadcast_mul(gates);
    }
    x.contiguous()?.apply_op2(&gates.contiguous()?, Scale)
}

/// Candle's product runs on a pool of its own, whose waiting threads take the cores from ours.
struct Scale;

impl CustomOp2 for Scale {
    fn name(&self) -> &'static str {
        "scale channels"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gates: &CpuStorage,
        gates_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let offsets = x_layout.contiguous_offsets().zip(gates_layout.contiguous_offsets());
        let Some(((from, to), (first, last))) = offsets else {
            candle_core::bail!("scale of a strided tensor")
        };
        let (x, gates) = (&x.as_slice::<f32>()?[from..to], &gates.as_slice::<f32>()?[first..last]);
        let plane = x.len().checked_div(gates.len()).unwrap_or(0).max(1);
        let mut out = vec![0f32; x.len()];
        out.par_chunks_mut(plane).zip(x.par_chunks(plane)).zip(gates.par_iter()).for_each(
            |((out, x), gate)| {
                for (out, x) in out.iter_mut().zip(x) {
                    *out = x * gate;
                }
            },
        );
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gates: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let of_gates = (x * gradient)?.sum_keepdim((2, 3))?;
        Ok((Some(scale(gradient, gates)?), Some(of_gates)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    #[test]
    fn planes_are_scaled_and_both_get_gradients() {
        let x = Var::from_slice(&[1f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], (2, 2, 1, 2), &Device::Cpu);
        let gates = Var::from_slice(&[1f32, 10.0, 0.5, -1.0], (2, 2, 1, 1), &Device::Cpu);
        let (x, gates) = (x.unwrap(), gates.unwrap());
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let y = scale(&x, &gates).unwrap();
        assert_eq!(flat(&y), [1.0, 2.0, 30.0, 40.0, 2.5, 3.0, -7.0, -8.0]);
        let grads = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        assert_eq!(flat(grads.get(&x).unwrap()), [2.0, 4.0, 600.0, 800.0, 2.5, 3.0, 14.0, 16.0]);
        assert_eq!(flat(grads.get(&gates).unwrap()), [10.0, 500.0, 61.0, -226.0]);
    }
}
