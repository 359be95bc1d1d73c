//! What runs on a GPU: plans, cuDNN's convolutions, and the layers as functions on Candle's tensors.
//!
//! An activation of `[n, channels, h, w]` lies channels last in memory, as a tensor whose strides say so; the
//! functions here take any strides and give these. None is a node of Candle's graph: each layer has a function for
//! its gradients.
//!
//! Everything of one device runs on one stream, in order. Nothing waits for the host but what reads a result.

mod conv;
mod error;
mod gpu;
mod graph;
mod info;
mod layers;
mod run;
mod tensors;

pub use conv::{Conv2d, Filters};
pub use error::{Error, Result};
pub use gpu::{Gpu, Settings, open};
pub use graph::Replay;
pub use info::Info;
pub use layers::{
    Key, activation, activation_gradient, add_act, add_act_gradient, assemble, assemble_gradient, avg_pool,
    avg_pool_gradient, batch_norm, batch_norm_gradients, bias_gradient, cast, channels_last, compose,
    correct, cross_entropy, cross_entropy_gradient, dropout, linear, linear_gradients, max_pool,
    max_pool_gradient, plane_mean, plane_mean_gradient, running_statistics, scale, scale_gradients, sgd,
};
