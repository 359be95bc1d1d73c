//! Convolution as a node of Candle's autograd graph.

use super::{backward_data, backward_weight, epilogue::Epilogue, forward, geometry::Geometry};
use crate::{Result, cpu};
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Shape, Tensor};

/// A convolution whose sizes have been checked, and the arguments whose gradients the backward pass must
/// compute. It skips, for example, that of the images in training and those of frozen filters.
struct Conv2d {
    geometry: Geometry,
    needs_x: bool,
    needs_w: bool,
    needs_bias: bool,
}

/// Adds the node to the graph of `x`, `w` and `bias`.
pub(super) fn apply(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, geometry: Geometry) -> Result<Tensor> {
    let needs_bias = bias.is_some_and(Tensor::track_op);
    let op = Conv2d { geometry, needs_x: x.track_op(), needs_w: w.track_op(), needs_bias };
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
        let y = forward::forward(x, w, None, g, Epilogue { bias, ..Epilogue::default() });
        Ok((CpuStorage::F32(y), (g.n, g.co, g.oh, g.ow).into()))
    }

    fn gradients(
        &self,
        x: &Tensor,
        w: &Tensor,
        dy: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let g = &self.geometry;
        let dx = self.needs_x.then(|| input_gradient(x, w, dy, g)).transpose()?;
        Ok((dx, self.needs_w.then(|| filter_gradient(x, w, dy, g)).transpose()?))
    }
}

/// The gradient with respect to `w`.
pub(super) fn filter_gradient(
    x: &Tensor,
    w: &Tensor,
    dy: &Tensor,
    g: &Geometry,
) -> candle_core::Result<Tensor> {
    let dw = cpu::with_slice(dy, |dy| cpu::with_slice(x, |x| backward_weight::backward_weight(x, dy, g)))??;
    cpu::tensor(dw, w.shape())
}

/// The gradient with respect to `x`.
pub(super) fn input_gradient(
    x: &Tensor,
    w: &Tensor,
    dy: &Tensor,
    g: &Geometry,
) -> candle_core::Result<Tensor> {
    let dx = cpu::with_slice(dy, |dy| cpu::with_slice(w, |w| backward_data::backward_data(dy, w, g)))??;
    cpu::tensor(dx, x.shape())
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
        self.forward(cpu::slice(x, x_layout)?, cpu::slice(w, w_layout)?, None)
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
        let bias = cpu::slice(bias, bias_layout)?;
        self.forward(cpu::slice(x, x_layout)?, cpu::slice(w, w_layout)?, Some(bias))
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
        let db = if self.needs_bias {
            let g = &self.geometry;
            let db = cpu::with_slice(dy, |dy| cpu::channel_sums(dy, g.co, g.plane_out()))?;
            Some(cpu::tensor(db, bias.shape())?)
        } else {
            None
        };
        Ok((dx, dw, db))
    }
}
