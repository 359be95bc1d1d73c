//! Two-dimensional convolution.

pub(crate) mod backward_data;
pub(crate) mod backward_weight;
mod config;
pub(crate) mod depthwise;
mod finish;
pub(crate) mod forward;
mod frozen;
pub(crate) mod geometry;
mod implicit;
mod op;
mod patch;
mod winograd;

use crate::{Activation, Result, body, portable};
use candle_core::Tensor;
pub use config::Conv2dConfig;
use finish::Finish;
pub use frozen::FrozenConv2d;
use geometry::Geometry;

/// Convolves images with filters (cross-correlation, as every framework means it).
///
/// # Shapes
/// - `x`: `[n, in, height, width]`, any strides
/// - `w`: `[out, in / groups, kernel height, kernel width]`
/// - `bias`: `[out]`
/// - result: `[n, out, oh, ow]` with
///   `oh = (height + top + bottom - dilation * (kernel - 1) - 1) / stride + 1`, rounded down
///
/// Gradients flow into all three, but only those of arguments that are part of a graph are computed: the
/// first layer does not pay for the gradient of the photograph, nor a frozen network for those of its
/// filters.
///
/// # Errors
/// [`crate::Error::Shape`] if the shapes do not fit, [`crate::Error::Setting`] if the
/// configuration is out of range.
pub fn conv2d(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, config: &Conv2dConfig) -> Result<Tensor> {
    let geometry = checked(x, w, bias, config)?;
    if body::fused(&[x, w]) && bias.is_none_or(|b| body::fused(&[b])) {
        return op::apply(x, w, bias, geometry);
    }
    portable::conv2d(x, w, bias, &geometry)
}

/// Convolution, bias and activation in one pass over the output, for inference.
/// [`FrozenConv2d`] also keeps its packed filters and adds a residual.
///
/// Shapes as for [`conv2d`]. With batch norm folded in by [`crate::fold_batch_norm`] this is a
/// whole layer. If a gradient has to flow through it, the layer is composed of [`conv2d`] and
/// [`Activation::apply`] instead, and is right but slower.
///
/// # Errors
/// As for [`conv2d`].
pub fn conv2d_act(
    x: &Tensor,
    w: &Tensor,
    bias: Option<&Tensor>,
    config: &Conv2dConfig,
    activation: Activation,
) -> Result<Tensor> {
    let geometry = checked(x, w, bias, config)?;
    let tensors: Vec<&Tensor> = [Some(x), Some(w), bias].into_iter().flatten().collect();
    if !body::fused(&tensors) || body::tracked(&tensors) {
        return activation.apply(&conv2d(x, w, bias, config)?);
    }
    let y = body::with_slices([Some(x), Some(w), bias], |[x, w, bias]| {
        let (x, w) = (x.unwrap_or_default(), w.unwrap_or_default());
        forward::forward(x, w, None, &geometry, Finish { bias, residual: None, activation })
    })?;
    Ok(body::tensor(y, (geometry.n, geometry.co, geometry.oh, geometry.ow))?)
}

/// See [`crate::gradients::conv2d`].
pub(crate) fn gradients(
    x: &Tensor,
    w: &Tensor,
    dy: &Tensor,
    config: &Conv2dConfig,
    want_x: bool,
) -> Result<(Option<Tensor>, Tensor)> {
    let g = checked(x, w, None, config)?;
    if dy.dims() != [g.n, g.co, g.oh, g.ow] {
        let expected = format!("{:?}", [g.n, g.co, g.oh, g.ow]);
        return Err(crate::Error::shape("conv2d gradients", "dy", expected, dy.dims()));
    }
    if body::fused(&[x, w, dy]) {
        let dx = want_x.then(|| op::image_gradient(x, w, dy, &g)).transpose()?;
        return Ok((dx, op::filter_gradient(x, w, dy, &g)?));
    }
    let y = |t: &[Tensor]| portable::conv2d(&t[0], &t[1], None, &g);
    let mut gradients = portable::gradients(&[x, w], dy, y)?;
    let dw = gradients.pop().unwrap_or(w.zeros_like()?);
    Ok((gradients.pop().filter(|_| want_x), dw))
}

/// Images of a task: up to `most`, in an even number of tasks as large as each other where the batch
/// allows that, so that no processor waits long for another. Outputs do not depend on it.
fn images_of_task(n: usize, most: usize) -> usize {
    let tasks = n.div_ceil(most.max(1));
    n.div_ceil(tasks.next_multiple_of(2).min(n).max(1)).max(1)
}

fn checked(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, config: &Conv2dConfig) -> Result<Geometry> {
    let geometry = Geometry::new(x.dims(), w.dims(), config)?;
    if let Some(bias) = bias
        && bias.dims() != [geometry.co]
    {
        let expected = format!("[{}]", geometry.co);
        return Err(crate::Error::shape("conv2d", "bias", expected, bias.dims()));
    }
    Ok(geometry)
}

#[cfg(test)]
mod tests {
    use super::images_of_task;

    #[test]
    fn tasks_are_even() {
        for (n, most, expected) in
            [(0, 4, 1), (1, 8, 1), (8, 8, 4), (8, 3, 2), (32, 3, 3), (64, 8, 8), (5, 1, 1)]
        {
            assert_eq!(images_of_task(n, most), expected, "{n} {most}");
        }
    }
}
