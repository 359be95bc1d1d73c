//! The layers of the timed networks: convolution, batch norm and activation, with their own backward pass.

use crate::data::random_values;
use candle_core::{Device, Result, Tensor, Var};
use in9_kernels::{
    Activation, BatchNormOutput, Conv2dConfig, FrozenConv2d, batch_norm_train, conv2d, fold_batch_norm,
    gradients, update_running_stats,
};
use std::cell::{OnceCell, RefCell};

/// Creates the weights, and keeps a list of them.
pub(crate) struct Layers {
    variables: RefCell<Vec<Var>>,
}

impl Layers {
    pub(crate) fn new() -> Self {
        Self { variables: RefCell::new(Vec::new()) }
    }

    pub(crate) fn variables(&self) -> Vec<Var> {
        self.variables.borrow().clone()
    }

    pub(crate) fn weight(&self, shape: &[usize], scale: f32) -> Result<Var> {
        let seed = self.variables.borrow().len() as u64 + 2;
        let data = random_values(shape.iter().product(), seed).into_iter().map(|v| v * scale).collect();
        self.register(Var::from_vec(data, shape, &Device::Cpu)?)
    }

    fn register(&self, variable: Var) -> Result<Var> {
        self.variables.borrow_mut().push(variable.clone());
        Ok(variable)
    }

    pub(crate) fn conv(
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
pub(crate) struct ConvNorm {
    w: Var,
    gamma: Var,
    beta: Var,
    mean: Var,
    var: Var,
    config: Conv2dConfig,
    pub(crate) activation: Activation,
    folded: OnceCell<FrozenConv2d>,
}

impl ConvNorm {
    /// The forward pass of training. Pushes what [`ConvNorm::backward`] needs on the tape.
    pub(crate) fn forward(&self, x: &Tensor, tape: &mut Vec<ForwardPass>) -> Result<Tensor> {
        let convolved = conv2d(x, &self.w.as_detached_tensor(), None, &self.config)?;
        let (gamma, beta) = (self.gamma.as_detached_tensor(), self.beta.as_detached_tensor());
        let output = batch_norm_train(&convolved, &gamma, &beta, 1e-5, self.activation)?;
        update_running_stats(&self.mean, &self.var, &output, 0.1)?;
        let y = output.y.clone();
        tape.push(ForwardPass { x: x.clone(), convolved, output });
        Ok(y)
    }

    /// The gradient with respect to the input, if needed. Those of the weights are pushed on `weights`.
    pub(crate) fn backward(
        &self,
        forward: ForwardPass,
        dy: &Tensor,
        needs_x: bool,
        weights: &mut Vec<(Var, Tensor)>,
    ) -> Result<Option<Tensor>> {
        let ForwardPass { x, convolved, output } = forward;
        let (gamma, beta) = (self.gamma.as_detached_tensor(), self.beta.as_detached_tensor());
        let [d, dgamma, dbeta] =
            gradients::batch_norm_train(&convolved, &gamma, &beta, &output, 1e-5, self.activation, dy)?;
        drop((convolved, output));
        let (dx, dw) = gradients::conv2d(&x, &self.w.as_detached_tensor(), &d, &self.config, needs_x)?;
        let own = [(&self.w, dw), (&self.gamma, dgamma), (&self.beta, dbeta)];
        weights.extend(own.map(|(variable, gradient)| (variable.clone(), gradient)));
        Ok(dx)
    }

    /// The layer at inference, with the batch norm folded.
    pub(crate) fn infer(
        &self,
        x: &Tensor,
        residual: Option<&Tensor>,
        activation: Activation,
    ) -> Result<Tensor> {
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

/// The tensors of a layer's forward pass that its backward pass needs.
pub(crate) struct ForwardPass {
    x: Tensor,
    convolved: Tensor,
    output: BatchNormOutput,
}
