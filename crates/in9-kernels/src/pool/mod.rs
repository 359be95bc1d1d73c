//! Pooling with padding and correct gradients.
//!
//! Candle 0.11 does not support padding, supports gradients only if kernel and stride are equal, and scales
//! the gradient of max pooling by the number of maxima divided by the size of the window.

mod average;
mod max;
mod windows;

pub use average::{adaptive_avg_pool2d, avg_pool2d, global_avg_pool};
pub(crate) use max::gradient as max_pool2d_gradient;
pub use max::max_pool2d;
pub(crate) use windows::Windows;
