//! Maximum of each window.

use super::windows::{Windows, dims4};
use crate::{Result, body, portable};
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
    let op = MaxPool { windows, record: x.track_op(), winners: OnceLock::new() };
    Ok(x.contiguous()?.apply_op1(op)?)
}

struct MaxPool {
    windows: Windows,
    record: bool,
    /// For each output the index of its maximum in the plane; written by the forward pass.
    winners: OnceLock<Vec<u32>>,
}

fn pool_plane(windows: &Windows, width: usize, x: &[f32], y: &mut [f32], mut winners: Option<&mut [u32]>) {
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
        if let Some(winners) = &mut winners {
            winners[o] = best as u32;
        }
    });
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "in9-max-pool2d"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n, c, h, w) = layout.shape().dims4()?;
        let (x, out) = (body::slice(x, layout)?, self.windows.len());
        let mut y = vec![0f32; n * c * out];
        if self.record {
            let mut winners = vec![0u32; y.len()];
            y.par_chunks_mut(out)
                .zip(x.par_chunks(h * w).zip(winners.par_chunks_mut(out)))
                .with_min_len(PLANES)
                .for_each(|(y, (x, winners))| pool_plane(&self.windows, w, x, y, Some(winners)));
            self.winners.get_or_init(|| winners);
        } else {
            y.par_chunks_mut(out)
                .zip(x.par_chunks(h * w))
                .with_min_len(PLANES)
                .for_each(|(y, x)| pool_plane(&self.windows, w, x, y, None));
        }
        let shape = (n, c, self.windows.rows.len(), self.windows.columns.len());
        Ok((CpuStorage::F32(y), shape.into()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, dy: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let (_, _, h, w) = x.dims4()?;
        let (out, Some(winners)) = (self.windows.len(), self.winners.get()) else {
            candle_core::bail!("max pool: backward before forward");
        };
        let mut dx = vec![0f32; x.elem_count()];
        body::with_slice(dy, |dy| {
            dx.par_chunks_mut(h * w)
                .zip(dy.par_chunks(out).zip(winners.par_chunks(out)))
                .with_min_len(PLANES)
                .for_each(|(dx, (dy, winners))| {
                    for (&winner, &dy) in winners.iter().zip(dy) {
                        dx[winner as usize] += dy;
                    }
                });
        })?;
        Ok(Some(body::tensor(dx, x.shape())?))
    }
}
