//! One block: attention and a perceptron, each behind a norm, scaled by channel, beside a way around it.

use candle_core::Tensor;

use super::{DinoConfig, Generation};
use crate::arch::transformer::{Attention, LayerNorm, Nonlinearity, Perceptron, QkvBias, Rotary, linear};
use crate::error::Result;
use crate::init::Init;
use crate::layers::{Activation, Linear};
use crate::model::Context;
use crate::params::{Kind, Params};

pub(super) struct Block {
    norm1: LayerNorm,
    attention: Attention,
    norm2: LayerNorm,
    perceptron: Inner,
    /// What the input of its attention is called.
    pub(super) tap: String,
}

enum Inner {
    Plain(Perceptron),
    Gated(Gated),
}

impl Block {
    /// Parameters `norm1`, `attn`, `norm2`, `mlp`, and the scales: `ls1.gamma` and `ls2.gamma` in DINOv2, `gamma_1` and
    /// `gamma_2` in DINOv3.
    pub(super) fn new(params: &Params, config: &DinoConfig) -> Result<Self> {
        let sizes = &config.encoder;
        let width = sizes.width;
        let norm = |name| LayerNorm::new(params, name, width, sizes.epsilon);
        // As the authors start it.
        let scale = |name: &str| params.get(name, &[width], Kind::Norm, Init::Constant(1e-5));
        let (names, bias, gated) = match config.generation {
            Generation::V2 { .. } => (["ls1.gamma", "ls2.gamma"], QkvBias::All, false),
            Generation::V3 { bias, gated } => (["gamma_1", "gamma_2"], bias, gated),
        };
        let mlp = params.at("mlp");
        let attention = Attention::with_bias(&params.at("attn"), width, sizes.heads, bias)?;
        let (scale1, scale2) = (scale(names[0])?.value, scale(names[1])?.value);
        Ok(Self {
            norm1: norm("norm1")?,
            attention: attention.scaled(&scale1)?,
            norm2: norm("norm2")?,
            perceptron: match gated {
                true => Inner::Gated(Gated::new(&mlp, width, sizes.hidden)?.scaled(&scale2)?),
                false => Inner::Plain(Perceptron::new(&mlp, sizes)?.scaled(&scale2)?),
            },
            tap: params.name("norm1"),
        })
    }

    /// # Shapes
    /// - `x`, output: `[n, tokens, width]`
    /// - `grid`: rows and columns of patches, which stand last among the tokens
    pub(super) fn forward(
        &self,
        x: &Tensor,
        rotary: Option<&Rotary>,
        grid: [usize; 2],
        context: &mut Context,
    ) -> Result<Tensor> {
        let behind = context.tap_tokens(&self.tap, self.norm1.forward(x)?, grid)?;
        let x = self.attention.forward(&behind, Some(x), None, rotary, context)?;
        if let Some(rollout) = &mut context.rollout {
            rollout.block()?;
        }
        let behind = self.norm2.forward(&x)?;
        match &self.perceptron {
            Inner::Plain(perceptron) => perceptron.forward(&behind, &x),
            Inner::Gated(gated) => gated.forward(&behind, &x),
        }
    }
}

/// A perceptron whose hidden channels are multiplied by gates, `silu(gate) · x` (Shazeer 2020, arXiv 2002.05202).
struct Gated {
    gate: Linear,
    fc1: Linear,
    fc2: Linear,
}

impl Gated {
    /// Parameters `fc1_g`, `fc1_x` and `fc2`.
    fn new(params: &Params, width: usize, hidden: usize) -> Result<Self> {
        Ok(Self {
            gate: linear(params, "fc1_g", width, hidden)?,
            fc1: linear(params, "fc1_x", width, hidden)?,
            fc2: linear(params, "fc2", hidden, width)?,
        })
    }

    /// The same, whose outputs are multiplied by `scale`, `[width]`.
    fn scaled(self, scale: &Tensor) -> Result<Self> {
        Ok(Self { fc2: self.fc2.scaled(scale)?, ..self })
    }

    /// # Shapes
    /// - `x`, `residual`, output: `[n, tokens, width]`
    fn forward(&self, x: &Tensor, residual: &Tensor) -> Result<Tensor> {
        let gate = Activation::Silu.apply(&self.gate.forward(x)?)?;
        self.fc2.finished(&(gate * self.fc1.forward(x)?)?, Nonlinearity::None, Some(residual))
    }
}
