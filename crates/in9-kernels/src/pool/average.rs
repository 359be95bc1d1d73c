//! Average pooling.

use super::windows::{Windows, dims4};
use crate::{
    Result, blocked, cpu, output, portable,
    simd::{Level, for_each_level, loops::pairwise_sum, vector::LANES},
};
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};

/// About how many elements one parallel task handles.
const TASK: usize = 1 << 14;

/// Planes of one parallel task.
fn planes_per_task(plane: usize) -> usize {
    (TASK / plane.max(1)).max(1)
}

/// Average pooling: the mean of each window. Differentiable.
///
/// `kernel`, `stride` and `padding` are as for [`crate::max_pool2d`]. With `count_include_pad` (PyTorch's
/// default) every sum is divided by the size of the kernel, otherwise by the number of pixels of the window
/// that are inside the image.
///
/// # Shapes
/// As for [`crate::max_pool2d`].
///
/// # Errors
/// As for [`crate::max_pool2d`].
pub fn avg_pool2d(
    x: &Tensor,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 4],
    count_include_pad: bool,
) -> Result<Tensor> {
    let [_, _, h, w] = dims4("avg_pool2d", x)?;
    let windows = Windows::sliding("avg_pool2d", [h, w], kernel, stride, padding)?;
    let divisor = count_include_pad.then_some(kernel[0] * kernel[1]);
    #[cfg(feature = "cuda")]
    if let Some(gpu) = crate::gpu::takes(&[x]) {
        let sliding = [0, 1].map(|axis| [kernel[axis], stride[axis], padding[2 * axis]]);
        return crate::gpu::avg_pool2d(&gpu, x, &windows, Some(sliding), divisor);
    }
    apply(x, windows, divisor)
}

/// Adaptive average pooling: the means of `out = [rows, columns]` parts of nearly equal size, as
/// `torch.nn.AdaptiveAvgPool2d`. Differentiable.
///
/// # Shapes
/// - `x`: `[batch, channels, height, width]`
/// - result: `[batch, channels, rows, columns]`
///
/// # Errors
/// [`Error::Zero`](crate::Error::Zero) for a zero in `out`, [`Error::Shape`](crate::Error::Shape) for another
/// rank or an image without pixels.
pub fn adaptive_avg_pool2d(x: &Tensor, out: [usize; 2]) -> Result<Tensor> {
    let [_, _, h, w] = dims4("adaptive_avg_pool2d", x)?;
    let windows = Windows::adaptive("adaptive_avg_pool2d", [h, w], out)?;
    #[cfg(feature = "cuda")]
    if let Some(gpu) = crate::gpu::takes(&[x]) {
        return crate::gpu::avg_pool2d(&gpu, x, &windows, None, None);
    }
    apply(x, windows, None)
}

/// Global average pooling: the mean of each channel of each image. Differentiable.
///
/// # Shapes
/// - `x`: `[batch, channels, height, width]`
/// - result: `[batch, channels]`
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) for another rank or an image without pixels.
pub fn global_avg_pool(x: &Tensor) -> Result<Tensor> {
    if blocked::is_in_blocks(x) {
        return blocked::global_avg_pool(x);
    }
    let [n, c, h, w] = dims4("global_avg_pool", x)?;
    let windows = Windows::adaptive("global_avg_pool", [h, w], [1, 1])?;
    #[cfg(feature = "cuda")]
    if let Some(gpu) = crate::gpu::takes(&[x]) {
        return crate::gpu::global_avg_pool(&gpu, x);
    }
    Ok(apply(x, windows, None)?.reshape((n, c))?)
}

fn apply(x: &Tensor, windows: Windows, divisor: Option<usize>) -> Result<Tensor> {
    let pool = AvgPool { windows, divisor };
    if !cpu::supported(&[x]) {
        return portable::avg_pool2d(x, &pool.windows, pool.divisor);
    }
    Ok(x.contiguous()?.apply_op1(pool)?)
}

struct AvgPool {
    windows: Windows,
    /// The divisor of every sum; none if it is the number of pixels of the window.
    divisor: Option<usize>,
}

impl AvgPool {
    /// The reciprocal divisor of a window of `pixels` pixels.
    fn weight(&self, pixels: usize) -> f32 {
        1.0 / self.divisor.unwrap_or(pixels) as f32
    }
}

impl CustomOp1 for AvgPool {
    fn name(&self) -> &'static str {
        "in9-avg-pool2d"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n, c, h, w) = layout.shape().dims4()?;
        let (x, out, level) = (cpu::slice(x, layout)?, self.windows.len(), Level::current());
        let planes = planes_per_task(h * w);
        let y = output::chunks(n * c * out, planes * out, |i, y| {
            let xs = x[i * planes * h * w..].chunks_exact(h * w);
            for (y, x) in y.chunks_exact_mut(out).zip(xs) {
                self.windows.each(|o, rows, columns| {
                    let sum = if columns.len() == w {
                        sum(level, &x[rows.start * w..rows.end * w])
                    } else {
                        let row = |r: usize| x[r * w..][columns.clone()].iter().sum::<f32>();
                        rows.clone().map(row).sum::<f32>()
                    };
                    y[o] = sum * self.weight(rows.len() * columns.len());
                });
            }
        });
        let shape = (n, c, self.windows.rows.len(), self.windows.columns.len());
        Ok((CpuStorage::F32(y), shape.into()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let (_, _, h, w) = x.dims4()?;
        let (out, planes) = (self.windows.len(), planes_per_task(h * w));
        let dx = cpu::with_slice(dy, |dy| {
            output::chunks(x.elem_count(), planes * h * w, |i, dx| {
                let dys = dy[i * planes * out..].chunks_exact(out);
                for (dx, dy) in dx.chunks_exact_mut(h * w).zip(dys) {
                    self.windows.each(|o, rows, columns| {
                        let d = dy[o] * self.weight(rows.len() * columns.len());
                        for row in rows.clone() {
                            for dx in &mut dx[row * w..][columns.clone()] {
                                *dx += d;
                            }
                        }
                    });
                }
            })
        })?;
        Ok(Some(cpu::tensor(dx, x.shape())?))
    }
}

for_each_level! {
    /// The sum of all elements, as independent partial sums that are added up at the end.
    fn sum(x: &[f32]) -> f32 {
        const WIDE: usize = 4 * LANES;
        let mut wide = [0f32; WIDE];
        let (whole, rest) = x.as_chunks::<WIDE>();
        for x in whole {
            for (sum, x) in wide.iter_mut().zip(x) {
                *sum += x;
            }
        }
        let mut sums = [0f32; LANES];
        for wide in wide.as_chunks::<LANES>().0 {
            for (sum, wide) in sums.iter_mut().zip(wide) {
                *sum += wide;
            }
        }
        let (whole, rest) = rest.as_chunks::<LANES>();
        for x in whole {
            for (sum, x) in sums.iter_mut().zip(x) {
                *sum += x;
            }
        }
        for (sum, x) in sums.iter_mut().zip(rest) {
            *sum += x;
        }
        pairwise_sum(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_summed_at_every_level() {
        // Small integers: every sum is exact.
        for n in [1, 15, 16, 17, 49, 63, 64, 65, 196, 1000] {
            let x: Vec<f32> = (0..n).map(|i| (i % 11) as f32 - 4.0).collect();
            for level in Level::available() {
                assert_eq!(sum(level, &x), x.iter().sum::<f32>(), "{level:?} {n}");
            }
        }
    }
}
