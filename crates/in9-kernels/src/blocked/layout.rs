//! From planes to blocks and back.

use super::lanes::BLOCK;
use crate::{Conv2dConfig, Error, Result, cpu, output};
use candle_core::Tensor;

/// Whether a tensor is in blocks: it has five dimensions, the last of eight.
pub fn is_in_blocks(x: &Tensor) -> bool {
    x.rank() == 5 && x.dims()[4] == BLOCK
}

/// Sizes of a tensor in blocks: batch, blocks, height, width.
pub(crate) fn dims(op: &'static str, x: &Tensor) -> Result<[usize; 4]> {
    match x.dims() {
        &[n, blocks, h, w, BLOCK] => Ok([n, blocks, h, w]),
        dims => Err(Error::shape(op, "x", "[batch, channels / 8, height, width, 8]", dims)),
    }
}

/// Batch, channels, height and width of the image of a convolution with filters `w`. In blocks, the last block may have
/// lanes that no channel is in.
pub(crate) fn channels_of(x: &Tensor, w: &Tensor, config: &Conv2dConfig) -> Vec<usize> {
    let &[n, blocks, height, width, lanes] = x.dims() else { return x.dims().to_vec() };
    let channels = w.dims().get(1).map_or(0, |inputs| inputs * config.groups);
    let fits = channels.div_ceil(lanes) == blocks;
    vec![n, if fits { channels } else { blocks * lanes }, height, width]
}

/// Rearranges planes to blocks. Not differentiable.
///
/// # Shapes
/// - `x`: `[batch, channels, height, width]`, f32 on the CPU
/// - result: `[batch, channels / 8, height, width, 8]`, `channels / 8` rounded up; the lanes without a channel are zero
///
/// # Errors
/// [`Error::Shape`] for any other shape.
pub fn to_blocks(x: &Tensor) -> Result<Tensor> {
    let &[n, channels, h, w] = x.dims() else {
        return Err(Error::shape("to_blocks", "x", "[batch, channels, height, width]", x.dims()));
    };
    let (plane, blocks) = (h * w, channels.div_ceil(BLOCK));
    let y = cpu::with_slice(x, |x| {
        output::chunks(n * blocks * plane * BLOCK, (plane * BLOCK).max(1), |i, y| {
            let (image, first) = (i / blocks, i % blocks * BLOCK);
            let planes = &x[(image * channels + first) * plane..][..(channels - first).min(BLOCK) * plane];
            for (c, plane) in planes.chunks_exact(plane).enumerate() {
                y.iter_mut().skip(c).step_by(BLOCK).zip(plane).for_each(|(y, x)| *y = *x);
            }
        })
    })?;
    Ok(cpu::tensor(y, (n, blocks, h, w, BLOCK))?)
}

/// Rearranges blocks to planes; a tensor in planes is returned as it is. Not differentiable.
///
/// # Shapes
/// - `x`: `[batch, channels / 8, height, width, 8]`, f32 on the CPU
/// - result: `[batch, channels, height, width]`, with those of lanes that no channel is in
///
/// # Errors
/// [`Error::Candle`] for what Candle reports.
pub fn to_planes(x: &Tensor) -> Result<Tensor> {
    if !is_in_blocks(x) {
        return Ok(x.clone());
    }
    let [n, blocks, h, w] = dims("to_planes", x)?;
    let plane = h * w;
    let y = cpu::with_slice(x, |x| {
        output::chunks(x.len(), (plane * BLOCK).max(1), |i, y| {
            let (pixels, _) = x[i * plane * BLOCK..][..plane * BLOCK].as_chunks::<BLOCK>();
            for (c, y) in y.chunks_exact_mut(plane).enumerate() {
                y.iter_mut().zip(pixels).for_each(|(y, pixel)| *y = pixel[c]);
            }
        })
    })?;
    Ok(cpu::tensor(y, (n, blocks * BLOCK, h, w))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    #[test]
    fn there_and_back_is_the_same_tensor() {
        let x = Tensor::arange(0f32, 2. * 24. * 15., &Device::Cpu).unwrap().reshape((2, 24, 5, 3)).unwrap();
        let blocks = to_blocks(&x).unwrap();
        assert_eq!(blocks.dims(), [2, 3, 5, 3, 8]);
        // Channel 9 is the second of the second block.
        let one: Vec<f32> = blocks.get(1).unwrap().get(1).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        assert_eq!(one[8 * 7 + 1], (24 * 15 + 9 * 15 + 7) as f32);
        let back = to_planes(&blocks).unwrap();
        let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!((back.dims(), values(&back)), (x.dims(), values(&x)));
    }

    #[test]
    fn lanes_without_a_channel_are_zero() {
        let x = Tensor::ones((2, 11, 2, 1), DType::F32, &Device::Cpu).unwrap();
        let back = to_planes(&to_blocks(&x).unwrap()).unwrap();
        assert_eq!(back.dims(), [2, 16, 2, 1]);
        let sums: Vec<f32> = back.sum((0, 2, 3)).unwrap().to_vec1().unwrap();
        assert_eq!(sums, [[4.0; 11].as_slice(), &[0.0; 5]].concat());
    }
}
