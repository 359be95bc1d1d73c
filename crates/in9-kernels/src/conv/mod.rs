//! Two-dimensional convolution.

pub(crate) mod backward_data;
pub(crate) mod backward_weight;
mod channel_blocks;
mod config;
pub(crate) mod depthwise;
mod epilogue;
pub(crate) mod forward;
mod frozen;
pub(crate) mod geometry;
pub(crate) mod implicit_gemm;
mod op;
pub(crate) mod winograd;

use crate::{Activation, Result, blocked, cpu, portable};
use candle_core::Tensor;
pub use config::Conv2dConfig;
use epilogue::Epilogue;
pub use frozen::FrozenConv2d;
use geometry::Geometry;

/// Two-dimensional convolution (that is, cross-correlation, as in every framework).
///
/// Differentiable with respect to `x`, `w` and `bias`, unless `x` is in [blocks](crate::blocked). Only the gradients of arguments that are part of an
/// autograd graph are computed: in training the first layer does not compute a gradient of the images, nor
/// a layer with frozen filters one of its filters.
///
/// # Shapes
/// - `x`: `[batch, in, height, width]`, any strides
/// - `w`: `[out, in / groups, kernel height, kernel width]`
/// - `bias`: `[out]`
/// - result: `[batch, out, oh, ow]` with
///   `oh = (height + top + bottom - dilation * (kernel height - 1) - 1) / stride + 1`, rounded down, and `ow`
///   likewise
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) if the shapes do not fit, [`Error::Zero`](crate::Error::Zero) if
/// a stride, a dilation or the number of groups is 0.
pub fn conv2d(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, config: &Conv2dConfig) -> Result<Tensor> {
    if blocked::is_in_blocks(x) {
        return blocked::conv2d(x, w, bias, config);
    }
    let geometry = checked(x, w, bias, config)?;
    if cpu::supported(&[x, w]) && bias.is_none_or(|b| cpu::supported(&[b])) {
        return op::apply(x, w, bias, geometry);
    }
    #[cfg(feature = "cuda")]
    if let Some(gpu) = crate::gpu::takes(&[x, w]) {
        return crate::gpu::conv2d(&gpu, x, w, bias, &geometry);
    }
    portable::conv2d(x, w, bias, &geometry)
}

/// Convolution, bias and activation in one pass over the output, for inference.
///
/// With batch norm folded in by [`crate::fold_batch_norm`] this is a whole layer. If an argument needs a
/// gradient, the layer is computed by [`conv2d`] and [`Activation::apply`] instead, which is slower.
/// [`FrozenConv2d`] also keeps its packed filters and can add a residual.
///
/// # Shapes
/// As for [`conv2d`].
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
    if blocked::is_in_blocks(x) {
        return FrozenConv2d::new(w.clone(), bias.cloned()).forward(x, config, None, activation);
    }
    let geometry = checked(x, w, bias, config)?;
    let tensors: Vec<&Tensor> = [Some(x), Some(w), bias].into_iter().flatten().collect();
    if !cpu::supported(&tensors) || cpu::requires_grad(&tensors) {
        #[cfg(feature = "cuda")]
        if let Some(gpu) = crate::gpu::takes(&tensors).filter(|_| !crate::recording::is_active()) {
            return crate::gpu::conv2d_act(&gpu, x, [Some(w), None], bias, None, &geometry, activation);
        }
        return activation.apply(&conv2d(x, w, bias, config)?);
    }
    let y = cpu::with_slices([Some(x), Some(w), bias], |[x, w, bias]| {
        let (x, w) = (x.unwrap_or_default(), w.unwrap_or_default());
        forward::forward(x, w, None, &geometry, Epilogue { bias, residual: None, activation })
    })?;
    Ok(cpu::tensor(y, (geometry.n, geometry.co, geometry.oh, geometry.ow))?)
}

/// The gradients of [`conv2d`]: see [`crate::gradients::conv2d`].
pub(crate) fn gradients(
    x: &Tensor,
    w: &Tensor,
    dy: &Tensor,
    config: &Conv2dConfig,
    needs_x: bool,
) -> Result<(Option<Tensor>, Tensor)> {
    if blocked::is_in_blocks(dy) {
        return blocked::conv2d_gradients(x, w, dy, config, needs_x);
    }
    let g = checked(x, w, None, config)?;
    if dy.dims() != [g.n, g.co, g.oh, g.ow] {
        let expected = format!("{:?}", [g.n, g.co, g.oh, g.ow]);
        return Err(crate::Error::shape("conv2d gradients", "dy", expected, dy.dims()));
    }
    if cpu::supported(&[x, w, dy]) {
        let dx = needs_x.then(|| op::input_gradient(x, w, dy, &g)).transpose()?;
        return Ok((dx, op::filter_gradient(x, w, dy, &g)?));
    }
    #[cfg(feature = "cuda")]
    if let Some(gpu) = crate::gpu::takes(&[x, w, dy]) {
        let dx = needs_x.then(|| crate::gpu::conv2d_dx(&gpu, w, dy, &g)).transpose()?;
        return Ok((dx, crate::gpu::conv2d_dw(&gpu, x, dy, &g)?));
    }
    let y = |t: &[Tensor]| portable::conv2d(&t[0], &t[1], None, &g);
    let mut gradients = portable::gradients(&[x, w], dy, y)?;
    let dw = gradients.pop().unwrap_or(w.zeros_like()?);
    Ok((gradients.pop().filter(|_| needs_x), dw))
}

/// How many of `n` images one parallel task computes, `max` at most.
///
/// The tasks are of equal size and even in number, as far as `n` allows, so that two cores finish at about
/// the same time. Results do not depend on it.
pub(crate) fn images_per_task(n: usize, max: usize) -> usize {
    let tasks = n.div_ceil(max.max(1));
    n.div_ceil(tasks.next_multiple_of(2).min(n).max(1)).max(1)
}

/// The sizes of the convolution of these tensors, if they fit each other.
fn checked(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, config: &Conv2dConfig) -> Result<Geometry> {
    checked_dims(x.dims(), w, bias, config)
}

/// [`checked`] for an image of these dimensions.
pub(crate) fn checked_dims(
    x: &[usize],
    w: &Tensor,
    bias: Option<&Tensor>,
    config: &Conv2dConfig,
) -> Result<Geometry> {
    let geometry = Geometry::new(x, w.dims(), config)?;
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
    use super::images_per_task;

    #[test]
    fn tasks_are_of_equal_size_and_even_in_number() {
        for (n, max, expected) in
            [(0, 4, 1), (1, 8, 1), (8, 8, 4), (8, 3, 2), (32, 3, 3), (64, 8, 8), (5, 1, 1)]
        {
            assert_eq!(images_per_task(n, max), expected, "{n} {max}");
        }
    }
}
