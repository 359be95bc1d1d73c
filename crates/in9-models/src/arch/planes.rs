//! Channels of two tensors put together in any order, in one parallel pass.
//!
//! Candle's own way copies a tensor for every `narrow`, `cat`, `stack` and sum, on one thread.

use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Storage, Tensor};
use rayon::prelude::*;

/// Where a channel of the result comes from. No channel of an input is used twice.
#[derive(Clone, Copy)]
pub(super) enum Plane {
    /// This channel of the first tensor.
    First(usize),
    /// This channel of the second tensor.
    Second(usize),
    /// A channel of the first tensor plus one of the second.
    Sum(usize, usize),
}

impl Plane {
    fn of(self, second: bool) -> Option<usize> {
        match self {
            Self::First(i) => (!second).then_some(i),
            Self::Second(j) => second.then_some(j),
            Self::Sum(i, j) => Some(if second { j } else { i }),
        }
    }
}

/// Whether [`assemble`] can take these tensors; elsewhere Candle's operations have to do.
pub(super) fn can_assemble(tensors: &[&Tensor]) -> bool {
    tensors.iter().all(|t| t.dtype() == DType::F32 && t.device().is_cpu())
}

/// The tensor whose channels are `planes` of `a` and `b`.
///
/// # Shapes
/// - `a`, `b`: `[n, channels of each, h, w]`, f32 on the CPU
/// - output: `[n, planes.len(), h, w]`
pub(super) fn assemble(a: &Tensor, b: &Tensor, planes: Vec<Plane>) -> Result<Tensor> {
    let ((n, _, h, w), (m, _, g, v)) = (a.dims4()?, b.dims4()?);
    if (n, h, w) != (m, g, v) {
        candle_core::bail!("planes of {:?} and {:?}", a.dims(), b.dims());
    }
    a.contiguous()?.apply_op2(&b.contiguous()?, Assemble(planes))
}

struct Assemble(Vec<Plane>);

fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("planes of a strided tensor"),
    }
}

impl CustomOp2 for Assemble {
    fn name(&self) -> &'static str {
        "assemble planes"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (n, a_channels, h, w) = a_layout.shape().dims4()?;
        let b_channels = b_layout.shape().dims4()?.1;
        let (a, b) = (numbers(a, a_layout)?, numbers(b, b_layout)?);
        let (size, count) = (h * w, self.0.len());
        let mut out = vec![0f32; n * count * size];
        out.par_chunks_mut(size.max(1)).enumerate().for_each(|(at, out)| {
            let (image, plane) = (at / count, self.0[at % count]);
            let first = |i| &a[(image * a_channels + i) * size..][..size];
            let second = |j| &b[(image * b_channels + j) * size..][..size];
            match plane {
                Plane::First(i) => out.copy_from_slice(first(i)),
                Plane::Second(j) => out.copy_from_slice(second(j)),
                Plane::Sum(i, j) => {
                    for ((out, a), b) in out.iter_mut().zip(first(i)).zip(second(j)) {
                        *out = a + b;
                    }
                }
            }
        });
        Ok((CpuStorage::F32(out), (n, count, h, w).into()))
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let gradient = gradient.contiguous()?;
        Ok((Some(self.back(a, false, &gradient)?), Some(self.back(b, true, &gradient)?)))
    }
}

impl Assemble {
    /// The gradient of the first or the second input: its planes, zero where the result has none.
    fn back(&self, input: &Tensor, second: bool, gradient: &Tensor) -> Result<Tensor> {
        let (n, channels, h, w) = input.dims4()?;
        let (size, count) = (h * w, self.0.len());
        let mut places = vec![None; channels];
        for (place, plane) in self.0.iter().enumerate() {
            if let Some(channel) = plane.of(second) {
                places[channel] = Some(place);
            }
        }
        let (storage, layout) = gradient.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else {
            candle_core::bail!("planes of a tensor that is not on the CPU")
        };
        let gradient = numbers(storage, layout)?;
        let mut out = vec![0f32; n * channels * size];
        out.par_chunks_mut(size.max(1)).enumerate().for_each(|(at, out)| {
            if let Some(place) = places[at % channels] {
                out.copy_from_slice(&gradient[(at / channels * count + place) * size..][..size]);
            }
        });
        Tensor::from_vec(out, (n, channels, h, w), input.device())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    #[test]
    fn channels_come_from_where_they_should_and_gradients_go_back() {
        // Two pictures of one pixel.
        let tensor =
            |values: &[f32]| Var::from_slice(values, (2, values.len() / 2, 1, 1), &Device::Cpu).unwrap();
        let (a, b) = (tensor(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), tensor(&[10.0, 20.0, 30.0, 40.0]));
        let planes = vec![Plane::Second(1), Plane::Sum(2, 0), Plane::First(0)];
        let y = assemble(&a, &b, planes).unwrap();
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(flat(&y), [20.0, 13.0, 1.0, 40.0, 36.0, 4.0]);

        let weights = tensor(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let grads = (y * weights.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
        assert_eq!(flat(grads.get(&a).unwrap()), [3.0, 0.0, 2.0, 6.0, 0.0, 5.0]);
        assert_eq!(flat(grads.get(&b).unwrap()), [2.0, 1.0, 5.0, 4.0]);
    }

    #[test]
    fn pictures_of_two_sizes_are_refused() {
        let zeros = |h| Tensor::zeros((1, 2, h, 3), DType::F32, &Device::Cpu).unwrap();
        assert!(assemble(&zeros(3), &zeros(4), vec![Plane::First(0)]).is_err());
    }
}
