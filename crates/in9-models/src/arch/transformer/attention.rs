//! Attention with several heads.

use candle_core::{D, Tensor};

use super::{fused, linear};
use crate::error::Result;
use crate::layers::Linear;
use crate::params::Params;

/// Attention of tokens to each other, or of other tokens to them.
pub(crate) struct Attention {
    /// `[3 width, width]`: queries, keys, values.
    qkv: Linear,
    proj: Linear,
    width: usize,
    heads: usize,
}

impl Attention {
    /// Parameters `qkv` and `proj`, both with biases.
    pub(crate) fn new(params: &Params, width: usize, heads: usize) -> Result<Self> {
        Ok(Self {
            qkv: linear(params, "qkv", width, 3 * width)?,
            proj: linear(params, "proj", width, width)?,
            width,
            heads,
        })
    }

    /// Tokens attend to each other.
    ///
    /// # Shapes
    /// - `x`, output: `[n, tokens, width]`
    /// - `mask`: `[tokens, tokens]`
    pub(crate) fn forward(&self, x: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let qkv = self.qkv.forward(x)?;
        let part = |i: usize| qkv.narrow(2, i * self.width, self.width);
        self.attend(&part(0)?, &part(1)?, &part(2)?, mask)
    }

    /// The tokens `queries` attend to the tokens `x`.
    ///
    /// # Shapes
    /// - `queries`, output: `[n, m, width]`
    /// - `x`: `[n, tokens, width]`
    pub(crate) fn across(&self, queries: &Tensor, x: &Tensor) -> Result<Tensor> {
        let part = |i: usize, x: &Tensor| self.qkv.outputs(i * self.width, self.width)?.forward(x);
        self.attend(&part(0, queries)?, &part(1, x)?, &part(2, x)?, None)
    }

    fn attend(&self, q: &Tensor, k: &Tensor, v: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let (n, tokens, _) = q.dims3()?;
        let channels = self.width / self.heads;
        let heads = |x: &Tensor| -> Result<Tensor> {
            Ok(x.reshape((n, x.dim(1)?, self.heads, channels))?.transpose(1, 2)?.contiguous()?)
        };
        let q = (heads(q)? * (channels as f64).powf(-0.5))?;
        let mut products = q.matmul(&heads(k)?.t()?)?;
        if let Some(mask) = mask {
            products = products.broadcast_add(mask)?;
        }
        let shares = match fused(&products) {
            true => candle_nn::ops::softmax_last_dim(&products)?,
            false => candle_nn::ops::softmax(&products, D::Minus1)?,
        };
        let y = shares.matmul(&heads(v)?)?.transpose(1, 2)?.reshape((n, tokens, self.width))?;
        self.proj.forward(&y)
    }
}
