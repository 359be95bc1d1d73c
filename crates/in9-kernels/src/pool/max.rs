//! Maximum of each window.

use super::windows::{Windows, dims4};
use crate::{
    Result, body, output, portable, scratch,
    simd::{Level, for_each_level, vector::LANES},
};
use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor};
use rayon::prelude::*;
use std::sync::OnceLock;

/// Planes that one task works through.
const PLANES: usize = 8;

/// Maximum of each window; padding counts as minus infinity.
///
/// `x` is `[n, channels, height, width]`; `kernel` and `stride` are `[vertical, horizontal]`,
/// `padding` is `[top, bottom, left, right]`. The gradient of a window goes to its maximum, to the
/// first of several in row order, as in PyTorch. A window that holds a NaN gives NaN.
///
/// # Errors
/// [`crate::Error::Setting`] for a zero kernel or stride, or padding of a whole kernel;
/// [`crate::Error::Shape`] if the padded plane is smaller than the kernel.
pub fn max_pool2d(x: &Tensor, kernel: [usize; 2], stride: [usize; 2], padding: [usize; 4]) -> Result<Tensor> {
    let [_, _, h, w] = dims4("max_pool2d", x)?;
    let windows = Windows::sliding("max_pool2d", [h, w], kernel, stride, padding)?;
    if !body::fused(&[x]) {
        return portable::max_pool2d(x, &windows, kernel, stride, padding);
    }
    let along = Along::new(w, windows.columns.len(), kernel[1], stride[1], padding[2]);
    let op = MaxPool { windows, along, record: x.track_op(), winners: OnceLock::new() };
    Ok(x.contiguous()?.apply_op1(op)?)
}

struct MaxPool {
    windows: Windows,
    along: Along,
    record: bool,
    /// For each output the index of its maximum in the plane; written by the forward pass.
    winners: OnceLock<Vec<u32>>,
}

fn pool_plane(windows: &Windows, width: usize, x: &[f32], y: &mut [f32], winners: &mut [u32]) {
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
        winners[o] = best as u32;
    });
}

/// Maxima, and for each its index in the plane.
fn pool_and_record(windows: &Windows, x: &[f32], plane: usize, width: usize) -> (Vec<f32>, Vec<u32>) {
    let out = windows.len();
    let mut winners = vec![0u32; x.len() / plane * out];
    let mut y = vec![0f32; winners.len()];
    y.par_chunks_mut(out)
        .zip(x.par_chunks(plane).zip(winners.par_chunks_mut(out)))
        .with_min_len(PLANES)
        .for_each(|(y, (x, winners))| pool_plane(windows, width, x, y, winners));
    (y, winners)
}

/// Adds each gradient to its winner.
fn scatter(winners: &[u32], dy: &[f32], out: usize, plane: usize) -> Vec<f32> {
    output::chunks(dy.len() / out * plane, PLANES * plane, |i, dx| {
        let start = i * PLANES * out;
        let outputs = winners[start..].chunks_exact(out).zip(dy[start..].chunks_exact(out));
        for (dx, (winners, dy)) in dx.chunks_exact_mut(plane).zip(outputs) {
            for (&winner, &dy) in winners.iter().zip(dy) {
                dx[winner as usize] += dy;
            }
        }
    })
}

/// See [`crate::gradients::max_pool2d`].
pub(crate) fn gradient(
    x: &Tensor,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 4],
    dy: &Tensor,
) -> Result<Tensor> {
    const OP: &str = "max_pool2d gradients";
    let [n, c, h, w] = dims4(OP, x)?;
    let windows = Windows::sliding(OP, [h, w], kernel, stride, padding)?;
    let expected = [n, c, windows.rows.len(), windows.columns.len()];
    if dy.dims() != expected {
        return Err(crate::Error::shape(OP, "dy", format!("{expected:?}"), dy.dims()));
    }
    if body::fused(&[x, dy]) {
        let winners = body::with_slice(x, |x| pool_and_record(&windows, x, h * w, w).1)?;
        let dx = body::with_slice(dy, |dy| scatter(&winners, dy, windows.len(), h * w))?;
        return Ok(body::tensor(dx, x.shape())?);
    }
    let y = |t: &[Tensor]| portable::max_pool2d(&t[0], &windows, kernel, stride, padding);
    Ok(portable::gradients(&[x], dy, y)?.pop().unwrap_or(x.zeros_like()?))
}

/// The windows along a row, whose ends are filled up with minus infinity so that all are alike.
#[derive(Clone, Copy, Debug)]
struct Along {
    width: usize,
    kernel: usize,
    stride: usize,
    left: usize,
    /// Numbers of a filled up row, an even number.
    line: usize,
}

impl Along {
    fn new(width: usize, outputs: usize, kernel: usize, stride: usize, left: usize) -> Self {
        let reach = outputs.saturating_sub(1) * stride + kernel;
        Self { width, kernel, stride, left, line: reach.max(left + width).next_multiple_of(2) }
    }

    /// Numbers of working memory: a row, and its even and its odd ones.
    fn scratch(&self) -> usize {
        2 * self.line
    }
}

for_each_level! {
    /// The maxima of a plane: first down the columns, then along the line.
    fn pool_plane_values(windows: &Windows, along: Along, x: &[f32], y: &mut [f32], scratch: &mut [f32]) {
        let Along { width, kernel, stride, left, line } = along;
        let (line, halves) = scratch.split_at_mut(line);
        let (even, odd) = halves.split_at_mut(line.len() / 2);
        line.fill(f32::NEG_INFINITY);
        let outputs = windows.columns.len();
        for (rows, y) in windows.rows.iter().zip(y.chunks_exact_mut(outputs)) {
            let inner = &mut line[left..left + width];
            inner.copy_from_slice(&x[rows.start * width..][..width]);
            for row in rows.start + 1..rows.end {
                raise(inner, &x[row * width..][..width]);
            }
            if stride == 2 {
                let halves = even.iter_mut().zip(odd.iter_mut());
                for ((even, odd), pair) in halves.zip(line.as_chunks::<2>().0) {
                    (*even, *odd) = (pair[0], pair[1]);
                }
                y.copy_from_slice(&even[..outputs]);
                for tap in 1..kernel {
                    let half = if tap % 2 == 0 { &*even } else { &*odd };
                    raise(y, &half[tap / 2..][..outputs]);
                }
            } else if stride == 1 {
                y.copy_from_slice(&line[..outputs]);
                for tap in 1..kernel {
                    raise(y, &line[tap..][..outputs]);
                }
            } else {
                for (o, y) in y.iter_mut().enumerate() {
                    let window = &line[o * stride..][..kernel];
                    *y = window.iter().fold(f32::NEG_INFINITY, |best, &v| greater(best, v));
                }
            }
        }
    }
}

/// Puts the greater of each pair into `best`, sixteen at a time: rows are short.
#[inline(always)]
fn raise(best: &mut [f32], values: &[f32]) {
    let ((best, best_rest), (values, values_rest)) =
        (best.as_chunks_mut::<LANES>(), values.as_chunks::<LANES>());
    for (best, &v) in best.as_flattened_mut().iter_mut().zip(values.as_flattened()) {
        *best = greater(*best, v);
    }
    for (best, &v) in best_rest.iter_mut().zip(values_rest) {
        *best = greater(*best, v);
    }
}

/// The greater of two numbers; NaN if one of them is.
#[inline(always)]
fn greater(best: f32, v: f32) -> f32 {
    if v > best || v.is_nan() { v } else { best }
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "in9-max-pool2d"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n, c, h, w) = layout.shape().dims4()?;
        let (x, out, level) = (body::slice(x, layout)?, self.windows.len(), Level::current());
        let y = if self.record {
            let (y, winners) = pool_and_record(&self.windows, x, h * w, w);
            self.winners.get_or_init(|| winners);
            y
        } else {
            output::chunks(n * c * out, PLANES * out, |i, y| {
                let xs = x[i * PLANES * h * w..].chunks_exact(h * w);
                scratch::with(self.along.scratch(), |scratch| {
                    for (y, x) in y.chunks_exact_mut(out).zip(xs) {
                        pool_plane_values(level, &self.windows, self.along, x, y, scratch);
                    }
                });
            })
        };
        let shape = (n, c, self.windows.rows.len(), self.windows.columns.len());
        Ok((CpuStorage::F32(y), shape.into()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let (_, _, h, w) = x.dims4()?;
        let Some(winners) = self.winners.get() else {
            candle_core::bail!("max pool: backward before forward");
        };
        let dx = body::with_slice(dy, |dy| scatter(winners, dy, self.windows.len(), h * w))?;
        Ok(Some(body::tensor(dx, x.shape())?))
    }
}
