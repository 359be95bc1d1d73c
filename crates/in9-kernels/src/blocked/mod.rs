//! Inference on activations in blocks of eight channels.
//!
//! Between the layers of a frozen network a tensor is `[batch, channels / 8, height, width, 8]`: the eight channels
//! of a pixel lie together, as in the layouts NCHWc of oneDNN and MLAS. A vector then is a pixel's channels, so that
//! no layer rearranges anything, however small its planes, and a convolution is the product of [`product`] on the
//! image as it lies.
//!
//! [`FrozenConv2d::forward_in_blocks`](crate::FrozenConv2d::forward_in_blocks) enters the layout, [`to_planes`]
//! leaves it; [`FrozenConv2d::forward`](crate::FrozenConv2d::forward), [`max_pool2d`](crate::max_pool2d),
//! [`global_avg_pool`](crate::global_avg_pool), [`add_act`](crate::add_act) and
//! [`scale_channels_inplace`](crate::scale_channels_inplace) take a tensor in either and stay in it. Nothing here is
//! differentiable.

mod backward_data;
mod backward_weight;
mod channels;
mod conv;
mod depthwise;
mod inverted_residual;
pub(crate) mod lanes;
mod layout;
mod norm;
mod padded;
mod pool;
mod product;
mod scale;
mod train;
mod winograd;
mod winograd_weight;

pub(crate) use channels::assemble_channels;
pub(crate) use conv::{Filters, forward};
pub use inverted_residual::{Gate, InvertedResidual};
pub(crate) use layout::channels_of;
pub use layout::{is_in_blocks, to_blocks, to_planes};
pub(crate) use pool::{global_avg_pool, max_pool2d, max_pool2d_gradient};
pub(crate) use product::Finish;
pub(crate) use scale::scale_channels_inplace;
pub use train::conv2d;
pub(crate) use train::{
    batch_norm_gradients, batch_norm_train, conv2d_gradients, gated, gates, scale_channels,
};
