//! From planes to blocks and back.

use super::lanes::BLOCK;
use crate::{Error, Result, cpu, output};
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

/// Rearranges planes to blocks. Not differentiable.
///
/// # Shapes
/// - `x`: `[batch, channels, height, width]`, f32 on the CPU, channels a multiple of eight
/// - result: `[batch, channels / 8, height, width, 8]`
///
/// # Errors
/// [`Error::Shape`] for any other shape.
pub fn to_blocks(x: &Tensor) -> Result<Tensor> {
    let &[n, channels, h, w] = x.dims() else {
        return Err(Error::shape("to_blocks", "x", "[batch, channels, height, width]", x.dims()));
    };
    if !channels.is_multiple_of(BLOCK) {
        return Err(Error::shape("to_blocks", "x", "a multiple of eight channels", x.dims()));
    }
    let plane = h * w;
    let y = cpu::with_slice(x, |x| {
        output::chunks(x.len(), (plane * BLOCK).max(1), |i, y| {
            let planes = &x[i * plane * BLOCK..][..plane * BLOCK];
            for (pixel, y) in y.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
                *y = std::array::from_fn(|c| planes[c * plane + pixel]);
            }
        })
    })?;
    Ok(cpu::tensor(y, (n, channels / BLOCK, h, w, BLOCK))?)
}

/// Rearranges blocks to planes; a tensor in planes is returned as it is. Not differentiable.
///
/// # Shapes
/// - `x`: `[batch, channels / 8, height, width, 8]`, f32 on the CPU
/// - result: `[batch, channels, height, width]`
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
    fn what_is_not_a_multiple_of_eight_is_refused() {
        let x = Tensor::zeros((1, 12, 2, 2), DType::F32, &Device::Cpu).unwrap();
        assert!(to_blocks(&x).unwrap_err().to_string().contains("multiple of eight"));
    }
}
