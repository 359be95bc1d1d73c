//! Attention with several heads.

use candle_core::{D, Tensor};
use in9_kernels::tokens::{self, Heads, Nonlinearity};

use super::rotary::Rotary;
use super::{SMALL, linear};
use crate::error::{Error, Result};
use crate::init::Init;
use crate::layers::Linear;
use crate::model::Context;
use crate::params::{Kind, Params};

/// Which of queries, keys and values have a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QkvBias {
    /// All, in one tensor: `qkv.bias`.
    All,
    /// Queries and values, in tensors of their own: `q_bias`, `v_bias`.
    NotKeys,
    /// None.
    None,
}

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
        Self::with_bias(params, width, heads, QkvBias::All)
    }

    /// As [`Attention::new`], but for the biases of queries, keys and values.
    pub(crate) fn with_bias(params: &Params, width: usize, heads: usize, bias: QkvBias) -> Result<Self> {
        let qkv = match bias {
            QkvBias::All => linear(params, "qkv", width, 3 * width)?,
            QkvBias::NotKeys | QkvBias::None => {
                let weight = params.get("qkv.weight", &[3 * width, width], Kind::Weight, SMALL)?.value;
                let one = |name| params.get(name, &[width], Kind::Bias, Init::Constant(0.0));
                let bias = match bias {
                    QkvBias::NotKeys => {
                        let (queries, values) = (one("q_bias")?.value, one("v_bias")?.value);
                        Some(Tensor::cat(&[&queries, &queries.zeros_like()?, &values], 0)?)
                    }
                    _ => None,
                };
                Linear::of(weight, bias)
            }
        };
        Ok(Self { qkv, proj: linear(params, "proj", width, width)?, width, heads })
    }

    /// Parameters `qkv` and `proj`, where the outputs of `qkv` lie head by head: queries, keys and values of the first, then
    /// those of the second.
    pub(crate) fn by_head(params: &Params, width: usize, heads: usize) -> Result<Self> {
        let get =
            |name: &str, shape: &[usize], kind| Ok::<_, Error>(params.get(name, shape, kind, SMALL)?.value);
        let weight = get("qkv.weight", &[3 * width, width], Kind::Weight)?;
        let weight = weight.reshape((heads, 3, width / heads, width))?.transpose(0, 1)?.contiguous()?;
        let bias = get("qkv.bias", &[3 * width], Kind::Bias)?;
        let bias = bias.reshape((heads, 3, width / heads))?.transpose(0, 1)?.contiguous()?;
        let qkv = Linear::of(weight.reshape((3 * width, width))?, Some(bias.flatten_all()?));
        Ok(Self { qkv, proj: linear(params, "proj", width, width)?, width, heads })
    }

    /// The same attention, whose outputs are multiplied by `scale`, `[width]`.
    pub(crate) fn scaled(self, scale: &Tensor) -> Result<Self> {
        Ok(Self { proj: self.proj.scaled(scale)?, ..self })
    }

    /// Tokens attend to each other, and what goes around them is added; `rotary` turns queries and keys by where they are.
    ///
    /// # Shapes
    /// - `x`, `residual`, output: `[n, tokens, width]`
    /// - `mask`, added to the products of queries (rows) and keys (columns): `[tokens, tokens]`, `[heads, tokens, tokens]`,
    ///   or `[windows, heads, tokens, tokens]`, where the windows of a picture follow each other along `n`
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        residual: Option<&Tensor>,
        mask: Option<&Tensor>,
        rotary: Option<&Rotary>,
        context: &mut Context,
    ) -> Result<Tensor> {
        let qkv = self.qkv.forward(x)?;
        let part = |i: usize| qkv.narrow(2, i * self.width, self.width);
        let y = self.attend(&part(0)?, &part(1)?, &part(2)?, mask, rotary, context)?;
        self.proj.finished(&y, Nonlinearity::None, residual)
    }

    /// The tokens `queries` attend to the tokens `x`.
    ///
    /// # Shapes
    /// - `queries`, output: `[n, m, width]`
    /// - `x`: `[n, tokens, width]`
    pub(crate) fn across(&self, queries: &Tensor, x: &Tensor, context: &mut Context) -> Result<Tensor> {
        let part = |i: usize, x: &Tensor| self.qkv.outputs(i * self.width, self.width)?.forward(x);
        let y = self.attend(&part(0, queries)?, &part(1, x)?, &part(2, x)?, None, None, context)?;
        self.proj.forward(&y)
    }

    /// What the heads read, `[n, queries, width]`.
    fn attend(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        mask: Option<&Tensor>,
        rotary: Option<&Rotary>,
        context: &mut Context,
    ) -> Result<Tensor> {
        let has_no_graph = [q, k, v].into_iter().all(tokens::runs_on);
        if has_no_graph && context.rollout.is_none() && Heads::suits(self.width, self.heads) {
            let rotation = rotary.map(Rotary::angles);
            return Ok(tokens::attention(q, k, v, &Heads { heads: self.heads, mask, rotation })?);
        }
        let (n, tokens, _) = q.dims3()?;
        let channels = self.width / self.heads;
        let heads = |x: &Tensor| -> Result<Tensor> {
            Ok(x.reshape((n, x.dim(1)?, self.heads, channels))?.transpose(1, 2)?.contiguous()?)
        };
        let (mut q, mut k) = (heads(q)?, heads(k)?);
        if let Some(rotary) = rotary {
            (q, k) = (rotary.turn(&q)?, rotary.turn(&k)?);
        }
        let mut products = (q * (channels as f64).powf(-0.5))?.matmul(&k.t()?)?;
        if let Some(mask) = mask {
            products = match mask.dims() {
                &[windows, _, _, _] => {
                    let keys = k.dim(2)?;
                    let by_window = products.reshape((n / windows, windows, self.heads, tokens, keys))?;
                    by_window.broadcast_add(mask)?.reshape((n, self.heads, tokens, keys))?
                }
                _ => products.broadcast_add(mask)?,
            };
        }
        let shares = candle_nn::ops::softmax(&products, D::Minus1)?;
        if let Some(rollout) = &mut context.rollout {
            rollout.attend(&shares)?;
        }
        Ok(shares.matmul(&heads(v)?)?.transpose(1, 2)?.reshape((n, tokens, self.width))?)
    }
}
