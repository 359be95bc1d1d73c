//! The architectures, one family a file.

pub mod alexnet;
#[cfg(feature = "transformers")]
pub(crate) mod candle_backend;
#[cfg(feature = "transformers")]
pub mod convnext;
#[cfg(feature = "transformers")]
pub mod dino;
pub mod dpn;
pub mod efficientnet;
mod inverted_residual;
pub mod mobilenet_v2;
pub mod mobilenet_v3;
pub mod mobilenet_v3_timm;
pub mod resnet;
pub mod resnet_small;
pub mod shufflenet_v2;
#[cfg(feature = "transformers")]
pub mod swin;
mod timm_blocks;
#[cfg(feature = "transformers")]
pub mod transformer;
pub mod vgg;
#[cfg(feature = "transformers")]
pub mod vit;
