//! Pooling with padding, and with the right gradients.
//!
//! Candle 0.11 cannot pad, refuses the gradient when kernel and stride differ, and scales the
//! gradient of max pooling by the number of maxima over the window's size; none of that is used.

mod average;
mod max;
mod windows;

pub use average::{adaptive_avg_pool2d, avg_pool2d, global_avg_pool};
pub(crate) use max::gradient as max_pool2d_gradient;
pub use max::max_pool2d;
pub(crate) use windows::Windows;
