//! Every channel times its own factor: the gate of squeeze-and-excitation.

use crate::{
    Error, Result, blocked, cpu, output,
    simd::{Level, for_each_level, loops},
};
use candle_core::{CpuStorage, CustomOp2, InplaceOp2, Layout, Shape, Tensor};
use rayon::prelude::*;

/// About how many elements one parallel task handles.
const TASK: usize = 1 << 14;

/// Whole planes of one parallel task.
fn planes_per_task(plane: usize) -> usize {
    (TASK / plane.max(1)).max(1)
}

/// `y[i, c, …] = x[i, c, …] * gates[i, c]`: the gate of squeeze-and-excitation (Hu and others 2018,
/// equation 4). Differentiable with respect to both arguments.
///
/// # Shapes
/// - `x` and the result: `[batch, channels, height, width]`
/// - `gates`: `[batch, channels]`
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit.
pub fn scale_channels(x: &Tensor, gates: &Tensor) -> Result<Tensor> {
    if blocked::is_in_blocks(x) {
        return blocked::scale_channels(x, gates);
    }
    check(x, gates)?;
    if cpu::supported(&[x, gates]) {
        return Ok(x.contiguous()?.apply_op2(&gates.contiguous()?, ScaleChannels)?);
    }
    #[cfg(feature = "cuda")]
    if let Some(gpu) = crate::gpu::takes(&[x, gates]) {
        return crate::gpu::scale_channels(&gpu, x, gates);
    }
    let (n, channels) = gates.dims2()?;
    Ok(x.broadcast_mul(&gates.reshape((n, channels, 1, 1))?)?)
}

/// [`scale_channels`] in place, for an `x` that is not needed any more.
///
/// If neither argument needs a gradient, the result overwrites the memory of `x`, and every other tensor
/// that shares this memory changes with it. Otherwise `x` is left as it is.
///
/// # Errors
/// As for [`scale_channels`], and [`Error::Candle`] if `x` and `gates` share their memory.
pub fn scale_channels_inplace(x: Tensor, gates: &Tensor) -> Result<Tensor> {
    if blocked::is_in_blocks(&x) {
        if cpu::requires_grad(&[&x, gates]) || !x.is_contiguous() {
            return blocked::scale_channels(&x, gates);
        }
        return blocked::scale_channels_inplace(x, gates);
    }
    check(&x, gates)?;
    if !cpu::supported(&[&x, gates]) || cpu::requires_grad(&[&x, gates]) || !x.is_contiguous() {
        return scale_channels(&x, gates);
    }
    x.inplace_op2(&gates.contiguous()?, &ScaleChannels)?;
    Ok(x)
}

fn check(x: &Tensor, gates: &Tensor) -> Result<()> {
    const OP: &str = "scale_channels";
    let &[n, channels, _, _] = x.dims() else {
        return Err(Error::shape(OP, "x", "[batch, channels, height, width]", x.dims()));
    };
    if gates.dims() != [n, channels] {
        return Err(Error::shape(OP, "gates", format!("{:?}", [n, channels]), gates.dims()));
    }
    Ok(())
}

struct ScaleChannels;

impl CustomOp2 for ScaleChannels {
    fn name(&self) -> &'static str {
        "in9-scale-channels"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        gates: &CpuStorage,
        gates_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (_, _, h, w) = x_layout.shape().dims4()?;
        let (x, gates) = (cpu::slice(x, x_layout)?, cpu::slice(gates, gates_layout)?);
        Ok((CpuStorage::F32(scaled(x, gates, h * w)), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        gates: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let (_, _, h, w) = x.dims4()?;
        let dx = cpu::with_slice(gates, |gates| cpu::with_slice(dy, |dy| scaled(dy, gates, h * w)))??;
        let count = gates.elem_count();
        let dgates = cpu::with_slice(x, |x| cpu::with_slice(dy, |dy| dot_products(x, dy, count)))??;
        Ok((Some(cpu::tensor(dx, x.shape())?), Some(cpu::tensor(dgates, gates.shape())?)))
    }
}

impl InplaceOp2 for ScaleChannels {
    fn name(&self) -> &'static str {
        "in9-scale-channels"
    }

    fn cpu_fwd(
        &self,
        x: &mut CpuStorage,
        x_layout: &Layout,
        gates: &CpuStorage,
        gates_layout: &Layout,
    ) -> candle_core::Result<()> {
        let (_, _, h, w) = x_layout.shape().dims4()?;
        let (gates, level, plane) = (cpu::slice(gates, gates_layout)?, Level::current(), h * w);
        let (CpuStorage::F32(x), Some((start, end))) = (x, x_layout.contiguous_offsets()) else {
            candle_core::bail!("kernel called with a strided tensor or another type")
        };
        let planes = planes_per_task(plane);
        x[start..end].par_chunks_mut((planes * plane).max(1)).enumerate().for_each(|(task, x)| {
            for (x, &gate) in x.chunks_exact_mut(plane.max(1)).zip(&gates[task * planes..]) {
                scale(level, x, gate);
            }
        });
        Ok(())
    }
}

fn scaled(x: &[f32], gates: &[f32], plane: usize) -> Vec<f32> {
    let (planes, level) = (planes_per_task(plane), Level::current());
    output::chunks(x.len(), (planes * plane).max(1), |task, y| {
        let inputs = x[task * planes * plane..].chunks_exact(plane).zip(&gates[task * planes..]);
        for (y, (x, &gate)) in y.chunks_exact_mut(plane).zip(inputs) {
            times(level, y, x, gate);
        }
    })
}

/// See [`crate::gradients::gates`].
pub(crate) fn gates_gradient(x: &Tensor, dy: &Tensor) -> Result<Tensor> {
    const OP: &str = "gates gradient";
    if blocked::is_in_blocks(x) {
        return blocked::gates(x, dy);
    }
    let &[n, channels, _, _] = x.dims() else {
        return Err(Error::shape(OP, "x", "[batch, channels, height, width]", x.dims()));
    };
    if dy.dims() != x.dims() {
        return Err(Error::shape(OP, "dy", format!("{:?}", x.dims()), dy.dims()));
    }
    if !cpu::supported(&[x, dy]) {
        return Ok((x * dy)?.sum((2, 3))?);
    }
    let dgates = cpu::with_slices([Some(x), Some(dy)], |[x, dy]| {
        dot_products(x.unwrap_or_default(), dy.unwrap_or_default(), n * channels)
    })?;
    Ok(cpu::tensor(dgates, (n, channels))?)
}

/// See [`crate::gradients::gated`].
pub(crate) fn gated_gradient(gates: &Tensor, dmeans: &Tensor, dy: &Tensor) -> Result<Tensor> {
    if blocked::is_in_blocks(dy) {
        return blocked::gated(gates, dmeans, dy);
    }
    check(dy, gates)?;
    if dmeans.dims() != gates.dims() {
        let expected = format!("{:?}", gates.dims());
        return Err(Error::shape("gated gradient", "dmeans", expected, dmeans.dims()));
    }
    let plane: usize = dy.dims()[2..].iter().product();
    if !cpu::supported(&[gates, dmeans, dy]) {
        let per_channel = |t: &Tensor| t.reshape((t.dim(0)?, t.dim(1)?, 1, 1));
        let shifts = per_channel(&(dmeans / plane.max(1) as f64)?)?;
        return Ok(dy.broadcast_mul(&per_channel(gates)?)?.broadcast_add(&shifts)?);
    }
    let dx = cpu::with_slices([Some(gates), Some(dmeans), Some(dy)], |[gates, dmeans, dy]| {
        let [gates, dmeans, dy] = [gates, dmeans, dy].map(Option::unwrap_or_default);
        let (planes, level) = (planes_per_task(plane), Level::current());
        output::chunks(dy.len(), (planes * plane).max(1), |task, dx| {
            for (i, dx) in dx.chunks_exact_mut(plane).enumerate() {
                let at = task * planes + i;
                let shift = dmeans[at] / plane as f32;
                times_and_shift(level, dx, &dy[at * plane..][..plane], gates[at], shift);
            }
        })
    })?;
    Ok(cpu::tensor(dx, dy.shape())?)
}

/// The dot product of `x` and `dy` over each of `count` planes.
fn dot_products(x: &[f32], dy: &[f32], count: usize) -> Vec<f32> {
    if x.is_empty() {
        return vec![0f32; count];
    }
    let (plane, level) = (x.len() / count, Level::current());
    let planes = planes_per_task(plane);
    output::chunks(count, planes, |task, sums| {
        let start = task * planes * plane;
        let inputs = x[start..].chunks_exact(plane).zip(dy[start..].chunks_exact(plane));
        for (sum, (x, dy)) in sums.iter_mut().zip(inputs) {
            *sum = dot_product(level, x, dy);
        }
    })
}

for_each_level! {
    fn scale(x: &mut [f32], gate: f32) {
        for x in x.iter_mut() {
            *x *= gate;
        }
    }
}

for_each_level! {
    fn times(y: &mut [f32], x: &[f32], gate: f32) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = x * gate;
        }
    }
}

for_each_level! {
    fn times_and_shift(y: &mut [f32], x: &[f32], gate: f32, shift: f32) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = loops::fma::<FMA>(*x, gate, shift);
        }
    }
}

for_each_level! {
    fn dot_product(a: &[f32], b: &[f32]) -> f32 {
        const UNROLL: usize = 64;
        let mut sums = [0f32; UNROLL];
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<UNROLL>(), b.as_chunks::<UNROLL>());
        for (a, b) in a.iter().zip(b) {
            for i in 0..UNROLL {
                sums[i] = loops::fma::<FMA>(a[i], b[i], sums[i]);
            }
        }
        for ((sum, &a), &b) in sums.iter_mut().zip(a_rest).zip(b_rest) {
            *sum = loops::fma::<FMA>(a, b, *sum);
        }
        loops::pairwise_sum(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn planes_are_scaled_in_place_too() {
        let x: Vec<f32> = (0..2 * 3 * 35).map(|i| i as f32).collect();
        let x = Tensor::from_vec(x, (2, 3, 5, 7), &Device::Cpu).unwrap();
        let gates = Tensor::new(&[[1f32, -2.0, 0.5], [0.0, 3.0, f32::NAN]], &Device::Cpu).unwrap();
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let expected = flat(&scale_channels(&x, &gates).unwrap());
        assert_eq!(expected[35..38], [-70.0, -72.0, -74.0]);
        assert!(expected[5 * 35..].iter().all(|v| v.is_nan()));
        let found = flat(&scale_channels_inplace(x.clone(), &gates).unwrap());
        let bits = |v: &[f32]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&found), bits(&expected));
        assert_eq!(bits(&flat(&x)), bits(&found), "the result overwrites x");
    }

    /// Beside Candle's graph: the gate of squeeze-and-excitation, whose factors depend on the means.
    #[test]
    fn plain_gradients_are_those_of_the_graph() {
        let x: Vec<f32> = (0..2 * 3 * 12).map(|i| (i % 7) as f32 - 2.0).collect();
        let x = candle_core::Var::from_vec(x, (2, 3, 4, 3), &Device::Cpu).unwrap();
        let factor = Tensor::new(&[0.5f32, -1.0, 2.0], &Device::Cpu).unwrap();
        let gates = |means: &Tensor| means.broadcast_mul(&factor).unwrap();
        let weights = Tensor::arange(0f32, 72., &Device::Cpu).unwrap().reshape((2, 3, 4, 3)).unwrap();
        let y =
            scale_channels(x.as_tensor(), &gates(&crate::global_avg_pool(x.as_tensor()).unwrap())).unwrap();
        let graph = (y * &weights).unwrap().sum_all().unwrap().backward().unwrap();
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let expected = flat(graph.get(x.as_tensor()).unwrap());

        let plain = x.as_detached_tensor();
        let dgates = gates_gradient(&plain, &weights).unwrap();
        let dmeans = dgates.broadcast_mul(&factor).unwrap();
        let means = crate::global_avg_pool(&plain).unwrap();
        let found = flat(&gated_gradient(&gates(&means), &dmeans, &weights).unwrap());
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0), "{found} {expected}");
        }
        assert!(gates_gradient(&plain, &factor).is_err());
    }

    #[test]
    fn a_tensor_of_a_graph_is_left_alone() {
        let x = candle_core::Var::ones((1, 2, 2, 2), candle_core::DType::F32, &Device::Cpu).unwrap();
        let gates = Tensor::new(&[[2f32, 3.0]], &Device::Cpu).unwrap();
        scale_channels_inplace(x.as_tensor().clone(), &gates).unwrap();
        assert_eq!(x.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [1.0; 8]);
    }
}
