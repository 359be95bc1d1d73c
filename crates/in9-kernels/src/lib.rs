//! Fast, deterministic CPU kernels for Candle, forward and backward: convolution, batch norm, pooling, losses.
//!
//! Every layer is a free function on Candle tensors with two bodies. For f32 tensors on the CPU it
//! is a fused kernel (AVX-512, AVX2 or portable code, chosen at run time) that enters Candle's
//! autograd graph as a custom operation. For anything else it is composed of Candle's own
//! operations, avoiding those whose gradients are wrong. Both give the same numbers to rounding,
//! forward and backward.
//!
//! The kernels' results do not depend on the number of threads, and those of an image do not depend
//! on the other images of its batch (except where the layer itself does, as batch norm in training).
//!
//! Call [`runtime::init`] first in `main`.
#![deny(missing_docs)]

mod activation;
mod add;
mod body;
mod chacha;
mod conv;
mod dropout;
mod error;
pub mod gradients;
mod linear;
mod loss;
mod norm;
mod output;
mod planes;
mod pool;
mod portable;
pub mod runtime;
mod scale;
mod scratch;
mod sgd;
mod simd;

pub use activation::Activation;
pub use add::add_act;
pub use conv::{Conv2dConfig, FrozenConv2d, conv2d, conv2d_act};
pub use dropout::dropout;
pub use error::{Error, Result};
pub use linear::linear;
pub use loss::cross_entropy;
pub use norm::{BatchNormOutput, batch_norm_train, fold_batch_norm, update_running_stats};
pub use planes::{Plane, assemble_channels};
pub use pool::{adaptive_avg_pool2d, avg_pool2d, global_avg_pool, max_pool2d};
pub use scale::{scale_channels, scale_channels_over};
pub use sgd::{SgdStep, sgd_step};

/// Compiles and runs the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
