//! Max pooling.

use super::windows::{Windows, dims4};
use crate::{
    Result, blocked, cpu, output, portable, scratch,
    simd::{Level, for_each_level, vector::LANES},
};
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};
use rayon::prelude::*;
use std::sync::OnceLock;

/// Planes of one parallel task.
const PLANES: usize = 8;

/// Max pooling: the maximum of each window. Padding counts as minus infinity. Differentiable.
///
/// `kernel` and `stride` are `[vertical, horizontal]`, `padding` is `[top, bottom, left, right]`, all in
/// pixels. The gradient of a window goes to its maximum, or to the first of equal maxima in row-major order,
/// as in PyTorch. The maximum of a window that contains NaN is NaN.
///
/// # Shapes
/// - `x`: `[batch, channels, height, width]`
/// - result: `[batch, channels, oh, ow]` with `oh = (height + top + bottom - kernel height) / stride + 1`, rounded
///   down, and `ow` likewise
///
/// # Errors
/// [`Error::Zero`](crate::Error::Zero) for a kernel or stride of 0, [`Error::Padding`](crate::Error::Padding)
/// if the padding is not less than the kernel, [`Error::Shape`](crate::Error::Shape) for another rank or if the
/// padded image is smaller than the kernel.
pub fn max_pool2d(x: &Tensor, kernel: [usize; 2], stride: [usize; 2], padding: [usize; 4]) -> Result<Tensor> {
    if let &[_, _, h, w, _] = x.dims()
        && blocked::is_in_blocks(x)
    {
        return blocked::max_pool2d(x, &Windows::sliding("max_pool2d", [h, w], kernel, stride, padding)?);
    }
    let [_, _, h, w] = dims4("max_pool2d", x)?;
    let windows = Windows::sliding("max_pool2d", [h, w], kernel, stride, padding)?;
    if !cpu::supported(&[x]) {
        #[cfg(feature = "cuda")]
        if let Some(gpu) = crate::gpu::takes(&[x]).filter(|_| crate::gpu::max_pool_fits(kernel)) {
            let sliding = [0, 1].map(|axis| [kernel[axis], stride[axis], padding[2 * axis]]);
            return crate::gpu::max_pool2d(&gpu, x, &windows, sliding);
        }
        return portable::max_pool2d(x, &windows, kernel, stride, padding);
    }
    let row_windows = RowWindows::new(w, windows.columns.len(), kernel[1], stride[1], padding[2]);
    let op = MaxPool { windows, row_windows, record: x.track_op(), argmax: OnceLock::new() };
    Ok(x.contiguous()?.apply_op1(op)?)
}

struct MaxPool {
    windows: Windows,
    row_windows: RowWindows,
    /// Whether the backward pass needs `argmax`.
    record: bool,
    /// For each output the index of its maximum in the plane; set by the forward pass if `record`.
    argmax: OnceLock<Vec<u32>>,
}

/// Maxima of a plane, and their indices in it.
fn pool_plane(windows: &Windows, width: usize, x: &[f32], y: &mut [f32], argmax: &mut [u32]) {
    windows.each(|o, rows, columns| {
        let mut best = rows.start * width + columns.start;
        let mut value = x[best];
        for row in rows.clone() {
            for (column, &v) in columns.clone().zip(&x[row * width + columns.start..]) {
                if v > value || v.is_nan() {
                    (best, value) = (row * width + column, v);
                }
            }
        }
        y[o] = value;
        argmax[o] = best as u32;
    });
}

/// Maxima of all planes, and the index of each in its plane.
fn pool_and_record(windows: &Windows, x: &[f32], plane: usize, width: usize) -> (Vec<f32>, Vec<u32>) {
    let out = windows.len();
    let mut argmax = vec![0u32; x.len() / plane * out];
    let mut y = vec![0f32; argmax.len()];
    y.par_chunks_mut(out)
        .zip(x.par_chunks(plane).zip(argmax.par_chunks_mut(out)))
        .with_min_len(PLANES)
        .for_each(|(y, (x, argmax))| pool_plane(windows, width, x, y, argmax));
    (y, argmax)
}

/// Adds the gradient of each output to the element that was its maximum.
fn scatter(argmax: &[u32], dy: &[f32], out: usize, plane: usize) -> Vec<f32> {
    output::chunks(dy.len() / out * plane, PLANES * plane, |i, dx| {
        let start = i * PLANES * out;
        let outputs = argmax[start..].chunks_exact(out).zip(dy[start..].chunks_exact(out));
        for (dx, (argmax, dy)) in dx.chunks_exact_mut(plane).zip(outputs) {
            for (&index, &dy) in argmax.iter().zip(dy) {
                dx[index as usize] += dy;
            }
        }
    })
}

/// The gradient of [`max_pool2d`]: see [`crate::gradients::max_pool2d`].
pub(crate) fn gradient(
    x: &Tensor,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 4],
    dy: &Tensor,
) -> Result<Tensor> {
    const OP: &str = "max_pool2d gradients";
    if let &[_, _, h, w, _] = x.dims()
        && blocked::is_in_blocks(x)
    {
        let windows = Windows::sliding(OP, [h, w], kernel, stride, padding)?;
        return blocked::max_pool2d_gradient(x, &windows, dy);
    }
    let [n, c, h, w] = dims4(OP, x)?;
    let windows = Windows::sliding(OP, [h, w], kernel, stride, padding)?;
    let expected = [n, c, windows.rows.len(), windows.columns.len()];
    if dy.dims() != expected {
        return Err(crate::Error::shape(OP, "dy", format!("{expected:?}"), dy.dims()));
    }
    if cpu::supported(&[x, dy]) {
        let argmax = cpu::with_slice(x, |x| pool_and_record(&windows, x, h * w, w).1)?;
        let dx = cpu::with_slice(dy, |dy| scatter(&argmax, dy, windows.len(), h * w))?;
        return Ok(cpu::tensor(dx, x.shape())?);
    }
    let y = |t: &[Tensor]| portable::max_pool2d(&t[0], &windows, kernel, stride, padding);
    Ok(portable::gradients(&[x], dy, y)?.pop().unwrap_or(x.zeros_like()?))
}

/// The windows of a row that is padded with minus infinity, so that all of them have the same width.
#[derive(Clone, Copy, Debug)]
struct RowWindows {
    /// Elements of a row of the image.
    width: usize,
    kernel: usize,
    stride: usize,
    /// Padding before the row.
    left: usize,
    /// Elements of the padded row, an even number.
    padded: usize,
}

impl RowWindows {
    fn new(width: usize, outputs: usize, kernel: usize, stride: usize, left: usize) -> Self {
        let reach = outputs.saturating_sub(1) * stride + kernel;
        Self { width, kernel, stride, left, padded: reach.max(left + width).next_multiple_of(2) }
    }

    /// Elements of the scratch buffer: a padded row, then its even and its odd elements.
    fn scratch(&self) -> usize {
        2 * self.padded
    }
}

for_each_level! {
    /// Maxima of a plane: first over the rows of a window, then over its columns.
    fn pool_plane_values(windows: &Windows, row_windows: RowWindows, x: &[f32], y: &mut [f32], scratch: &mut [f32]) {
        let RowWindows { width, kernel, stride, left, padded } = row_windows;
        let (line, halves) = scratch.split_at_mut(padded);
        let (even, odd) = halves.split_at_mut(line.len() / 2);
        line.fill(f32::NEG_INFINITY);
        let outputs = windows.columns.len();
        for (rows, y) in windows.rows.iter().zip(y.chunks_exact_mut(outputs)) {
            let inner = &mut line[left..left + width];
            inner.copy_from_slice(&x[rows.start * width..][..width]);
            for row in rows.start + 1..rows.end {
                max_into(inner, &x[row * width..][..width]);
            }
            if stride == 2 {
                let halves = even.iter_mut().zip(odd.iter_mut());
                for ((even, odd), pair) in halves.zip(line.as_chunks::<2>().0) {
                    (*even, *odd) = (pair[0], pair[1]);
                }
                y.copy_from_slice(&even[..outputs]);
                for tap in 1..kernel {
                    let half = if tap % 2 == 0 { &*even } else { &*odd };
                    max_into(y, &half[tap / 2..][..outputs]);
                }
            } else if stride == 1 {
                y.copy_from_slice(&line[..outputs]);
                for tap in 1..kernel {
                    max_into(y, &line[tap..][..outputs]);
                }
            } else {
                for (o, y) in y.iter_mut().enumerate() {
                    let window = &line[o * stride..][..kernel];
                    *y = window.iter().fold(f32::NEG_INFINITY, |best, &v| max_or_nan(best, v));
                }
            }
        }
    }
}

/// `best = max(best, values)`, sixteen elements at a time, because rows are short.
#[inline(always)]
fn max_into(best: &mut [f32], values: &[f32]) {
    let ((best, best_rest), (values, values_rest)) =
        (best.as_chunks_mut::<LANES>(), values.as_chunks::<LANES>());
    for (best, &v) in best.as_flattened_mut().iter_mut().zip(values.as_flattened()) {
        *best = max_or_nan(*best, v);
    }
    for (best, &v) in best_rest.iter_mut().zip(values_rest) {
        *best = max_or_nan(*best, v);
    }
}

/// The maximum of two values; NaN if `v` is.
#[inline(always)]
fn max_or_nan(best: f32, v: f32) -> f32 {
    if v > best || v.is_nan() { v } else { best }
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "in9-max-pool2d"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n, c, h, w) = layout.shape().dims4()?;
        let (x, out, level) = (cpu::slice(x, layout)?, self.windows.len(), Level::current());
        let y = if self.record {
            let (y, argmax) = pool_and_record(&self.windows, x, h * w, w);
            self.argmax.get_or_init(|| argmax);
            y
        } else {
            output::chunks(n * c * out, PLANES * out, |i, y| {
                let xs = x[i * PLANES * h * w..].chunks_exact(h * w);
                scratch::with(self.row_windows.scratch(), |scratch| {
                    for (y, x) in y.chunks_exact_mut(out).zip(xs) {
                        pool_plane_values(level, &self.windows, self.row_windows, x, y, scratch);
                    }
                });
            })
        };
        let shape = (n, c, self.windows.rows.len(), self.windows.columns.len());
        Ok((CpuStorage::F32(y), shape.into()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let (_, _, h, w) = x.dims4()?;
        let Some(argmax) = self.argmax.get() else {
            candle_core::bail!("max pool: backward before forward");
        };
        let dx = cpu::with_slice(dy, |dy| scatter(argmax, dy, self.windows.len(), h * w))?;
        Ok(Some(cpu::tensor(dx, x.shape())?))
    }
}
