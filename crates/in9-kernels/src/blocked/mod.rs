//! Activations in blocks of eight channels: the layout between the layers of a network.
//!
//! A tensor in blocks is `[batch, channels / 8, height, width, 8]`: the eight channels of a pixel lie together, as in the
//! layouts NCHWc of oneDNN and MLAS. A vector then is a pixel's channels, so that no layer rearranges anything, however
//! small its planes, and every convolution is one product on the image as it lies.
//!
//! Inference: [`FrozenConv2d::forward_in_blocks`](crate::FrozenConv2d::forward_in_blocks) enters the layout, and
//! [`FrozenConv2d::forward`](crate::FrozenConv2d::forward), [`max_pool2d`](crate::max_pool2d),
//! [`add_act`](crate::add_act), [`assemble_channels`](crate::assemble_channels) and
//! [`scale_channels_inplace`](crate::scale_channels_inplace) stay in it; [`InvertedResidual`] is a whole block of a
//! MobileNet, strip by strip. Training: [`conv2d`] enters it, [`crate::conv2d`] and
//! [`batch_norm_train`](crate::batch_norm_train) stay in it, and so do their [`gradients`](crate::gradients). Nothing here
//! is a part of Candle's autograd graph. [`global_avg_pool`](crate::global_avg_pool) and [`to_planes`] leave the layout.
//!
//! ```
//! use candle_core::{DType, Device, Tensor};
//! use in9_kernels::{Activation, Conv2dConfig, FrozenConv2d, blocked, global_avg_pool};
//!
//! let filters = |shape: [usize; 4]| Tensor::full(0.1f32, &shape, &Device::Cpu);
//! let (first, second) = (FrozenConv2d::new(filters([16, 3, 3, 3])?, None), FrozenConv2d::new(filters([24, 16, 1, 1])?, None));
//! let image = Tensor::ones((1, 3, 32, 32), DType::F32, &Device::Cpu)?;
//! let x = first.forward_in_blocks(&image, &Conv2dConfig::new(2, 1), None, Activation::Relu)?;
//! assert_eq!(x.dims(), [1, 2, 16, 16, 8]);
//! let x = second.forward(&x, &Conv2dConfig::new(1, 0), None, Activation::Relu)?;
//! assert!(blocked::is_in_blocks(&x));
//! assert_eq!(global_avg_pool(&x)?.dims(), [1, 24]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backward_data;
mod backward_weight;
mod channels;
mod conv;
mod depthwise;
mod direct;
mod gates;
mod inverted_residual;
pub(crate) mod lanes;
#[cfg(target_arch = "x86_64")]
mod lanes_x86;
mod layout;
mod norm;
mod padded;
mod pool;
pub(crate) mod product;
mod scale;
#[cfg(test)]
mod test_values;
mod train;
mod winograd;
mod winograd_weight;

pub(crate) use channels::assemble_channels;
pub(crate) use conv::{Filters, forward};
pub(crate) use gates::{gated, gates, scale_channels};
pub use inverted_residual::{Gate, InvertedResidual};
pub(crate) use layout::channels_of;
pub use layout::{is_in_blocks, to_blocks, to_planes};
pub(crate) use pool::{global_avg_pool, max_pool2d, max_pool2d_gradient};
pub(crate) use product::Finish;
pub(crate) use scale::scale_channels_inplace;
pub use train::conv2d;
pub(crate) use train::{batch_norm_gradients, batch_norm_train, conv2d_gradients};
