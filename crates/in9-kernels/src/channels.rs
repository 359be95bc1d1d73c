//! A tensor assembled from the channels of two others, in one parallel pass: channel shuffles, dense
//! connections, partial sums.
//!
//! Candle's own operations copy a whole tensor for every `narrow`, `cat`, `stack` and sum, on one thread.

use crate::{
    Error, Result, blocked, cpu, output,
    simd::{Level, for_each_level},
};
use candle_core::{CpuStorage, CustomOp2, Layout, Shape, Tensor};

/// About how many elements one parallel task handles.
const TASK: usize = 1 << 14;

/// Where [`assemble_channels`] takes one channel of its result from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelSource {
    /// The channel of this index of the first tensor.
    First(usize),
    /// The channel of this index of the second tensor.
    Second(usize),
    /// The sum of a channel of the first tensor and one of the second, given by their indices.
    Sum(usize, usize),
}

impl ChannelSource {
    /// Index of the channel of the first tensor, if it has a part in this one.
    pub(crate) fn first(self) -> Option<usize> {
        match self {
            Self::First(i) | Self::Sum(i, _) => Some(i),
            Self::Second(_) => None,
        }
    }

    /// Whether it is of both tensors.
    pub(crate) fn is_sum(self) -> bool {
        matches!(self, Self::Sum(..))
    }

    /// Index of the channel of the second tensor, if it has a part in this one.
    pub(crate) fn second(self) -> Option<usize> {
        match self {
            Self::Second(j) | Self::Sum(_, j) => Some(j),
            Self::First(_) => None,
        }
    }
}

/// A tensor whose channels come from `a` and `b` as `sources` say. Differentiable with respect to both.
///
/// This is what the channel shuffle of ShuffleNet and the dual paths of DPN are made of. Each channel of
/// an input may be used once.
///
/// # Shapes
/// - `a`: `[batch, channels of a, height, width]`
/// - `b`: `[batch, channels of b, height, width]`
/// - result: `[batch, sources.len(), height, width]`
///
/// If both are in [blocks](crate::blocked), so is the result.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit each other, [`Error::Channel`] for a channel that an input
/// does not have, [`Error::RepeatedChannel`] for one that is used twice.
pub fn assemble_channels(a: &Tensor, b: &Tensor, sources: &[ChannelSource]) -> Result<Tensor> {
    const OP: &str = "assemble_channels";
    if blocked::is_in_blocks(a) && blocked::is_in_blocks(b) {
        return blocked::assemble_channels(a, b, sources);
    }
    let &[n, a_channels, h, w] = a.dims() else {
        return Err(Error::shape(OP, "a", "[batch, channels, height, width]", a.dims()));
    };
    if b.rank() != 4 || b.dims()[0] != n || b.dims()[2..] != [h, w] {
        return Err(Error::shape(OP, "b", format!("[{n}, channels, {h}, {w}]"), b.dims()));
    }
    let from_a = destinations("a", sources.iter().map(|source| source.first()), a_channels)?;
    let from_b = destinations("b", sources.iter().map(|source| source.second()), b.dims()[1])?;
    if !cpu::supported(&[a, b]) {
        #[cfg(feature = "cuda")]
        if let Some(gpu) = crate::gpu::takes(&[a, b]) {
            let from = [ChannelSource::first, ChannelSource::second];
            let from = from.map(|of| sources.iter().map(|&source| of(source)).collect());
            return crate::gpu::assemble_channels(&gpu, a, b, from, [from_a, from_b]);
        }
        return portable(a, b, sources);
    }
    let op = Assemble { sources: sources.to_vec(), destinations: [from_a, from_b] };
    Ok(a.contiguous()?.apply_op2(&b.contiguous()?, op)?)
}

/// See [`crate::gradients::assemble_channels`].
pub(crate) fn gradients(
    a: &Tensor,
    b: &Tensor,
    sources: &[ChannelSource],
    dy: &Tensor,
) -> Result<[Option<Tensor>; 2]> {
    const OP: &str = "assemble_channels gradients";
    if blocked::is_in_blocks(dy) {
        let [a, b, dy] = [a, b, dy].map(blocked::to_planes);
        let dy = dy?.narrow(1, 0, sources.len())?;
        let [da, db] = gradients(&a?, &b?, sources, &dy)?;
        let back =
            |gradient: Option<Tensor>| gradient.map(|gradient| blocked::to_blocks(&gradient)).transpose();
        return Ok([back(da)?, back(db)?]);
    }
    type Of = fn(ChannelSource) -> Option<usize>;
    let of: [Of; 2] = [ChannelSource::first, ChannelSource::second];
    let mut from = [Vec::new(), Vec::new()];
    for (((from, input), argument), of) in from.iter_mut().zip([a, b]).zip(["a", "b"]).zip(of) {
        let &[n, channels, h, w] = input.dims() else {
            return Err(Error::shape(OP, argument, "[batch, channels, height, width]", input.dims()));
        };
        if dy.dims() != [n, sources.len(), h, w] {
            return Err(Error::shape(OP, "dy", format!("[{n}, {}, {h}, {w}]", sources.len()), dy.dims()));
        }
        *from = destinations(argument, sources.iter().map(|&source| of(source)), channels)?;
    }
    let op = Assemble { sources: sources.to_vec(), destinations: from };
    Ok([op.gradient(a, 0, dy)?, op.gradient(b, 1, dy)?])
}

/// For each channel of an input the channel of the result that it goes to, if it is used.
pub(crate) fn destinations(
    argument: &'static str,
    used: impl Iterator<Item = Option<usize>>,
    channels: usize,
) -> Result<Vec<Option<usize>>> {
    let mut destinations = vec![None; channels];
    for (destination, channel) in used.enumerate() {
        let Some(channel) = channel else { continue };
        match destinations.get_mut(channel) {
            Some(free @ None) => *free = Some(destination),
            Some(Some(_)) => return Err(Error::RepeatedChannel { argument, channel }),
            None => return Err(Error::Channel { argument, channel, channels }),
        }
    }
    Ok(destinations)
}

/// The channels taken from `a`, zero where there are none, plus those taken from `b`.
fn portable(a: &Tensor, b: &Tensor, sources: &[ChannelSource]) -> Result<Tensor> {
    let pick = |t: &Tensor, of: fn(ChannelSource) -> Option<usize>| -> Result<Tensor> {
        let (n, channels, h, w) = t.dims4()?;
        let zeros = Tensor::zeros((n, 1, h, w), t.dtype(), t.device())?;
        let index = |&source: &ChannelSource| of(source).unwrap_or(channels) as u32;
        let index: Vec<u32> = sources.iter().map(index).collect();
        let index = Tensor::from_vec(index, sources.len(), t.device())?;
        Ok(Tensor::cat(&[t, &zeros], 1)?.index_select(&index, 1)?)
    };
    Ok((pick(a, ChannelSource::first)? + pick(b, ChannelSource::second)?)?)
}

struct Assemble {
    sources: Vec<ChannelSource>,
    /// Of the first and the second input: see [`destinations`].
    destinations: [Vec<Option<usize>>; 2],
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
        let (a, b) = (cpu::slice(a, a_layout)?, cpu::slice(b, b_layout)?);
        let (size, count, level) = (h * w, self.sources.len(), Level::current());
        let out = each_plane(n * count, size, |at, out| {
            let (image, source) = (at / count, self.sources[at % count]);
            let first = |i| &a[(image * a_channels + i) * size..][..size];
            let second = |j| &b[(image * b_channels + j) * size..][..size];
            match source {
                ChannelSource::First(i) => out.copy_from_slice(first(i)),
                ChannelSource::Second(j) => out.copy_from_slice(second(j)),
                ChannelSource::Sum(i, j) => add(level, out, first(i), second(j)),
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
        Ok((self.gradient(a, 0, dy)?, self.gradient(b, 1, dy)?))
    }
}

impl Assemble {
    /// The gradient with respect to an input, zero in the channels that are not used; none if no channel
    /// is used.
    fn gradient(&self, input: &Tensor, which: usize, dy: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let (n, channels, h, w) = input.dims4()?;
        let (size, count, destinations) = (h * w, self.sources.len(), &self.destinations[which]);
        if destinations.iter().all(Option::is_none) {
            return Ok(None);
        }
        let dx = cpu::with_slice(dy, |dy| {
            each_plane(n * channels, size, |at, dx| {
                if let Some(destination) = destinations[at % channels] {
                    dx.copy_from_slice(&dy[(at / channels * count + destination) * size..][..size]);
                }
            })
        })?;
        Ok(Some(cpu::tensor(dx, input.shape())?))
    }
}

/// A buffer of `count` planes of `size` elements, computed in parallel; each is initially zero.
fn each_plane(count: usize, size: usize, f: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let planes = (TASK / size.max(1)).max(1);
    output::chunks(count * size, (planes * size).max(1), |task, out| {
        for (i, out) in out.chunks_exact_mut(size).enumerate() {
            f(task * planes + i, out);
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
    fn channels_come_from_their_sources_and_gradients_go_back_there() {
        for dtype in [DType::F32, DType::F64] {
            // Two images of one pixel.
            let tensor = |values: &[f64]| {
                let t = Tensor::from_slice(values, (2, values.len() / 2, 1, 1), &Device::Cpu).unwrap();
                Var::from_tensor(&t.to_dtype(dtype).unwrap()).unwrap()
            };
            let (a, b) = (tensor(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), tensor(&[10.0, 20.0, 30.0, 40.0]));
            let sources = [ChannelSource::Second(1), ChannelSource::Sum(2, 0), ChannelSource::First(0)];
            let y = assemble_channels(&a, &b, &sources).unwrap();
            let flat =
                |t: &Tensor| t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
            assert_eq!(flat(&y), [20.0, 13.0, 1.0, 40.0, 36.0, 4.0]);

            let weights = tensor(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
            let grads = (y * weights.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
            assert_eq!(flat(grads.get(&a).unwrap()), [3.0, 0.0, 2.0, 6.0, 0.0, 5.0]);
            assert_eq!(flat(grads.get(&b).unwrap()), [2.0, 1.0, 5.0, 4.0]);

            if dtype == DType::F32 {
                let plain = gradients(a.as_tensor(), b.as_tensor(), &sources, weights.as_tensor()).unwrap();
                let [da, db] = plain.map(|gradient| flat(&gradient.unwrap()));
                assert_eq!((da, db), (flat(grads.get(&a).unwrap()), flat(grads.get(&b).unwrap())));
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_rejected() {
        let zeros = |h| Tensor::zeros((1, 2, h, 3), DType::F32, &Device::Cpu).unwrap();
        let error =
            |b, sources: &[ChannelSource]| assemble_channels(&zeros(3), &zeros(b), sources).unwrap_err();
        let first = ChannelSource::First;
        assert!(matches!(error(4, &[first(0)]), Error::Shape { argument: "b", .. }));
        let absent = error(3, &[first(2)]);
        assert!(matches!(absent, Error::Channel { argument: "a", channel: 2, channels: 2 }), "{absent}");
        let repeated = error(3, &[first(1), ChannelSource::Sum(1, 0)]);
        assert!(matches!(repeated, Error::RepeatedChannel { argument: "a", channel: 1 }), "{repeated}");
    }
}
