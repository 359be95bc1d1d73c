//! Pooling.

use super::strided;
use crate::{Result, pool::Windows};
use candle_core::Tensor;
use std::ops::Range;

/// As [`crate::max_pool2d`], as a running maximum over the taps of the kernel.
pub(crate) fn max_pool2d(
    x: &Tensor,
    windows: &Windows,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 4],
) -> Result<Tensor> {
    let [top, bottom, left, right] = padding;
    let x = pad(&pad(x, 2, top, bottom)?, 3, left, right)?;
    let (oh, ow) = (windows.rows.len(), windows.columns.len());
    let mut best: Option<Tensor> = None;
    for ky in 0..kernel[0] {
        let row = strided(&x, 2, ky, oh, stride[0])?;
        for kx in 0..kernel[1] {
            let tap = strided(&row, 3, kx, ow, stride[1])?.contiguous()?;
            best = Some(match best {
                // A tap replaces the maximum if it is greater, so that the first of equal maxima gets the
                // gradient, or if it is NaN, which no later tap replaces.
                Some(best) => (tap.gt(&best)? + tap.ne(&tap)?)?.where_cond(&tap, &best)?,
                None => tap,
            });
        }
    }
    match best {
        Some(best) => Ok(best),
        None => Ok(x),
    }
}

/// Pads a dimension with minus infinity.
fn pad(x: &Tensor, dim: usize, before: usize, after: usize) -> Result<Tensor> {
    let border = |count: usize| -> Result<Option<Tensor>> {
        if count == 0 {
            return Ok(None);
        }
        let mut shape = x.dims().to_vec();
        shape[dim] = count;
        let border = Tensor::full(f32::NEG_INFINITY, shape, x.device())?.to_dtype(x.dtype())?;
        Ok(Some(border))
    };
    let parts = [border(before)?, Some(x.clone()), border(after)?];
    let parts: Vec<Tensor> = parts.into_iter().flatten().collect();
    Ok(Tensor::cat(&parts, dim)?)
}

/// As [`crate::avg_pool2d`] and [`crate::adaptive_avg_pool2d`], as a matrix product with a membership matrix
/// of rows from the left and one of columns from the right.
pub(crate) fn avg_pool2d(x: &Tensor, windows: &Windows, divisor: Option<usize>) -> Result<Tensor> {
    let (n, c, h, w) = x.dims4()?;
    let (oh, ow) = (windows.rows.len(), windows.columns.len());
    let membership = |ranges: &[Range<usize>], size: usize| -> Result<Tensor> {
        let weight = |range: &Range<usize>| match divisor {
            Some(_) => 1.0,
            None => 1.0 / range.len() as f64,
        };
        let matrix: Vec<f64> = ranges
            .iter()
            .flat_map(|r| (0..size).map(|i| if r.contains(&i) { weight(r) } else { 0.0 }))
            .collect();
        let matrix = Tensor::from_vec(matrix, (ranges.len(), size), &candle_core::Device::Cpu)?;
        Ok(matrix.to_dtype(x.dtype())?.to_device(x.device())?)
    };
    let rows = membership(&windows.rows, h)?;
    let columns = membership(&windows.columns, w)?;
    let x = x.contiguous()?.reshape((n * c * h, w))?;
    let across = x.matmul(&columns.t()?)?.reshape((n * c, h, ow))?;
    let across = across.transpose(1, 2)?.contiguous()?.reshape((n * c * ow, h))?;
    let down = across.matmul(&rows.t()?)?.reshape((n * c, ow, oh))?;
    let y = down.transpose(1, 2)?.contiguous()?.reshape((n, c, oh, ow))?;
    match divisor {
        Some(divisor) => Ok(y.affine(1.0 / divisor as f64, 0.0)?),
        None => Ok(y),
    }
}
