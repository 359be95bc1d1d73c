//! The layers of convolutional networks on NVIDIA GPUs.
//!
//! Two halves. [`plan`] says for every layer which kernels are launched with which grids, blocks and arguments, as
//! data that depends on sizes only; it needs no GPU, and the tests run it on the host, with the threads of a block
//! emulated and every access to memory checked, beside the CPU's kernels. With the feature `cuda`, module `device`
//! runs the plans and cuDNN's convolutions on Candle's tensors.
//!
//! ```
//! use in9_cuda::{Activation, launch::Element, plan};
//!
//! // Batch norm of 32 images of 56×56 pixels and 64 channels, with ReLU.
//! let x = plan::Matrix { rows: 32 * 56 * 56, channels: 64, element: Element::Bf16 };
//! let norm = plan::norm::BatchNorm { x, eps: 1e-5, activation: Activation::Relu, residual: false };
//! let kernels: Vec<_> = norm.forward().launches.into_iter().map(|launch| launch.kernel).collect();
//! assert_eq!(kernels, ["moments_bf16x8", "moments_finish_bf16", "affine", "normalize_bf16x8"]);
//! ```
#![deny(missing_docs)]

mod activation;
pub mod launch;
pub mod plan;

#[cfg(feature = "cuda")]
pub mod device;

pub use activation::Activation;
