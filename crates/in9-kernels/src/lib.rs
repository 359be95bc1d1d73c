//! Fast, deterministic CPU kernels for Candle, forward and backward: convolution, batch norm, pooling, losses.
//!
//! The layers of convolutional networks as free functions on [`candle_core::Tensor`]s, with correct
//! gradients. Nothing else of a Candle program has to change:
//!
//! ```
//! use candle_core::{DType, Device, Tensor, Var};
//! use in9_kernels::{Activation, Conv2dConfig, batch_norm_train, conv2d, cross_entropy, global_avg_pool, linear};
//!
//! // Two images of 8×8 pixels, 16 filters of 3×3, two classes.
//! let images = Tensor::ones((2, 3, 8, 8), DType::F32, &Device::Cpu)?;
//! let labels = Tensor::new(&[0u32, 1], &Device::Cpu)?;
//! let filters = Var::randn(0f32, 0.2, (16, 3, 3, 3), &Device::Cpu)?;
//! let (gamma, beta) = (Var::ones(16, DType::F32, &Device::Cpu)?, Var::zeros(16, DType::F32, &Device::Cpu)?);
//! let head = Var::randn(0f32, 0.2, (2, 16), &Device::Cpu)?;
//!
//! let y = conv2d(&images, &filters, None, &Conv2dConfig::new(1, 1))?;
//! let y = batch_norm_train(&y, &gamma, &beta, 1e-5, Activation::Relu)?.y;
//! let logits = linear(&global_avg_pool(&y)?, &head, None)?;
//! let gradients = cross_entropy(&logits, &labels, 0.0)?.backward()?;
//! assert_eq!(gradients.get(&filters).map(Tensor::dims), Some(&[16, 3, 3, 3][..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What there is
//!
//! | | |
//! | --- | --- |
//! | Convolution | [`conv2d`], and for inference [`conv2d_act`] and [`FrozenConv2d`]; [`Conv2dConfig`] |
//! | Normalisation | [`batch_norm_train`], [`update_running_stats`], [`fold_batch_norm`] |
//! | Pooling | [`max_pool2d`], [`avg_pool2d`], [`adaptive_avg_pool2d`], [`global_avg_pool`] |
//! | Elementwise | [`Activation`], [`add_act`], [`dropout`] |
//! | Channels | [`scale_channels`], [`scale_channels_inplace`], [`assemble_channels`] |
//! | Head and loss | [`linear`], [`cross_entropy`] |
//! | Training without an autograd graph | module [`gradients`], [`sgd_step`] |
//! | Activations in blocks of channels | module [`blocked`] |
//! | Layers of transformers | module [`tokens`] |
//! | Settings of the process | module [`runtime`] |
//!
//! # Fused and portable
//!
//! Every layer has two implementations. For f32 tensors on the CPU it is a fused kernel (for AVX-512, AVX2,
//! or whatever the compiler targets, chosen at run time) that is a custom operation of Candle's autograd
//! graph. For all other tensors (f64, CUDA without in9-cuda) it is composed of Candle's own operations, without those whose
//! gradients are wrong in Candle 0.11. Both give the same results up to rounding, forward and backward.
//!
//! # Determinism
//!
//! Results do not depend on the number of threads. Those of an image do not depend on the other images of
//! its batch, except where the layer itself does, as batch norm in training (and its convolutions in
//! blocks, [`blocked::conv2d`], whose method is chosen by the size of the batch). They do depend on the
//! instruction set, and on whether activations are in planes or in blocks, in the last digits.
//!
//! # Speed
//!
//! Call [`runtime::init`] first in `main`. For inference use plain tensors as weights: for a
//! [`Var`](candle_core::Var) Candle keeps all intermediate results.
//!
//! # Features
//!
//! - `cuda`: on a GPU that `in9_cuda::device::open` opened, f32 and bf16 tensors run on in9-cuda's kernels and on
//!   cuDNN where no gradient is asked for or a `Recording` is under way. Everything else there is composed of Candle's
//!   own operations.
#![deny(missing_docs)]

mod activation;
mod add;
pub mod blocked;
mod channels;
mod conv;
mod cpu;
mod dropout;
mod error;
#[cfg(feature = "cuda")]
mod gpu;
pub mod gradients;
mod linear;
mod loss;
mod norm;
mod output;
mod pool;
mod portable;
#[cfg(feature = "cuda")]
mod recording;
mod reshape;
pub mod runtime;
mod scale;
mod scratch;
mod sgd;
mod simd;
pub mod tokens;

pub use activation::Activation;
pub use add::add_act;
pub use channels::{ChannelSource, assemble_channels};
pub use conv::{Conv2dConfig, FrozenConv2d, conv2d, conv2d_act};
pub use dropout::dropout;
#[cfg(feature = "cuda")]
pub use dropout::dropout_on_gpu;
pub use error::{Error, Result};
pub use linear::linear;
pub use loss::cross_entropy;
pub use norm::{BatchNormOutput, batch_norm_train, fold_batch_norm, update_running_stats};
pub use pool::{adaptive_avg_pool2d, avg_pool2d, global_avg_pool, max_pool2d};
#[cfg(feature = "cuda")]
pub use recording::Recording;
pub use reshape::{network_input, reshape};
pub use scale::{scale_channels, scale_channels_inplace};
#[cfg(feature = "cuda")]
pub use sgd::sgd_step_on_gpu;
pub use sgd::{SgdStep, sgd_step};

/// Compiles and runs the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
