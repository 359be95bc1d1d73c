//! The fully connected layer.

use crate::{
    Error, Result, body, scratch,
    simd::gemm::{View, gemm},
};
use candle_core::{CpuStorage, CustomOp2, Layout, Shape, Tensor};
use rayon::prelude::*;

/// Rows of every matrix product; a batch is filled up with zeros, so that the rounding of a row
/// does not depend on the size of its batch.
const ROWS: usize = 16;
/// Rows of the weights' gradient that one task computes.
const OUTPUTS: usize = 64;

/// `x wᵀ + bias`.
///
/// # Shapes
/// - `x`: `[n, in]`
/// - `w`: `[out, in]`
/// - `bias`: `[out]`
/// - result: `[n, out]`
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit.
pub fn linear(x: &Tensor, w: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    const OP: &str = "linear";
    let &[out, inputs] = w.dims() else {
        return Err(Error::shape(OP, "w", "[out, in]", w.dims()));
    };
    if x.rank() != 2 || x.dims()[1] != inputs {
        return Err(Error::shape(OP, "x", format!("[n, {inputs}]"), x.dims()));
    }
    let y = if body::fused(&[x, w]) {
        x.contiguous()?.apply_op2(&w.contiguous()?, Linear)?
    } else {
        x.matmul(&w.t()?)?
    };
    match bias {
        Some(bias) if bias.dims() != [out] => Err(Error::shape(OP, "bias", format!("[{out}]"), bias.dims())),
        Some(bias) => Ok(y.broadcast_add(bias)?),
        None => Ok(y),
    }
}

struct Linear;

/// `y = a b` for `a` of [n, inner], [`ROWS`] rows at a time.
fn multiply_rows(a: &[f32], b: (&[f32], View), inner: usize, columns: usize) -> Vec<f32> {
    let mut y = vec![0f32; a.len() / inner.max(1) * columns];
    if inner == 0 || columns == 0 {
        return y;
    }
    y.par_chunks_mut(ROWS * columns).zip(a.par_chunks(ROWS * inner)).for_each(|(y, a)| {
        scratch::with(ROWS * inner, |rows| {
            rows[..a.len()].copy_from_slice(a);
            rows[a.len()..].fill(0.0);
            scratch::with(ROWS * columns, |out| {
                gemm(
                    [ROWS, columns, inner],
                    (rows, View::row_major(0, inner)),
                    b,
                    (out, View::row_major(0, columns)),
                    false,
                );
                y.copy_from_slice(&out[..y.len()]);
            });
        });
    });
    y
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
        let (n, _) = x_layout.shape().dims2()?;
        let (out, inputs) = w_layout.shape().dims2()?;
        let (x, w) = (body::slice(x, x_layout)?, body::slice(w, w_layout)?);
        let y = if inputs == 0 {
            vec![0f32; n * out]
        } else {
            multiply_rows(x, (w, View::transposed(0, inputs)), inputs, out)
        };
        Ok((CpuStorage::F32(y), (n, out).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let (n, inputs) = x.dims2()?;
        let (out, _) = w.dims2()?;
        let dw = body::with_slice(x, |x| {
            body::with_slice(dy, |dy| {
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
            let dx = body::with_slice(dy, |dy| {
                body::with_slice(w, |w| multiply_rows(dy, (w, View::row_major(0, inputs)), out, inputs))
            })??;
            Some(body::tensor(dx, (n, inputs))?)
        } else {
            None
        };
        Ok((dx, Some(body::tensor(dw, (out, inputs))?)))
    }
}
