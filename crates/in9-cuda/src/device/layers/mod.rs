//! The layers as functions on tensors, and their gradients.

mod channels;
mod compose;
mod elementwise;
mod head;
mod norm;
mod pool;

pub use channels::{assemble, assemble_gradient, scale, scale_gradients};
pub use compose::compose;
pub use elementwise::{
    Key, activation, activation_gradient, add_act, add_act_gradient, cast, channels_last, dropout, sgd,
};
pub use head::{correct, cross_entropy, cross_entropy_gradient, linear, linear_gradients};
pub use norm::{batch_norm, batch_norm_gradients, bias_gradient, running_statistics};
pub use pool::{avg_pool, avg_pool_gradient, max_pool, max_pool_gradient, plane_mean, plane_mean_gradient};

use candle_core::Tensor;

use super::Result;
use super::tensors::{element, room};
use crate::plan::Matrix;
use crate::plan::pool::Planes;

/// The matrix that `[n, h, w, channels]` is.
fn matrix(x: &Tensor) -> Result<Matrix> {
    let (n, h, w, channels) = x.dims4()?;
    Ok(Matrix { rows: n * h * w, channels, element: element(x)? })
}

fn planes(x: &Tensor) -> Result<Planes> {
    let (n, h, w, channels) = x.dims4()?;
    Ok(Planes { n, plane: h * w, channels, element: element(x)? })
}

fn like(x: &Tensor) -> Result<Tensor> {
    room(x, element(x)?, x.shape())
}
