//! The fully connected layer.

use crate::{
    Error, Result, cpu, output, scratch,
    simd::{
        Level, Vector,
        gemm::{View, gemm},
        loops::pairwise_sum,
        vector::{LANES, for_each_vector},
    },
};
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Shape, Tensor};
use rayon::prelude::*;

/// Images of one parallel task. Missing images are padded with zeros in matrix products, so that the
/// rounding of an image does not depend on the size of its batch.
const IMAGES: usize = 16;
/// Outputs of one parallel task, in the forward pass and in the gradient with respect to the weights.
const OUTPUTS: usize = 64;
/// Columns of one parallel task in the gradient with respect to `x`.
const COLUMNS: usize = 512;

/// The fully connected layer, `x wᵀ + bias`. Differentiable with respect to all arguments.
///
/// # Shapes
/// - `x`: `[batch, in]`
/// - `w`: `[out, in]`
/// - `bias`: `[out]`
/// - result: `[batch, out]`
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit.
pub fn linear(x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    const OP: &str = "linear";
    let &[out, inputs] = w.dims() else {
        return Err(Error::shape(OP, "w", "[out, in]", w.dims()));
    };
    if x.rank() != 2 || x.dims()[1] != inputs {
        return Err(Error::shape(OP, "x", format!("[batch, {inputs}]"), x.dims()));
    }
    if let Some(bias) = bias
        && bias.dims() != [out]
    {
        return Err(Error::shape(OP, "bias", format!("[{out}]"), bias.dims()));
    }
    if cpu::supported(&[x, w]) && bias.is_none_or(|bias| cpu::supported(&[bias])) {
        let (x, w) = (x.contiguous()?, w.contiguous()?);
        return Ok(match bias {
            Some(bias) => x.apply_op3(&w, &bias.contiguous()?, Linear)?,
            None => x.apply_op2(&w, Linear)?,
        });
    }
    #[cfg(feature = "cuda")]
    if let Some(gpu) = crate::gpu::takes(&[x, w]) {
        return crate::gpu::linear(&gpu, x, w, bias);
    }
    let y = x.matmul(&w.t()?)?;
    match bias {
        Some(bias) => Ok(y.broadcast_add(bias)?),
        None => Ok(y),
    }
}

struct Linear;

/// `[n, out]`. Every [`IMAGES`] images read the weights once, which are much larger than the inputs.
fn forward(x: &[f32], w: &[f32], bias: Option<&[f32]>, [n, inputs, out]: [usize; 3]) -> Vec<f32> {
    let level = Level::current();
    let task = |first: usize, block: usize, mut y: Vec<&mut [f32]>| {
        let start = block * OUTPUTS;
        let x = &x[first * inputs..(first + y.len()) * inputs];
        let w = &w[start * inputs..];
        dots(level, x, w, inputs, &mut y);
        if let Some(bias) = bias {
            for y in y {
                y.iter_mut().zip(&bias[start..]).for_each(|(y, bias)| *y += bias);
            }
        }
    };
    output::blocks([n, out], IMAGES, OUTPUTS, task).0
}

for_each_vector! {
    /// `y[image][o] = Σ x[image] * w[o]`. Every dot product is sixteen partial sums in the order of the
    /// inputs, then their pairwise sum, whichever tile computes it.
    fn dots<V>(x: &[f32], w: &[f32], inputs: usize, y: &mut [&mut [f32]]) {
        // As many sums as fit in registers beside the factors.
        if V::ROWS > 6 { tiles::<V, 4>(x, w, inputs, y) } else { tiles::<V, 2>(x, w, inputs, y) }
    }
}

#[inline(always)]
fn tiles<V: Vector, const SIDE: usize>(x: &[f32], w: &[f32], inputs: usize, y: &mut [&mut [f32]]) {
    let outputs = y.first().map_or(0, |y| y.len());
    let mut o = 0;
    while o < outputs {
        let wide = if outputs - o >= SIDE { SIDE } else { 1 };
        let mut image = 0;
        while image < y.len() {
            let tall = if y.len() - image >= SIDE { SIDE } else { 1 };
            let (x, w) = (&x[image * inputs..], &w[o * inputs..]);
            let y = &mut y[image..image + tall];
            match (tall == SIDE, wide == SIDE) {
                (true, true) => tile::<V, SIDE, SIDE>(x, w, inputs, y, o),
                (true, false) => tile::<V, SIDE, 1>(x, w, inputs, y, o),
                (false, true) => tile::<V, 1, SIDE>(x, w, inputs, y, o),
                (false, false) => tile::<V, 1, 1>(x, w, inputs, y, o),
            }
            image += tall;
        }
        o += wide;
    }
}

/// The sums of `R` images and `C` outputs, the first of them `o`.
#[inline(always)]
fn tile<V: Vector, const R: usize, const C: usize>(
    x: &[f32],
    w: &[f32],
    inputs: usize,
    y: &mut [&mut [f32]],
    o: usize,
) {
    let whole = inputs / LANES;
    let x: [&[f32]; R] = std::array::from_fn(|r| &x[r * inputs..(r + 1) * inputs]);
    let w: [&[f32]; C] = std::array::from_fn(|c| &w[c * inputs..(c + 1) * inputs]);
    let mut sums = [[V::splat(0.0); C]; R];
    {
        let x = x.map(|x| &x.as_chunks::<LANES>().0[..whole]);
        let w = w.map(|w| &w.as_chunks::<LANES>().0[..whole]);
        for k in 0..whole {
            let w: [V; C] = std::array::from_fn(|c| V::load(&w[c][k]));
            for (x, sums) in x.iter().zip(&mut sums) {
                let x = V::load(&x[k]);
                for (sum, w) in sums.iter_mut().zip(w) {
                    *sum = x.mul_add(w, *sum);
                }
            }
        }
    }
    let w: [V; C] = std::array::from_fn(|c| V::load_part(&w[c][whole * LANES..]));
    for ((x, mut sums), y) in x.into_iter().zip(sums).zip(y) {
        let x = V::load_part(&x[whole * LANES..]);
        for (c, (sum, w)) in sums.iter_mut().zip(w).enumerate() {
            let mut lanes = [0f32; LANES];
            x.mul_add(w, *sum).store(&mut lanes);
            y[o + c] = pairwise_sum(lanes);
        }
    }
}

impl Linear {
    fn forward(
        x: (&CpuStorage, &Layout),
        w: (&CpuStorage, &Layout),
        bias: Option<&[f32]>,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (n, inputs) = x.1.shape().dims2()?;
        let (out, _) = w.1.shape().dims2()?;
        let y = forward(cpu::slice(x.0, x.1)?, cpu::slice(w.0, w.1)?, bias, [n, inputs, out]);
        Ok((CpuStorage::F32(y), (n, out).into()))
    }
}

impl CustomOp2 for Linear {
    fn name(&self) -> &'static str {
        "in9-linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        Self::forward((x, x_layout), (w, w_layout), None)
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let (dx, dw) = gradients(x, w, dy)?;
        Ok((dx, Some(dw)))
    }
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "in9-linear-bias"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        Self::forward((x, x_layout), (w, w_layout), Some(cpu::slice(bias, bias_layout)?))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (dx, dw) = gradients(x, w, dy)?;
        let db = cpu::with_slice(dy, |dy| cpu::channel_sums(dy, bias.elem_count(), 1))?;
        Ok((dx, Some(dw), Some(cpu::tensor(db, bias.shape())?)))
    }
}

/// The gradients with respect to `x`, if it needs one, and `w`.
fn gradients(x: &Tensor, w: &Tensor, dy: &Tensor) -> candle_core::Result<(Option<Tensor>, Tensor)> {
    let (n, inputs) = x.dims2()?;
    let (out, _) = w.dims2()?;
    let dw = cpu::with_slice(x, |x| {
        cpu::with_slice(dy, |dy| {
            let mut dw = vec![0f32; out * inputs];
            let rows = (OUTPUTS * inputs).max(1);
            dw.par_chunks_mut(rows).enumerate().for_each(|(block, dw)| {
                gemm(
                    [dw.len() / inputs.max(1), inputs, n],
                    (dy, View::transposed(block * OUTPUTS, out)),
                    (x, View::row_major(0, inputs)),
                    (dw, View::row_major(0, inputs)),
                    false,
                );
            });
            dw
        })
    })??;
    let dx = if x.track_op() {
        let dx = cpu::with_slice(dy, |dy| cpu::with_slice(w, |w| input_gradient(dy, w, [n, inputs, out])))??;
        Some(cpu::tensor(dx, (n, inputs))?)
    } else {
        None
    };
    Ok((dx, cpu::tensor(dw, (out, inputs))?))
}

/// `dy w`, [`IMAGES`] rows and [`COLUMNS`] columns at a time.
fn input_gradient(dy: &[f32], w: &[f32], [n, inputs, out]: [usize; 3]) -> Vec<f32> {
    let task = |first: usize, block: usize, dx: Vec<&mut [f32]>| {
        let columns = dx.first().map_or(0, |dx| dx.len());
        let dy = &dy[first * out..(first + dx.len()) * out];
        scratch::with(IMAGES * out, |rows| {
            rows[..dy.len()].copy_from_slice(dy);
            rows[dy.len()..].fill(0.0);
            scratch::with(IMAGES * columns, |sums| {
                // With no outputs the product writes nothing.
                sums.fill(0.0);
                gemm(
                    [IMAGES, columns, out],
                    (rows, View::row_major(0, out)),
                    (w, View::row_major(block * COLUMNS, inputs)),
                    (sums, View::row_major(0, columns)),
                    false,
                );
                for (dx, sums) in dx.into_iter().zip(sums.chunks_exact(columns.max(1))) {
                    dx.copy_from_slice(sums);
                }
            });
        });
    };
    output::blocks([n, inputs], IMAGES, COLUMNS, task).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_do_not_depend_on_their_tile_and_are_right_at_every_level() {
        // Small integers: every sum is exact.
        for inputs in [0, 1, 16, 37] {
            for (images, outputs) in [(1, 1), (3, 5), (4, 4), (5, 9)] {
                let x: Vec<f32> = (0..images * inputs).map(|i| (i % 7) as f32 - 3.0).collect();
                let w: Vec<f32> = (0..outputs * inputs).map(|i| (i % 5) as f32 - 2.0).collect();
                for level in Level::available() {
                    let mut y = vec![vec![9f32; outputs]; images];
                    let mut rows: Vec<&mut [f32]> = y.iter_mut().map(Vec::as_mut_slice).collect();
                    dots(level, &x, &w, inputs, &mut rows);
                    for (r, y) in y.iter().enumerate() {
                        for (o, &y) in y.iter().enumerate() {
                            let (x, w) = (&x[r * inputs..][..inputs], &w[o * inputs..][..inputs]);
                            let expected: f32 = x.iter().zip(w).map(|(x, w)| x * w).sum();
                            assert_eq!(y, expected, "{level:?} {inputs} {images} {outputs}");
                        }
                    }
                }
            }
        }
    }
}
