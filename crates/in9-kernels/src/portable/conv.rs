//! Convolution.

use super::strided;
use crate::{Result, conv::geometry::Geometry};
use candle_core::Tensor;

/// As [`crate::conv2d`].
pub(crate) fn conv2d(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, g: &Geometry) -> Result<Tensor> {
    let x = cropped(x, g)?;
    let y = if g.sy == g.sx && g.dy == g.dx {
        // Candle's gradients are correct only if the windows cover the whole image, as they do here.
        x.contiguous()?.conv2d(w, 0, g.sy, g.dy, g.groups)?
    } else {
        tap_by_tap(&x, w, g)?
    };
    match bias {
        Some(bias) => Ok(y.broadcast_add(&bias.reshape((1, g.co, 1, 1))?)?),
        None => Ok(y),
    }
}

/// The padded image without the last rows and columns that no window covers.
fn cropped(x: &Tensor, g: &Geometry) -> Result<Tensor> {
    let height = (g.oh - 1) * g.sy + (g.kh - 1) * g.dy + 1;
    let width = (g.ow - 1) * g.sx + (g.kw - 1) * g.dx + 1;
    let x = x.pad_with_zeros(2, g.top, g.bottom)?.narrow(2, 0, height)?;
    Ok(x.pad_with_zeros(3, g.left, g.right)?.narrow(3, 0, width)?)
}

/// One matrix product for each tap, for strides or dilations that differ between the axes.
fn tap_by_tap(x: &Tensor, w: &Tensor, g: &Geometry) -> Result<Tensor> {
    let pixels = g.plane_out();
    let mut sum: Option<Tensor> = None;
    for ky in 0..g.kh {
        for kx in 0..g.kw {
            let shifted = strided(x, 2, ky * g.dy, g.oh, g.sy)?;
            let shifted = strided(&shifted, 3, kx * g.dx, g.ow, g.sx)?.contiguous()?;
            let columns = shifted.reshape((g.n, g.groups, g.cig(), pixels))?;
            let tap = w.narrow(2, ky, 1)?.narrow(3, kx, 1)?.contiguous()?;
            let tap = tap.reshape((1, g.groups, g.cog(), g.cig()))?.broadcast_as((
                g.n,
                g.groups,
                g.cog(),
                g.cig(),
            ))?;
            let term = tap.contiguous()?.matmul(&columns)?;
            sum = Some(match sum {
                Some(sum) => (sum + term)?,
                None => term,
            });
        }
    }
    let y = match sum {
        Some(sum) => sum,
        None => Tensor::zeros((g.n, g.co, pixels), x.dtype(), x.device())?,
    };
    Ok(y.reshape((g.n, g.co, g.oh, g.ow))?)
}
