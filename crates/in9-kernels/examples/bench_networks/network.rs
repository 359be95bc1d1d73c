//! The networks that are timed, in plain Candle plus this crate.

use anyhow::bail;
use candle_core::{Device, Result, Tensor, Var};
use in9_kernels::{
    Activation, BatchNormOutput, Conv2dConfig, FrozenConv2d, add_act, batch_norm_train, conv2d,
    cross_entropy, fold_batch_norm, global_avg_pool, gradients, linear, max_pool2d, update_running_stats,
};
use std::cell::{OnceCell, RefCell};

/// Makes the weights and remembers them.
pub(crate) struct Layers {
    variables: RefCell<Vec<Var>>,
}

/// Numbers in -1..1 that depend on (seed, index) only.
pub(crate) fn numbers(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
        })
        .collect()
}

/// A hash of every bit of the weights.
pub(crate) fn hash(variables: &[Var]) -> Result<u64> {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for variable in variables {
        for v in variable.flatten_all()?.to_vec1::<f32>()? {
            hash = (hash ^ u64::from(v.to_bits())).wrapping_mul(0x0100_0000_01b3);
        }
    }
    Ok(hash)
}

impl Layers {
    pub(crate) fn new() -> Self {
        Self { variables: RefCell::new(Vec::new()) }
    }

    pub(crate) fn variables(&self) -> Vec<Var> {
        self.variables.borrow().clone()
    }

    fn weight(&self, shape: &[usize], scale: f32) -> Result<Var> {
        let seed = self.variables.borrow().len() as u64 + 2;
        let data = numbers(shape.iter().product(), seed).into_iter().map(|v| v * scale).collect();
        self.register(Var::from_vec(data, shape, &Device::Cpu)?)
    }

    fn register(&self, variable: Var) -> Result<Var> {
        self.variables.borrow_mut().push(variable.clone());
        Ok(variable)
    }

    fn conv(
        &self,
        inputs: usize,
        outputs: usize,
        kernel: usize,
        stride: usize,
        groups: usize,
        activation: Activation,
    ) -> Result<ConvNorm> {
        let fan = (inputs / groups * kernel * kernel) as f32;
        let vector = |value: f32| Var::from_tensor(&Tensor::full(value, outputs, &Device::Cpu)?);
        Ok(ConvNorm {
            w: self.weight(&[outputs, inputs / groups, kernel, kernel], (6.0 / fan).sqrt())?,
            gamma: self.register(vector(1.0)?)?,
            beta: self.register(vector(0.0)?)?,
            mean: vector(0.0)?,
            var: vector(1.0)?,
            config: Conv2dConfig::new(stride, kernel / 2).with_groups(groups),
            activation,
            folded: OnceCell::new(),
        })
    }
}

/// Convolution, batch norm and activation.
struct ConvNorm {
    w: Var,
    gamma: Var,
    beta: Var,
    mean: Var,
    var: Var,
    config: Conv2dConfig,
    activation: Activation,
    folded: OnceCell<FrozenConv2d>,
}

impl ConvNorm {
    /// Training: what [`ConvNorm::backward`] needs goes on the tape.
    fn forward(&self, x: &Tensor, tape: &mut Vec<Passed>) -> Result<Tensor> {
        let convolved = conv2d(x, &self.w.as_detached_tensor(), None, &self.config)?;
        let (gamma, beta) = (self.gamma.as_detached_tensor(), self.beta.as_detached_tensor());
        let output = batch_norm_train(&convolved, &gamma, &beta, 1e-5, self.activation)?;
        update_running_stats(&self.mean, &self.var, &output, 0.1)?;
        let y = output.y.clone();
        tape.push(Passed { x: x.clone(), convolved, output });
        Ok(y)
    }

    /// The gradient of the input, if wanted; those of the weights go to `found`.
    fn backward(
        &self,
        passed: Passed,
        dy: &Tensor,
        want_x: bool,
        found: &mut Vec<(Var, Tensor)>,
    ) -> Result<Option<Tensor>> {
        let Passed { x, convolved, output } = passed;
        let (gamma, beta) = (self.gamma.as_detached_tensor(), self.beta.as_detached_tensor());
        let [d, dgamma, dbeta] =
            gradients::batch_norm_train(&convolved, &gamma, &beta, &output, 1e-5, self.activation, dy)?;
        drop((convolved, output));
        let (dx, dw) = gradients::conv2d(&x, &self.w.as_detached_tensor(), &d, &self.config, want_x)?;
        let weights = [(&self.w, dw), (&self.gamma, dgamma), (&self.beta, dbeta)];
        found.extend(weights.map(|(variable, gradient)| (variable.clone(), gradient)));
        Ok(dx)
    }

    fn infer(&self, x: &Tensor, residual: Option<&Tensor>, activation: Activation) -> Result<Tensor> {
        let folded = match self.folded.get() {
            Some(folded) => folded,
            None => {
                let (w, bias) =
                    fold_batch_norm(&self.w, None, &self.gamma, &self.beta, &self.mean, &self.var, 1e-5)?;
                self.folded.get_or_init(|| FrozenConv2d::new(w, Some(bias)))
            }
        };
        Ok(folded.forward(x, &self.config, residual, activation)?)
    }
}

/// A layer as it was run.
struct Passed {
    x: Tensor,
    convolved: Tensor,
    output: BatchNormOutput,
}

/// What a training step keeps from its forward pass: the layers in order, both terms of every
/// residual addition, the stem's result, and where the head begins.
pub(crate) struct Tape {
    layers: Vec<Passed>,
    sums: Vec<(Tensor, Tensor)>,
    stem: Tensor,
    seam: Var,
}

/// Layers one after another, plus the input (through a projection if shapes differ).
struct Block {
    path: Vec<ConvNorm>,
    shortcut: Option<ConvNorm>,
    residual: bool,
    activation: Activation,
}

impl Block {
    fn forward(&self, x: &Tensor, tape: &mut Tape) -> Result<Tensor> {
        let mut y = x.clone();
        for layer in &self.path {
            y = layer.forward(&y, &mut tape.layers)?;
        }
        if !self.residual {
            return Ok(y);
        }
        let identity = match &self.shortcut {
            Some(shortcut) => shortcut.forward(x, &mut tape.layers)?,
            None => x.clone(),
        };
        let sum = add_act(&y, &identity, self.activation)?;
        tape.sums.push((y, identity));
        Ok(sum)
    }

    fn backward(&self, dy: Tensor, tape: &mut Tape, found: &mut Vec<(Var, Tensor)>) -> Result<Tensor> {
        let mut through = |layer: &ConvNorm, d: &Tensor| {
            let Some(passed) = tape.layers.pop() else { candle_core::bail!("the tape is too short") };
            match layer.backward(passed, d, true, found)? {
                Some(d) => Ok(d),
                None => candle_core::bail!("a layer gave no gradient"),
            }
        };
        let mut d = dy;
        let mut identity = None;
        if self.residual {
            let Some((y, other)) = tape.sums.pop() else { candle_core::bail!("the tape is too short") };
            d = gradients::add_act(&y, &other, self.activation, &d)?;
            identity = Some(match &self.shortcut {
                Some(shortcut) => through(shortcut, &d)?,
                None => d.clone(),
            });
        }
        for layer in self.path.iter().rev() {
            d = through(layer, &d)?;
        }
        match identity {
            Some(identity) => Ok(add_act(&d, &identity, Activation::None)?),
            None => Ok(d),
        }
    }

    fn infer(&self, x: &Tensor) -> Result<Tensor> {
        let Some((last, path)) = self.path.split_last() else { return Ok(x.clone()) };
        let mut y = x.clone();
        for layer in path {
            y = layer.infer(&y, None, layer.activation)?;
        }
        if !self.residual {
            return last.infer(&y, None, last.activation);
        }
        let shortcut = self.shortcut.as_ref();
        let shortcut = shortcut.map(|shortcut| shortcut.infer(x, None, Activation::None)).transpose()?;
        last.infer(&y, Some(shortcut.as_ref().unwrap_or(x)), self.activation)
    }
}

#[derive(Clone, Copy)]
enum Pool {
    None,
    Three,
    Two,
}

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
        let mut tape = Tape { layers, sums: Vec::new(), stem, seam: Var::zeros(1, x.dtype(), x.device())? };
        for block in &self.blocks {
            x = block.forward(&x, &mut tape)?;
        }
        if let Some(head) = &self.head {
            x = head.forward(&x, &mut tape.layers)?;
        }
        // The head is small: Candle's graph does for it.
        tape.seam = Var::from_tensor(&x)?;
        let logits = linear(&global_avg_pool(&tape.seam)?, &self.w, Some(&self.bias))?;
        Ok((cross_entropy(&logits, labels, 0.0)?, tape))
    }

    /// The gradient of every weight.
    pub(crate) fn backward(&self, loss: &Tensor, mut tape: Tape) -> Result<Vec<(Var, Tensor)>> {
        let mut store = loss.backward()?;
        let mut take = |variable: &Var| match store.remove(variable) {
            Some(gradient) => Ok(gradient),
            None => candle_core::bail!("a weight without a gradient"),
        };
        let mut found = vec![(self.w.clone(), take(&self.w)?), (self.bias.clone(), take(&self.bias)?)];
        let mut d = take(&tape.seam)?;
        tape.seam = Var::zeros(1, d.dtype(), d.device())?;
        if let Some(head) = &self.head
            && let Some(passed) = tape.layers.pop()
            && let Some(dx) = head.backward(passed, &d, true, &mut found)?
        {
            d = dx;
        }
        for block in self.blocks.iter().rev() {
            d = block.backward(d, &mut tape, &mut found)?;
        }
        if let Some((kernel, stride, padding)) = self.pool.setting() {
            d = gradients::max_pool2d(&tape.stem, kernel, stride, padding, &d)?;
        }
        if let Some(passed) = tape.layers.pop() {
            self.stem.backward(passed, &d, false, &mut found)?;
        }
        Ok(found)
    }

    /// Inference in slices of `slice` images, whose activations stay in a cache: an image's result
    /// does not depend on the others, so this changes no bit of it.
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

fn basic(layers: &Layers, inputs: usize, outputs: usize, stride: usize) -> Result<Block> {
    let shortcut = if stride != 1 || inputs != outputs {
        Some(layers.conv(inputs, outputs, 1, stride, 1, Activation::None)?)
    } else {
        None
    };
    Ok(Block {
        path: vec![
            layers.conv(inputs, outputs, 3, stride, 1, Activation::Relu)?,
            layers.conv(outputs, outputs, 3, 1, 1, Activation::None)?,
        ],
        shortcut,
        residual: true,
        activation: Activation::Relu,
    })
}

fn bottleneck(layers: &Layers, inputs: usize, width: usize, stride: usize) -> Result<Block> {
    let outputs = 4 * width;
    let shortcut = if stride != 1 || inputs != outputs {
        Some(layers.conv(inputs, outputs, 1, stride, 1, Activation::None)?)
    } else {
        None
    };
    Ok(Block {
        path: vec![
            layers.conv(inputs, width, 1, 1, 1, Activation::Relu)?,
            layers.conv(width, width, 3, stride, 1, Activation::Relu)?,
            layers.conv(width, outputs, 1, 1, 1, Activation::None)?,
        ],
        shortcut,
        residual: true,
        activation: Activation::Relu,
    })
}

fn inverted(
    layers: &Layers,
    inputs: usize,
    outputs: usize,
    expansion: usize,
    stride: usize,
) -> Result<Block> {
    let hidden = inputs * expansion;
    let mut path = Vec::new();
    if expansion != 1 {
        path.push(layers.conv(inputs, hidden, 1, 1, 1, Activation::Relu6)?);
    }
    path.push(layers.conv(hidden, hidden, 3, stride, hidden, Activation::Relu6)?);
    path.push(layers.conv(hidden, outputs, 1, 1, 1, Activation::None)?);
    Ok(Block {
        path,
        shortcut: None,
        residual: stride == 1 && inputs == outputs,
        activation: Activation::None,
    })
}
