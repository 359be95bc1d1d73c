//! Layers of transformers on rows of channels, for evaluation.
//!
//! A token is a row of channels that lie together: a tensor is `[…, tokens, width]`, as PyTorch has it. [`FrozenLinear`]
//! packs its weights once and finishes each piece of its product while that is in the cache: bias, [`Nonlinearity`], what
//! goes around the layer. [`attention`] holds the shares of some queries of one head at a time, and never those of all.
//! [`layer_norm`] reads each row once from memory.
//!
//! Nothing here is a part of Candle's autograd graph. [`runs_on`] says which tensors are taken.
//!
//! ```
//! use candle_core::{DType, Device, Tensor};
//! use in9_kernels::tokens::{self, FrozenLinear, Nonlinearity};
//!
//! let x = Tensor::ones((2, 5, 16), DType::F32, &Device::Cpu)?;
//! assert!(tokens::runs_on(&x));
//! let weight = Tensor::full(0.1f32, (3 * 16, 16), &Device::Cpu)?;
//! let qkv = FrozenLinear::new(&weight, None)?.forward(&x, Nonlinearity::None, None)?;
//! let [q, k, v] = [0, 1, 2].map(|part| qkv.narrow(2, part * 16, 16));
//! let y = tokens::attention(&q?, &k?, &v?, &tokens::Heads { heads: 2, mask: None, rotation: None })?;
//! assert_eq!(y.dims(), [2, 5, 16]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attention;
mod linear;
mod nonlinearity;
mod norm;
mod pack;
mod softmax;

pub use attention::{Heads, attention};
pub use linear::FrozenLinear;
pub use nonlinearity::Nonlinearity;
pub use norm::layer_norm;

use candle_core::Tensor;

use crate::cpu;

/// Whether the layers of this module take `x`: f32 on the CPU, of which no gradient is wanted.
pub fn runs_on(x: &Tensor) -> bool {
    cpu::supported(&[x]) && !x.track_op()
}
