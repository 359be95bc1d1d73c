//! One block: attention inside windows and a perceptron, each behind a norm and beside a way around it.

use candle_core::Tensor;

use super::EPSILON;
use super::windows::{Windows, places};
use crate::arch::transformer::{Attention, EncoderConfig, LayerNorm, Nonlinearity, Perceptron, SMALL};
use crate::error::Result;
use crate::model::Context;
use crate::params::{Kind, Params};

pub(super) struct Block {
    norm1: LayerNorm,
    attention: Attention,
    /// What is added to the products of two tokens of a window, by how far they are apart, `[heads, area, area]`.
    bias: Tensor,
    /// Whether its windows lie across the corners of the others'.
    shifted: bool,
    norm2: LayerNorm,
    perceptron: Perceptron,
}

impl Block {
    /// Parameters `norm1`, `attn`, `attn.relative_position_bias_table`, `norm2`, `mlp`.
    pub(super) fn new(
        params: &Params,
        width: usize,
        heads: usize,
        window: usize,
        shifted: bool,
    ) -> Result<Self> {
        let nonlinearity = Nonlinearity::Gelu;
        let sizes =
            EncoderConfig { width, layers: 1, heads, hidden: 4 * width, nonlinearity, epsilon: EPSILON };
        sizes.check()?;
        let norm = |name| LayerNorm::new(params, name, width, EPSILON);
        let norm1 = norm("norm1")?;
        let (steps, area) = (2 * window - 1, window * window);
        let attn = params.at("attn");
        let table = attn.get("relative_position_bias_table", &[steps * steps, heads], Kind::Bias, SMALL)?;
        let places = Tensor::from_vec(places(window), area * area, params.device())?;
        let bias = table.value.index_select(&places, 0)?.reshape((area, area, heads))?;
        Ok(Self {
            norm1,
            attention: Attention::new(&attn, width, heads)?,
            bias: bias.permute((2, 0, 1))?.contiguous()?,
            shifted,
            norm2: norm("norm2")?,
            perceptron: Perceptron::new(&params.at("mlp"), &sizes)?,
        })
    }

    /// # Shapes
    /// - `x`, output: `[n, rows, columns, width]`
    pub(super) fn forward(&self, x: &Tensor, windows: &Windows, context: &mut Context) -> Result<Tensor> {
        let behind = self.norm1.forward(x)?;
        let tokens = windows.cut(&behind, self.shifted)?;
        let attended = match windows.mask(self.shifted) {
            None => self.attention.forward(&tokens, None, Some(&self.bias), None, context)?,
            Some(mask) => {
                let mask = mask.broadcast_add(&self.bias)?;
                self.attention.forward(&tokens, None, Some(&mask), None, context)?
            }
        };
        if let Some(rollout) = &mut context.rollout {
            let (n, rows, columns, _) = x.dims4()?;
            let cut = |x: &Tensor| windows.cut(x, self.shifted);
            let joined = |x: &Tensor| windows.joined(x, self.shifted);
            rollout.windows([rows, columns], tokens.dim(0)? / n, &cut, &joined)?;
        }
        let x = (x + windows.joined(&attended, self.shifted)?)?;
        let (n, rows, columns, width) = x.dims4()?;
        let x = x.reshape((n, rows * columns, width))?;
        let y = self.perceptron.forward(&self.norm2.forward(&x)?, &x)?;
        Ok(y.reshape((n, rows, columns, width))?)
    }
}
