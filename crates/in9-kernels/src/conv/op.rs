//! Convolution as a node of Candle's autograd graph.

use super::{backward_data, backward_weight, finish::Finish, forward, geometry::Geometry};
use crate::{Result, body};
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Shape, Tensor};

/// A convolution whose sizes are checked, and which gradients anyone wants: nobody wants those of pictures
/// in training, nor those of filters in a frozen network.
struct Conv2d {
    geometry: Geometry,
    want_x: bool,
    want_w: bool,
    want_bias: bool,
}

/// Adds the node for `x`, `w` and perhaps `bias` to the graph.
pub(super) fn apply(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, geometry: Geometry) -> Result<Tensor> {
    let want_bias = bias.is_some_and(Tensor::track_op);
    let op = Conv2d { geometry, want_x: x.track_op(), want_w: w.track_op(), want_bias };
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

    fn gradients(
        &self,
        x: &Tensor,
        w: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let g = &self.geometry;
        let dx = self.want_x.then(|| image_gradient(x, w, dy, g)).transpose()?;
        Ok((dx, self.want_w.then(|| filter_gradient(x, w, dy, g)).transpose()?))
    }
}

/// The gradient of the filters.
pub(super) fn filter_gradient(
    x: &Tensor,
    w: &Tensor,
    dy: &Tensor,
    g: &Geometry,
) -> candle_core::Result<Tensor> {
    let dw = body::with_slice(dy, |dy| body::with_slice(x, |x| backward_weight::backward_weight(x, dy, g)))??;
    body::tensor(dw, w.shape())
}

/// The gradient of the image.
pub(super) fn image_gradient(
    x: &Tensor,
    w: &Tensor,
    dy: &Tensor,
    g: &Geometry,
) -> candle_core::Result<Tensor> {
    let dx = body::with_slice(dy, |dy| body::with_slice(w, |w| backward_data::backward_data(dy, w, g)))??;
    body::tensor(dx, x.shape())
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
        self.gradients(x, w, dy)
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
        let (dx, dw) = self.gradients(x, w, dy)?;
        let db = if self.want_bias {
            let g = &self.geometry;
            let db = body::with_slice(dy, |dy| body::channel_sums(dy, g.co, g.plane_out()))?;
            Some(body::tensor(db, bias.shape())?)
        } else {
            None
        };
        Ok((dx, dw, db))
    }
}
