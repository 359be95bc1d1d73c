//! Channels of two tensors put together in any order, in one parallel pass.
//!
//! Candle's own way copies a tensor for every `narrow`, `cat`, `stack` and sum, on one thread.

use crate::{
    Error, Result, body, output,
    simd::{Level, for_each_level},
};
use candle_core::{CpuStorage, CustomOp2, Layout, Shape, Tensor};

/// Numbers of the planes that one task works through, about.
const TASK: usize = 1 << 14;

/// Where a channel of [`assemble_channels`]'s result comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plane {
    /// This channel of the first tensor.
    First(usize),
    /// This channel of the second tensor.
    Second(usize),
    /// A channel of the first tensor plus one of the second.
    Sum(usize, usize),
}

impl Plane {
    /// The channel of the first tensor.
    fn first(self) -> Option<usize> {
        match self {
            Self::First(i) | Self::Sum(i, _) => Some(i),
            Self::Second(_) => None,
        }
    }

    /// The channel of the second tensor.
    fn second(self) -> Option<usize> {
        match self {
            Self::Second(j) | Self::Sum(_, j) => Some(j),
            Self::First(_) => None,
        }
    }
}

/// The tensor whose channels are `planes` of `a` and `b`; gradients flow to both.
///
/// No channel of an input may be used twice.
///
/// # Shapes
/// - `a`, `b`: `[n, channels of each, h, w]`
/// - result: `[n, planes.len(), h, w]`
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit each other, [`Error::Setting`] for a channel that an
/// input does not have or that is used twice.
pub fn assemble_channels(a: &Tensor, b: &Tensor, planes: &[Plane]) -> Result<Tensor> {
    const OP: &str = "assemble_channels";
    let &[n, a_channels, h, w] = a.dims() else {
        return Err(Error::shape(OP, "a", "[n, channels, height, width]", a.dims()));
    };
    if b.rank() != 4 || b.dims()[0] != n || b.dims()[2..] != [h, w] {
        return Err(Error::shape(OP, "b", format!("[{n}, channels, {h}, {w}]"), b.dims()));
    }
    let from_a = places(planes.iter().map(|plane| plane.first()), a_channels)?;
    let from_b = places(planes.iter().map(|plane| plane.second()), b.dims()[1])?;
    if !body::fused(&[a, b]) {
        return portable(a, b, planes);
    }
    let op = Assemble { planes: planes.to_vec(), places: [from_a, from_b] };
    Ok(a.contiguous()?.apply_op2(&b.contiguous()?, op)?)
}

/// For each of an input's channels its place in the result, if it has one.
fn places(used: impl Iterator<Item = Option<usize>>, channels: usize) -> Result<Vec<Option<usize>>> {
    let mut places = vec![None; channels];
    for (place, channel) in used.enumerate() {
        let Some(channel) = channel else { continue };
        match places.get_mut(channel) {
            Some(free @ None) => *free = Some(place),
            _ => {
                return Err(Error::Setting {
                    op: "assemble_channels",
                    what: "planes",
                    expected: "channels of the inputs, each at most once",
                    found: format!("channel {channel} of {channels}"),
                });
            }
        }
    }
    Ok(places)
}

/// Each input's channels, with zeros where a channel has none of it, and the sum of both.
fn portable(a: &Tensor, b: &Tensor, planes: &[Plane]) -> Result<Tensor> {
    let pick = |t: &Tensor, of: fn(Plane) -> Option<usize>| -> Result<Tensor> {
        let (n, channels, h, w) = t.dims4()?;
        let zeros = Tensor::zeros((n, 1, h, w), t.dtype(), t.device())?;
        let index = |&plane: &Plane| of(plane).unwrap_or(channels) as u32;
        let index: Vec<u32> = planes.iter().map(index).collect();
        let index = Tensor::from_vec(index, planes.len(), t.device())?;
        Ok(Tensor::cat(&[t, &zeros], 1)?.index_select(&index, 1)?)
    };
    Ok((pick(a, Plane::first)? + pick(b, Plane::second)?)?)
}

struct Assemble {
    planes: Vec<Plane>,
    /// See [`places`].
    places: [Vec<Option<usize>>; 2],
}

impl CustomOp2 for Assemble {
    fn name(&self) -> &'static str {
        "in9-assemble-channels"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n, a_channels, h, w) = a_layout.shape().dims4()?;
        let b_channels = b_layout.shape().dims4()?.1;
        let (a, b) = (body::slice(a, a_layout)?, body::slice(b, b_layout)?);
        let (size, count, level) = (h * w, self.planes.len(), Level::current());
        let out = each_plane(n * count, size, |at, out| {
            let (image, plane) = (at / count, self.planes[at % count]);
            let first = |i| &a[(image * a_channels + i) * size..][..size];
            let second = |j| &b[(image * b_channels + j) * size..][..size];
            match plane {
                Plane::First(i) => out.copy_from_slice(first(i)),
                Plane::Second(j) => out.copy_from_slice(second(j)),
                Plane::Sum(i, j) => add(level, out, first(i), second(j)),
            }
        });
        Ok((CpuStorage::F32(out), (n, count, h, w).into()))
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((self.back(a, 0, dy)?, self.back(b, 1, dy)?))
    }
}

impl Assemble {
    /// The gradient of an input, unless it is unused: its planes, zero where the result has none.
    fn back(&self, input: &Tensor, which: usize, dy: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let (n, channels, h, w) = input.dims4()?;
        let (size, count, places) = (h * w, self.planes.len(), &self.places[which]);
        if places.iter().all(Option::is_none) {
            return Ok(None);
        }
        let dx = body::with_slice(dy, |dy| {
            each_plane(n * channels, size, |at, dx| {
                if let Some(place) = places[at % channels] {
                    dx.copy_from_slice(&dy[(at / channels * count + place) * size..][..size]);
                }
            })
        })?;
        Ok(Some(body::tensor(dx, input.shape())?))
    }
}

/// `count` planes of `size` numbers, zero at first.
fn each_plane(count: usize, size: usize, f: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let together = (TASK / size.max(1)).max(1);
    output::chunks(count * size, (together * size).max(1), |task, out| {
        for (i, out) in out.chunks_exact_mut(size).enumerate() {
            f(task * together + i, out);
        }
    })
}

for_each_level! {
    fn add(y: &mut [f32], a: &[f32], b: &[f32]) {
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            *y = a + b;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device, Var};

    #[test]
    fn channels_come_from_where_they_should_and_gradients_go_back() {
        for dtype in [DType::F32, DType::F64] {
            // Two pictures of one pixel.
            let tensor = |values: &[f64]| {
                let t = Tensor::from_slice(values, (2, values.len() / 2, 1, 1), &Device::Cpu).unwrap();
                Var::from_tensor(&t.to_dtype(dtype).unwrap()).unwrap()
            };
            let (a, b) = (tensor(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), tensor(&[10.0, 20.0, 30.0, 40.0]));
            let planes = [Plane::Second(1), Plane::Sum(2, 0), Plane::First(0)];
            let y = assemble_channels(&a, &b, &planes).unwrap();
            let flat =
                |t: &Tensor| t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
            assert_eq!(flat(&y), [20.0, 13.0, 1.0, 40.0, 36.0, 4.0]);

            let weights = tensor(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
            let grads = (y * weights.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
            assert_eq!(flat(grads.get(&a).unwrap()), [3.0, 0.0, 2.0, 6.0, 0.0, 5.0]);
            assert_eq!(flat(grads.get(&b).unwrap()), [2.0, 1.0, 5.0, 4.0]);
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let zeros = |h| Tensor::zeros((1, 2, h, 3), DType::F32, &Device::Cpu).unwrap();
        let refused =
            |b, planes: &[Plane]| assemble_channels(&zeros(3), &zeros(b), planes).unwrap_err().to_string();
        assert!(refused(4, &[Plane::First(0)]).contains("b has shape"));
        assert!(refused(3, &[Plane::First(2)]).contains("channel 2 of 2"));
        assert!(refused(3, &[Plane::First(1), Plane::Sum(1, 0)]).contains("channel 1 of 2"));
    }
}
