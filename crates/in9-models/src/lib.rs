//! The networks of the ImageNet-9 paper on Candle: architectures, weights, training, prediction.
//!
//! A [`Model`] is built by [`build`] from the name of an architecture and a store of parameters
//! ([`Params`]), random or from a file:
//!
//! ```
//! use candle_core::{DType, Device, Tensor};
//! use in9_models::{Mode, Params, build};
//!
//! # fn main() -> in9_models::Result<()> {
//! let params = Params::random(0, DType::F32, &Device::Cpu);
//! let model = build("resnet-tiny", 9, &params)?;
//! let pictures = Tensor::zeros((2, 3, 64, 64), DType::F32, &Device::Cpu)?;
//! let scores = model.frozen()?.forward(&pictures, Mode::Eval)?;
//! assert_eq!(scores.dims(), [2, 9]);
//! # Ok(())
//! # }
//! ```
#![deny(missing_docs)]

pub mod arch;
pub mod ask;
pub mod classifier;
#[cfg(feature = "cli")]
pub mod cli;
mod context;
pub mod device;
pub mod encoder;
pub mod error;
pub mod init;
pub mod layers;
pub mod mapping;
pub mod model;
mod model_file;
pub mod npy;
pub mod open;
pub mod params;
mod pictures;
pub mod predict;
pub mod preprocess;
pub mod probe;
pub mod registry;
mod replay;
#[cfg(feature = "cuda")]
pub mod resident;
#[cfg_attr(not(feature = "transformers"), allow(dead_code, reason = "nothing else attends"))]
mod rollout;
#[cfg(feature = "transformers")]
pub mod sam;
pub mod scorer;
mod tape;
pub mod train;
pub mod weights;
#[cfg(feature = "transformers")]
pub mod zero_shot;

pub use ask::{Ask, Asked};
pub use classifier::{Classifier, NetworkRecord};
pub use device::{Compute, DeviceName, Precision};
pub use encoder::Encoder;
pub use error::{Error, Result};
#[doc(no_inline)]
pub use in9_base::Piece;
/// Settings of the process that make the kernels fast; call [`runtime::init`] first in `main`.
pub use in9_kernels::runtime;
pub use init::Init;
pub use model::{Context, Mode, Model, Network, build};
pub use open::{Opened, open};
pub use params::{Kind, Parameter, Params};

/// What this build of the crate was made from: it changes with everything that its results may depend on.
pub const IDENTITY: &str = env!("IN9_IDENTITY");

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
