//! Convolution as a node of Candle's autograd graph.

use super::{backward_data, backward_weight, finish::Finish, forward, geometry::Geometry};
use crate::{Result, body};
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Shape, Tensor};

/// A convolution whose sizes are checked; `input_gradient` says whether anyone wants it.
struct Conv2d {
    geometry: Geometry,
    input_gradient: bool,
}

/// Adds the node for `x`, `w` and perhaps `bias` to the graph.
pub(super) fn apply(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, geometry: Geometry) -> Result<Tensor> {
    let op = Conv2d { geometry, input_gradient: x.track_op() };
    let (x, w) = (x.contiguous()?, w.contiguous()?);
    Ok(match bias {
        Some(bias) => x.apply_op3(&w, &bias.contiguous()?, op)?,
        None => x.apply_op2(&w, op)?,
    })
}

impl Conv2d {
    fn forward(
        &self,
        x: &[f32],
        w: &[f32],
        bias: Option<&[f32]>,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let g = &self.geometry;
        let y = forward::forward(x, w, None, g, Finish { bias, ..Finish::default() });
        Ok((CpuStorage::F32(y), (g.n, g.co, g.oh, g.ow).into()))
    }
}

/// Gradients of the image (if wanted) and of the filters.
pub(super) fn gradients(
    x: &Tensor,
    w: &Tensor,
    dy: &Tensor,
    g: &Geometry,
    want_x: bool,
) -> candle_core::Result<(Option<Tensor>, Tensor)> {
    let dw = body::with_slice(dy, |dy| body::with_slice(x, |x| backward_weight::backward_weight(x, dy, g)))??;
    let dx = if want_x {
        let dx = body::with_slice(dy, |dy| body::with_slice(w, |w| backward_data::backward_data(dy, w, g)))??;
        Some(body::tensor(dx, x.shape())?)
    } else {
        None
    };
    Ok((dx, body::tensor(dw, w.shape())?))
}

impl CustomOp2 for Conv2d {
    fn name(&self) -> &'static str {
        "in9-conv2d"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        self.forward(body::slice(x, x_layout)?, body::slice(w, w_layout)?, None)
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let (dx, dw) = gradients(x, w, dy, &self.geometry, self.input_gradient)?;
        Ok((dx, Some(dw)))
    }
}

impl CustomOp3 for Conv2d {
    fn name(&self) -> &'static str {
        "in9-conv2d-bias"
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
        let bias = body::slice(bias, bias_layout)?;
        self.forward(body::slice(x, x_layout)?, body::slice(w, w_layout)?, Some(bias))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (dx, dw) = gradients(x, w, dy, &self.geometry, self.input_gradient)?;
        let plane = self.geometry.plane_out();
        let db = body::with_slice(dy, |dy| body::channel_sums(dy, self.geometry.co, plane))?;
        Ok((dx, Some(dw), Some(body::tensor(db, bias.shape())?)))
    }
}
