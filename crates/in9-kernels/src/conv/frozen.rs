//! A convolution for inference, whose filters do not change.

use super::{
    Conv2dConfig, checked, checked_dims, conv2d,
    epilogue::Epilogue,
    forward::{Packed, forward},
    geometry::Geometry,
};
use crate::{
    Activation, Error, Result,
    blocked::{self, lanes},
    cpu,
    simd::Level,
};
use candle_core::Tensor;
use std::sync::OnceLock;

/// Convolution, bias, residual and activation in one pass, with filters that are packed once.
///
/// With batch norm folded in by [`crate::fold_batch_norm`] this is a whole layer of a trained network.
/// The first call packs the filters for the method that suits its sizes, and later calls with the same
/// method reuse them. The packed filters take as much memory as the filters themselves (four times as
/// much for 3×3 kernels of stride 1); a later call whose sizes suit another method packs for itself. Results are those of
/// [`crate::conv2d_act`] on an image of the same layout, bit for bit. For a whole network, begin with
/// [`Self::forward_in_blocks`]: every layer after it is faster then.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use in9_kernels::{Activation, Conv2dConfig, FrozenConv2d};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let weight = Tensor::ones((4, 3, 1, 1), candle_core::DType::F32, &Device::Cpu)?;
/// let conv = FrozenConv2d::new(weight, None);
/// let x = Tensor::ones((1, 3, 2, 2), candle_core::DType::F32, &Device::Cpu)?;
/// let y = conv.forward(&x, &Conv2dConfig::new(1, 0), None, Activation::Relu)?;
/// assert_eq!(y.flatten_all()?.to_vec1::<f32>()?, [3.0; 16]);
/// # Ok(())
/// # }
/// ```
pub struct FrozenConv2d {
    weight: Tensor,
    bias: Option<Tensor>,
    packed: OnceLock<Packed>,
    /// The filters packed for images in blocks; none if there is no method for the layer.
    blocked: OnceLock<Option<blocked::Filters>>,
    /// The filters as a GPU multiplies them, in the precision of the first image.
    #[cfg(feature = "cuda")]
    prepared: OnceLock<(candle_core::DType, Tensor)>,
}

impl std::fmt::Debug for FrozenConv2d {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let packed = self.packed.get().is_some();
        f.debug_struct("FrozenConv2d").field("weight", &self.weight.shape()).field("packed", &packed).finish()
    }
}

/// What is in `cell`, or what `make` makes, which is not called inside of the cell's lock: it uses the thread pool, whose
/// threads take other work while they wait, and that work may want the same cell.
fn once<T>(cell: &OnceLock<T>, make: impl FnOnce() -> T) -> &T {
    match cell.get() {
        Some(made) => made,
        None => {
            let made = make();
            cell.get_or_init(|| made)
        }
    }
}

/// A residual has the shape of the result.
fn check_residual(residual: Option<&Tensor>, shape: &[usize]) -> Result<()> {
    match residual {
        Some(residual) if residual.dims() != shape => {
            Err(Error::shape("conv2d", "residual", format!("{shape:?}"), residual.dims()))
        }
        _ => Ok(()),
    }
}

impl FrozenConv2d {
    /// A layer with this `weight` of `[out, in / groups, kernel height, kernel width]` and `bias` of `[out]`.
    ///
    /// Both are detached from their autograd graph: [`Self::forward`] is differentiable with respect to
    /// the image and the residual only, and in blocks with respect to nothing.
    pub fn new(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self {
            weight: weight.detach(),
            bias: bias.map(|bias| bias.detach()),
            packed: OnceLock::new(),
            blocked: OnceLock::new(),
            #[cfg(feature = "cuda")]
            prepared: OnceLock::new(),
        }
    }

    /// `activation(conv(x) + bias + residual)`.
    ///
    /// # Shapes
    /// - `x`: `[batch, in, height, width]`
    /// - `residual`, result: `[batch, out, oh, ow]`, as for [`conv2d`](crate::conv2d)
    ///
    /// If `x` is in [blocks](crate::blocked), so is the result.
    ///
    /// # Errors
    /// As for [`conv2d`](crate::conv2d), and [`Error::Shape`] for a residual that does not fit.
    pub fn forward(
        &self,
        x: &Tensor,
        config: &Conv2dConfig,
        residual: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor> {
        if blocked::is_in_blocks(x) {
            return self.forward_in_blocks(x, config, residual, activation);
        }
        let (w, bias) = (&self.weight, self.bias.as_ref());
        let g = checked(x, w, bias, config)?;
        let shape = [g.n, g.co, g.oh, g.ow];
        check_residual(residual, &shape)?;
        let tensors: Vec<&Tensor> = [Some(x), Some(w), bias, residual].into_iter().flatten().collect();
        if !cpu::supported(&tensors) || cpu::requires_grad(&tensors) {
            #[cfg(feature = "cuda")]
            if let Some(gpu) = crate::gpu::takes(&tensors).filter(|_| !crate::recording::is_active()) {
                return self.on_gpu(&gpu, x, &g, residual, activation);
            }
            let y = conv2d(x, w, bias, config)?;
            return match residual {
                Some(residual) => crate::add_act(&y, residual, activation),
                None => activation.apply(&y),
            };
        }
        let y = cpu::with_slices([Some(x), Some(w), bias, residual], |[x, w, bias, residual]| {
            let (x, w) = (x.unwrap_or_default(), w.unwrap_or_default());
            let packed = once(&self.packed, || Packed::new(w, &g));
            forward(x, w, Some(packed), &g, Epilogue { bias, residual, activation })
        })?;
        Ok(cpu::tensor(y, &shape)?)
    }

    /// The same with a result in [blocks](crate::blocked), as the layers that take it are then computed too: for the
    /// first layer of a network.
    ///
    /// Where that cannot be, the result is that of [`Self::forward`] of planes: on another device, for an argument
    /// that needs a gradient. Where the number of output channels is no multiple of eight, the last block is filled
    /// up with the activation of zero.
    ///
    /// # Shapes
    /// - `x`: `[batch, in, height, width]` or `[batch, in / 8, height, width, 8]`
    /// - `residual`, if there is one, as the result
    /// - result: `[batch, out / 8, oh, ow, 8]`, `out / 8` rounded up
    ///
    /// # Errors
    /// As for [`Self::forward`].
    pub fn forward_in_blocks(
        &self,
        x: &Tensor,
        config: &Conv2dConfig,
        residual: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor> {
        let (w, bias) = (&self.weight, self.bias.as_ref());
        let tensors: Vec<&Tensor> = [Some(x), Some(w), bias, residual].into_iter().flatten().collect();
        let in_blocks = blocked::is_in_blocks(x);
        if !cpu::supported(&tensors) || (!in_blocks && cpu::requires_grad(&tensors)) {
            return self.forward(&blocked::to_planes(x)?, config, residual, activation);
        }
        let dims = blocked::channels_of(x, w, config);
        let g = checked_dims(&dims, w, bias, config)?;
        let own = once(&self.blocked, || self.packed_for_blocks(&g, in_blocks));
        let other;
        let filters = match own.as_ref().filter(|filters| filters.fit(&g, in_blocks)) {
            Some(filters) => filters,
            None => match self.packed_for_blocks(&g, in_blocks) {
                Some(filters) => {
                    other = filters;
                    &other
                }
                None => return self.by_planes(x, config, residual, activation, &g),
            },
        };
        let shape = [g.n, g.co.div_ceil(lanes::BLOCK), g.oh, g.ow, lanes::BLOCK];
        check_residual(residual, &shape)?;
        let y = cpu::with_slices([Some(x), bias, residual], |[x, bias, residual]| {
            let finish = blocked::Finish { bias, residual, activation };
            blocked::forward(Level::current(), x.unwrap_or_default(), filters, &g, finish)
        })?;
        Ok(cpu::tensor(y, &shape)?)
    }

    /// The sizes of the layer, and its filters, if all its channels are in whole blocks and an image of these
    /// dimensions (batch, channels, height, width) suits the filters as they were packed first.
    pub(crate) fn in_blocks(
        &self,
        dims: &[usize; 4],
        config: &Conv2dConfig,
    ) -> Option<(Geometry, &blocked::Filters)> {
        let g = checked_dims(dims, &self.weight, self.bias.as_ref(), config).ok()?;
        let whole = [g.ci, g.co].iter().all(|channels| channels.is_multiple_of(lanes::BLOCK));
        let filters = once(&self.blocked, || self.packed_for_blocks(&g, true)).as_ref()?;
        (whole && filters.fit(&g, true)).then_some((g, filters))
    }

    /// `[out]`
    pub(crate) fn bias(&self) -> Option<&Tensor> {
        self.bias.as_ref()
    }

    fn packed_for_blocks(&self, g: &Geometry, in_blocks: bool) -> Option<blocked::Filters> {
        cpu::with_slice(&self.weight, |w| blocked::Filters::new(Level::current(), w, g, in_blocks))
            .ok()
            .flatten()
    }

    /// A layer that there is no method for in blocks: one whose groups do not fill them.
    fn by_planes(
        &self,
        x: &Tensor,
        config: &Conv2dConfig,
        residual: Option<&Tensor>,
        activation: Activation,
        g: &Geometry,
    ) -> Result<Tensor> {
        let planes = |t: &Tensor, channels: usize| -> Result<Tensor> {
            Ok(blocked::to_planes(t)?.narrow(1, 0, channels)?)
        };
        let residual = residual.map(|residual| planes(residual, g.co)).transpose()?;
        let y = self.forward(&planes(x, g.ci)?, config, residual.as_ref(), activation)?;
        blocked::to_blocks(&y)
    }

    #[cfg(feature = "cuda")]
    fn on_gpu(
        &self,
        gpu: &crate::gpu::Gpu,
        x: &Tensor,
        g: &super::geometry::Geometry,
        residual: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor> {
        let (w, bias) = (&self.weight, self.bias.as_ref());
        if g.is_depthwise() {
            return crate::gpu::conv2d_act(gpu, x, [Some(w), None], bias, residual, g, activation);
        }
        let prepared = match self.prepared.get() {
            Some(prepared) => prepared,
            None => {
                let prepared = (x.dtype(), crate::gpu::prepare(gpu, w, x, g)?);
                self.prepared.get_or_init(|| prepared)
            }
        };
        let prepared = Some(&prepared.1).filter(|_| prepared.0 == x.dtype());
        crate::gpu::conv2d_act(gpu, x, [Some(w), prepared], bias, residual, g, activation)
    }
}
