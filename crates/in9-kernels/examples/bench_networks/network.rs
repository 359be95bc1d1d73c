//! The networks that are timed, in plain Candle plus this crate.

use crate::{
    block::{Block, Tape, basic, bottleneck, inverted},
    layers::{ConvNorm, Layers},
};
use anyhow::bail;
use candle_core::{Result, Tensor, Var};
use in9_kernels::{Activation, cross_entropy, global_avg_pool, gradients, linear, max_pool2d};

/// The pooling after the stem, by its kernel.
#[derive(Clone, Copy)]
enum Pool {
    None,
    Three,
    Two,
}

/// A network with its weights.
pub(crate) struct Network {
    stem: ConvNorm,
    pool: Pool,
    blocks: Vec<Block>,
    head: Option<ConvNorm>,
    w: Var,
    bias: Var,
}

impl Network {
    pub(crate) fn new(name: &str, classes: usize, small_pool: bool, layers: &Layers) -> anyhow::Result<Self> {
        let (stem, pool, mut width) = match name {
            "resnet-small" => (layers.conv(3, 32, 3, 2, 1, Activation::Relu)?, Pool::None, 32),
            "resnet18" | "resnet50" => {
                let pool = if small_pool { Pool::Two } else { Pool::Three };
                (layers.conv(3, 64, 7, 2, 1, Activation::Relu)?, pool, 64)
            }
            "mobilenet-v2" => (layers.conv(3, 32, 3, 2, 1, Activation::Relu6)?, Pool::None, 32),
            other => bail!("unknown network {other}"),
        };
        let mut blocks = Vec::new();
        let mut head = None;
        match name {
            "resnet-small" => {
                for w in [32, 32, 64, 64, 128, 128, 256, 256] {
                    blocks.push(basic(layers, width, w, if w == width { 1 } else { 2 })?);
                    width = w;
                }
            }
            "resnet18" => {
                for (i, w) in [64, 64, 128, 128, 256, 256, 512, 512].into_iter().enumerate() {
                    blocks.push(basic(layers, width, w, if i > 0 && w != width { 2 } else { 1 })?);
                    width = w;
                }
            }
            "resnet50" => {
                for (stage, count) in [3, 4, 6, 3].into_iter().enumerate() {
                    for i in 0..count {
                        let stride = if stage > 0 && i == 0 { 2 } else { 1 };
                        blocks.push(bottleneck(layers, width, 64 << stage, stride)?);
                        width = 256 << stage;
                    }
                }
            }
            _ => {
                let table = [
                    (1, 16, 1, 1),
                    (6, 24, 2, 2),
                    (6, 32, 3, 2),
                    (6, 64, 4, 2),
                    (6, 96, 3, 1),
                    (6, 160, 3, 2),
                    (6, 320, 1, 1),
                ];
                for (expansion, out, count, stride) in table {
                    for i in 0..count {
                        blocks.push(inverted(
                            layers,
                            width,
                            out,
                            expansion,
                            if i == 0 { stride } else { 1 },
                        )?);
                        width = out;
                    }
                }
                head = Some(layers.conv(width, 1280, 1, 1, 1, Activation::Relu6)?);
                width = 1280;
            }
        }
        Ok(Self {
            stem,
            pool,
            blocks,
            head,
            w: layers.weight(&[classes, width], 0.05)?,
            bias: layers.weight(&[classes], 0.05)?,
        })
    }

    /// The loss of a batch, and what [`Network::backward`] needs.
    pub(crate) fn forward(&self, x: &Tensor, labels: &Tensor) -> Result<(Tensor, Tape)> {
        let mut layers = Vec::new();
        let stem = self.stem.forward(x, &mut layers)?;
        let mut x = self.pool(&stem)?;
        let mut tape =
            Tape { layers, sums: Vec::new(), stem, head_input: Var::zeros(1, x.dtype(), x.device())? };
        for block in &self.blocks {
            x = block.forward(&x, &mut tape)?;
        }
        if let Some(head) = &self.head {
            x = head.forward(&x, &mut tape.layers)?;
        }
        // The head is small, so Candle's autograd is fast enough for it.
        tape.head_input = Var::from_tensor(&x)?;
        let logits = linear(&global_avg_pool(&tape.head_input)?, &self.w, Some(&self.bias))?;
        Ok((cross_entropy(&logits, labels, 0.0)?, tape))
    }

    /// The gradient of every weight.
    pub(crate) fn backward(&self, loss: &Tensor, mut tape: Tape) -> Result<Vec<(Var, Tensor)>> {
        let mut store = loss.backward()?;
        let mut take = |variable: &Var| match store.remove(variable) {
            Some(gradient) => Ok(gradient),
            None => candle_core::bail!("a weight without a gradient"),
        };
        let mut weights = vec![(self.w.clone(), take(&self.w)?), (self.bias.clone(), take(&self.bias)?)];
        let mut d = take(&tape.head_input)?;
        tape.head_input = Var::zeros(1, d.dtype(), d.device())?;
        if let Some(head) = &self.head
            && let Some(forward) = tape.layers.pop()
            && let Some(dx) = head.backward(forward, &d, true, &mut weights)?
        {
            d = dx;
        }
        for block in self.blocks.iter().rev() {
            d = block.backward(d, &mut tape, &mut weights)?;
        }
        if let Some((kernel, stride, padding)) = self.pool.setting() {
            d = gradients::max_pool2d(&tape.stem, kernel, stride, padding, &d)?;
        }
        if let Some(forward) = tape.layers.pop() {
            self.stem.backward(forward, &d, false, &mut weights)?;
        }
        Ok(weights)
    }

    /// Inference in slices of `slice` images, whose activations stay in a cache. The result of an image does
    /// not depend on the others, so slicing changes no bit of it.
    pub(crate) fn infer(&self, x: &Tensor, slice: usize) -> Result<Tensor> {
        let n = x.dim(0)?;
        let part = |first: usize| self.infer_slice(&x.narrow(0, first, slice.min(n - first))?);
        let parts: Vec<Tensor> = (0..n).step_by(slice.max(1)).map(part).collect::<Result<_>>()?;
        Tensor::cat(&parts, 0)
    }

    fn infer_slice(&self, x: &Tensor) -> Result<Tensor> {
        let mut x = self.stem.infer(x, None, self.stem.activation)?;
        x = self.pool(&x)?;
        for block in &self.blocks {
            x = block.infer(&x)?;
        }
        if let Some(head) = &self.head {
            x = head.infer(&x, None, head.activation)?;
        }
        let (w, bias) = (self.w.as_detached_tensor(), self.bias.as_detached_tensor());
        Ok(linear(&global_avg_pool(&x)?, &w, Some(&bias))?)
    }

    fn pool(&self, x: &Tensor) -> Result<Tensor> {
        match self.pool.setting() {
            Some((kernel, stride, padding)) => Ok(max_pool2d(x, kernel, stride, padding)?),
            None => Ok(x.clone()),
        }
    }
}

impl Pool {
    /// Kernel, stride and padding.
    fn setting(self) -> Option<([usize; 2], [usize; 2], [usize; 4])> {
        match self {
            Pool::None => None,
            Pool::Three => Some(([3, 3], [2, 2], [1; 4])),
            Pool::Two => Some(([2, 2], [2, 2], [0; 4])),
        }
    }
}
