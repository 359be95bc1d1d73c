//! A tensor assembled from the channels of two others, in blocks.

use super::{lanes::BLOCK, layout::dims};
use crate::{
    ChannelSource, Error, Result,
    channels::destinations,
    cpu, output,
    simd::{Level, for_each_level},
};
use candle_core::Tensor;

/// What a block of the result is made of.
enum Part {
    /// One block of the first tensor, as it is.
    First(usize),
    /// One block of the second tensor, as it is.
    Second(usize),
    /// The sum of a block of each.
    Sum(usize, usize),
    /// Lane by lane; none is zero.
    Lanes([Option<ChannelSource>; BLOCK]),
}

impl Part {
    fn of(sources: &[ChannelSource]) -> Self {
        let whole = |of: fn(ChannelSource) -> Option<usize>| {
            let first = sources.first().copied().and_then(of)?;
            let together = sources.iter().enumerate().all(|(i, &source)| of(source) == Some(first + i));
            (sources.len() == BLOCK && first.is_multiple_of(BLOCK) && together).then_some(first / BLOCK)
        };
        match (whole(ChannelSource::first), whole(ChannelSource::second)) {
            (Some(a), Some(b)) => Self::Sum(a, b),
            (Some(a), None) if sources.iter().all(|source| source.second().is_none()) => Self::First(a),
            (None, Some(b)) if sources.iter().all(|source| source.first().is_none()) => Self::Second(b),
            _ => Self::Lanes(std::array::from_fn(|i| sources.get(i).copied())),
        }
    }
}

/// See [`crate::assemble_channels`].
pub(crate) fn assemble_channels(a: &Tensor, b: &Tensor, sources: &[ChannelSource]) -> Result<Tensor> {
    const OP: &str = "assemble_channels";
    let [n, a_blocks, h, w] = dims(OP, a)?;
    let [b_n, b_blocks, b_h, b_w] = dims(OP, b)?;
    if [b_n, b_h, b_w] != [n, h, w] {
        return Err(Error::shape(OP, "b", format!("[{n}, channels / 8, {h}, {w}, 8]"), b.dims()));
    }
    destinations("a", sources.iter().map(|source| source.first()), a_blocks * BLOCK)?;
    destinations("b", sources.iter().map(|source| source.second()), b_blocks * BLOCK)?;
    let parts: Vec<Part> = sources.chunks(BLOCK).map(Part::of).collect();
    let (plane, level) = (h * w * BLOCK, Level::current());
    let y = cpu::with_slices([Some(a), Some(b)], |[a, b]| {
        let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
        output::chunks(n * parts.len() * plane, plane.max(1), |at, y| {
            let image = at / parts.len();
            let first = |block: usize| &a[(image * a_blocks + block) * plane..][..plane];
            let second = |block: usize| &b[(image * b_blocks + block) * plane..][..plane];
            match &parts[at % parts.len()] {
                Part::First(block) => y.copy_from_slice(first(*block)),
                Part::Second(block) => y.copy_from_slice(second(*block)),
                Part::Sum(i, j) => sum(level, first(*i), second(*j), y),
                Part::Lanes(lanes) if lanes.iter().all(|lane| lane.is_some_and(|lane| !lane.is_sum())) => {
                    // A shuffle: every lane has one source.
                    let from = lanes.map(|lane| match lane {
                        Some(ChannelSource::First(channel)) => &first(channel / BLOCK)[channel % BLOCK..],
                        Some(ChannelSource::Second(channel)) => &second(channel / BLOCK)[channel % BLOCK..],
                        _ => &[],
                    });
                    for (pixel, y) in y.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
                        for (y, from) in y.iter_mut().zip(from) {
                            *y = from[pixel * BLOCK];
                        }
                    }
                }
                Part::Lanes(lanes) => {
                    for (lane, source) in lanes.iter().enumerate() {
                        let Some(source) = source else { continue };
                        // The output is zero before.
                        let from_a = source.first().map(|channel| (first(channel / BLOCK), channel % BLOCK));
                        let from_b =
                            source.second().map(|channel| (second(channel / BLOCK), channel % BLOCK));
                        for (x, from) in [from_a, from_b].into_iter().flatten() {
                            let x = x.iter().skip(from).step_by(BLOCK);
                            y.iter_mut().skip(lane).step_by(BLOCK).zip(x).for_each(|(y, x)| *y += x);
                        }
                    }
                }
            }
        })
    })?;
    Ok(cpu::tensor(y, (n, parts.len(), h, w, BLOCK))?)
}

for_each_level! {
    fn sum(a: &[f32], b: &[f32], y: &mut [f32]) {
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            *y = a + b;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocked::{to_blocks, to_planes};
    use candle_core::Device;

    #[test]
    fn the_channels_are_those_of_planes() {
        let tensor = |channels: usize, from: f32| {
            let len = 2 * channels * 6;
            let x = Tensor::arange(from, from + len as f32, &Device::Cpu).unwrap();
            x.reshape((2, channels, 2, 3)).unwrap()
        };
        let (a, b) = (tensor(24, 0.0), tensor(20, 1000.0));
        use ChannelSource::{First, Second, Sum};
        let shuffled = (0..22).map(|i| if i % 2 == 0 { First(i / 2) } else { Second(i / 2) });
        let blocks = (8..16).map(First).chain((0..8).map(Second)).chain((0..8).map(|i| Sum(16 + i, 8 + i)));
        for sources in [shuffled.collect::<Vec<_>>(), blocks.collect(), vec![Second(19), First(0)]] {
            let expected = crate::assemble_channels(&a, &b, &sources).unwrap();
            let (a, b) = (to_blocks(&a).unwrap(), to_blocks(&b).unwrap());
            let found = to_planes(&crate::assemble_channels(&a, &b, &sources).unwrap()).unwrap();
            let found = found.narrow(1, 0, sources.len()).unwrap();
            let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(values(&found), values(&expected));
        }
    }
}
