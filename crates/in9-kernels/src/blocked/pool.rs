//! Pooling in blocks.

use super::{
    lanes::{BLOCK, Lanes, for_each_isa},
    layout::dims,
};
use crate::{
    Result, cpu, output,
    pool::Windows,
    simd::{Arithmetic, Level, for_each_level},
};
use candle_core::Tensor;

/// The mean of each channel: `[batch, channels]` of `[batch, channels / 8, height, width, 8]`.
pub(crate) fn global_avg_pool(x: &Tensor) -> Result<Tensor> {
    let [n, blocks, h, w] = dims("global_avg_pool", x)?;
    let (plane, level) = (h * w * BLOCK, Level::current());
    if plane == 0 {
        return Err(crate::Error::shape("global_avg_pool", "x", "an image of at least one pixel", x.dims()));
    }
    let y = cpu::with_slice(x, |x| {
        let planes = ((1 << 14) / plane).max(1);
        output::chunks(n * blocks * BLOCK, planes * BLOCK, |task, y| {
            for (i, y) in y.chunks_exact_mut(BLOCK).enumerate() {
                mean_of(level, &x[(task * planes + i) * plane..][..plane], y);
            }
        })
    })?;
    Ok(cpu::tensor(y, (n, blocks * BLOCK))?)
}

/// The mean of the pixels of `x` of `[pixels, 8]`.
pub(super) fn mean_of(level: Level, x: &[f32], y: &mut [f32]) {
    // SAFETY: the function needs no promise.
    unsafe { mean(level, x, y) };
}

for_each_isa! {
    /// The mean of the pixels of `x` of `[pixels, 8]`.
    ///
    /// # Safety
    /// None is needed.
    unsafe fn mean<I>(x: &[f32], y: &mut [f32]) {
        // Four sums at a time, and so a rounding error of a quarter of the pixels.
        let mut sums = [I::Eight::splat(0.0); 4];
        let (pixels, _) = x.as_chunks::<BLOCK>();
        for (i, pixel) in pixels.iter().enumerate() {
            // SAFETY: a pixel has eight elements.
            sums[i % 4] = sums[i % 4].add(unsafe { I::Eight::load(pixel.as_ptr()) });
        }
        let sum = sums[0].add(sums[1]).add(sums[2].add(sums[3]));
        let y = &mut y[..BLOCK];
        // SAFETY: `y` has eight elements.
        unsafe { sum.mul(I::Eight::splat(1.0 / pixels.len() as f32)).store_blocks(y.as_mut_ptr(), 0) };
    }
}

/// The greatest value of each channel in each window.
pub(crate) fn max_pool2d(x: &Tensor, windows: &Windows) -> Result<Tensor> {
    let [n, blocks, h, w] = dims("max_pool2d", x)?;
    let [oh, ow] = [windows.rows.len(), windows.columns.len()];
    let level = Level::current();
    let y = cpu::with_slice(x, |x| {
        output::chunks(n * blocks * oh * ow * BLOCK, oh * ow * BLOCK, |plane, y| {
            let x = &x[plane * h * w * BLOCK..][..h * w * BLOCK];
            // SAFETY: the function needs no promise.
            unsafe { pool_plane(level, x, w, windows, y) };
        })
    })?;
    Ok(cpu::tensor(y, (n, blocks, oh, ow, BLOCK))?)
}

for_each_isa! {
    /// Pools `x` of `[height, w, 8]`.
    ///
    /// # Safety
    /// None is needed.
    unsafe fn pool_plane<I>(x: &[f32], w: usize, windows: &Windows, y: &mut [f32]) {
        let mut outputs = y.as_chunks_mut::<BLOCK>().0.iter_mut();
        for rows in &windows.rows {
            for columns in &windows.columns {
                let mut best = I::Eight::splat(f32::NEG_INFINITY);
                for row in rows.clone() {
                    let line = &x[(row * w + columns.start) * BLOCK..(row * w + columns.end) * BLOCK];
                    for pixel in line.as_chunks::<BLOCK>().0 {
                        // SAFETY: a pixel has eight elements.
                        best = best.max_or_nan(unsafe { I::Eight::load(pixel.as_ptr()) });
                    }
                }
                if let Some(y) = outputs.next() {
                    // SAFETY: an output has eight elements.
                    unsafe { best.store_blocks(y.as_mut_ptr(), 0) };
                }
            }
        }
    }
}

/// The gradient of [`max_pool2d`]: that of a window goes to the first of its greatest values.
pub(crate) fn max_pool2d_gradient(x: &Tensor, windows: &Windows, dy: &Tensor) -> Result<Tensor> {
    const OP: &str = "max_pool2d gradients";
    let [n, blocks, h, w] = dims(OP, x)?;
    let [oh, ow] = [windows.rows.len(), windows.columns.len()];
    let expected = [n, blocks, oh, ow, BLOCK];
    if dy.dims() != expected {
        return Err(crate::Error::shape(OP, "dy", format!("{expected:?}"), dy.dims()));
    }
    let (level, plane) = (Level::current(), h * w * BLOCK);
    let dx = cpu::with_slices([Some(x), Some(dy)], |[x, dy]| {
        let [x, dy] = [x, dy].map(Option::unwrap_or_default);
        output::chunks(x.len(), plane.max(1), |at, dx| {
            let dy = &dy[at * oh * ow * BLOCK..][..oh * ow * BLOCK];
            scatter_plane(level, &x[at * plane..][..plane], w, windows, dy, dx);
        })
    })?;
    Ok(cpu::tensor(dx, x.shape())?)
}

for_each_level! {
    /// Adds each gradient where the greatest value of its window and channel is.
    fn scatter_plane(x: &[f32], w: usize, windows: &Windows, dy: &[f32], dx: &mut [f32]) {
        let (x, _) = x.as_chunks::<BLOCK>();
        let mut gradients = dy.as_chunks::<BLOCK>().0.iter();
        for rows in &windows.rows {
            for columns in &windows.columns {
                let Some(gradient) = gradients.next() else { return };
                let first = rows.start * w + columns.start;
                let (mut best, mut at) = (x[first], [first as u32; BLOCK]);
                for row in rows.clone() {
                    for column in columns.clone() {
                        let pixel = row * w + column;
                        for lane in 0..BLOCK {
                            let value = x[pixel][lane];
                            let wins = value > best[lane] || value.is_nan();
                            best[lane] = if wins { value } else { best[lane] };
                            at[lane] = if wins { pixel as u32 } else { at[lane] };
                        }
                    }
                }
                for lane in 0..BLOCK {
                    dx[at[lane] as usize * BLOCK + lane] += gradient[lane];
                }
            }
        }
    }
}
