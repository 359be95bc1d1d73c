//! A tape for training on the CPU that hands gradients on instead of zeroing and adding.
//!
//! Candle's `backward` allocates zeros and adds for every edge of its graph. A network whose trunk
//! is made of the operations below ([`Network::taped`](crate::Network::taped)) runs them on
//! detached tensors and records what their gradients need; the head stays on Candle's graph.

use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{Tensor, TensorId, Var};
use in9_kernels::{Activation, BatchNormOutput, ChannelSource, Conv2dConfig, blocked, gradients};

use crate::error::Result;

/// A convolution and the batch norm after it, as they were run.
pub(crate) struct ConvBn {
    /// The convolution's input, detached.
    pub(crate) x: Tensor,
    /// The convolution's result, detached.
    pub(crate) convolved: Tensor,
    pub(crate) config: Conv2dConfig,
    /// The variable.
    pub(crate) weight: Tensor,
    /// The variable.
    pub(crate) bias: Option<Tensor>,
    /// The variable.
    pub(crate) gamma: Tensor,
    /// The variable.
    pub(crate) beta: Tensor,
    pub(crate) output: BatchNormOutput,
    pub(crate) eps: f64,
    pub(crate) activation: Activation,
}

/// Channels times their gates, which depend on the means of the channels.
pub(crate) struct Gate {
    /// The input, detached.
    pub(crate) x: Tensor,
    /// The means of its channels, where Candle's graph of the gates begins.
    pub(crate) means: Var,
    /// The gates, on that graph.
    pub(crate) gates: Tensor,
    /// The variables that the gates depend on.
    pub(crate) parameters: Vec<Tensor>,
    /// The result.
    pub(crate) y: TensorId,
}

enum Step {
    ConvBn(Box<ConvBn>),
    Add {
        a: Tensor,
        b: Tensor,
        sum: TensorId,
        activation: Activation,
    },
    Gate(Box<Gate>),
    Assemble {
        inputs: [Tensor; 2],
        sources: Vec<ChannelSource>,
        y: TensorId,
    },
    /// Kernel, stride and padding.
    MaxPool {
        x: Tensor,
        y: TensorId,
        setting: [usize; 3],
    },
}

/// What was run, in order, and where it meets Candle's graph.
#[derive(Default)]
pub(crate) struct Tape {
    steps: Vec<Step>,
    /// The trunk's last activation, whether it is in blocks, and the variable that stands for it.
    seam: Option<(TensorId, bool, Var)>,
}

impl Tape {
    pub(crate) fn conv_bn(&mut self, step: ConvBn) {
        self.steps.push(Step::ConvBn(Box::new(step)));
    }

    pub(crate) fn add(&mut self, a: &Tensor, b: &Tensor, sum: &Tensor, activation: Activation) {
        let (a, b, sum) = (a.clone(), b.clone(), sum.id());
        self.steps.push(Step::Add { a, b, sum, activation });
    }

    pub(crate) fn gate(&mut self, step: Gate) {
        self.steps.push(Step::Gate(Box::new(step)));
    }

    pub(crate) fn assemble(&mut self, a: &Tensor, b: &Tensor, sources: &[ChannelSource], y: &Tensor) {
        let inputs = [a.clone(), b.clone()];
        self.steps.push(Step::Assemble { inputs, sources: sources.to_vec(), y: y.id() });
    }

    pub(crate) fn max_pool(&mut self, x: &Tensor, y: &Tensor, setting: [usize; 3]) {
        self.steps.push(Step::MaxPool { x: x.clone(), y: y.id(), setting });
    }

    /// Ends the tape at `x`; the graph goes on from the variable that is returned.
    pub(crate) fn end(&mut self, x: &Tensor) -> Result<Tensor> {
        let variable = Var::from_tensor(&blocked::to_planes(x)?)?;
        let tensor = variable.as_tensor().clone();
        self.seam = Some((x.id(), blocked::is_in_blocks(x), variable));
        Ok(tensor)
    }

    /// Adds the gradients of the trunk's variables to `store`, which holds the head's.
    pub(crate) fn backward(self, store: &mut GradStore) -> Result<()> {
        let Some((end, in_blocks, variable)) = self.seam else {
            return Ok(());
        };
        let Some(gradient) = store.remove(&variable) else {
            return Ok(());
        };
        let gradient = if in_blocks { blocked::to_blocks(&gradient)? } else { gradient };
        let mut activations = HashMap::from([(end, gradient)]);
        // Steps are dropped as they are undone, and their activations with them.
        let mut steps = self.steps;
        while let Some(step) = steps.pop() {
            match step {
                Step::ConvBn(step) => step.backward(&steps, &mut activations, store)?,
                Step::Add { a, b, sum, activation } => {
                    let Some(dy) = activations.remove(&sum) else { continue };
                    let d = gradients::add_act(&a, &b, activation, &dy)?;
                    pass_on(&mut activations, &a, d.clone())?;
                    pass_on(&mut activations, &b, d)?;
                }
                Step::Gate(step) => step.backward(&mut activations, store)?,
                Step::Assemble { inputs: [a, b], sources, y } => {
                    let Some(dy) = activations.remove(&y) else { continue };
                    let gradients = gradients::assemble_channels(&a, &b, &sources, &dy)?;
                    for (x, gradient) in [a, b].iter().zip(gradients) {
                        if let Some(gradient) = gradient {
                            pass_on(&mut activations, x, gradient)?;
                        }
                    }
                }
                Step::MaxPool { x, y, setting: [kernel, stride, padding] } => {
                    let Some(dy) = activations.remove(&y) else { continue };
                    let d = gradients::max_pool2d(&x, [kernel; 2], [stride; 2], [padding; 4], &dy)?;
                    pass_on(&mut activations, &x, d)?;
                }
            }
        }
        Ok(())
    }
}

impl ConvBn {
    fn backward(
        &self,
        before: &[Step],
        activations: &mut HashMap<TensorId, Tensor>,
        store: &mut GradStore,
    ) -> Result<()> {
        let Some(dy) = activations.remove(&self.output.y.id()) else { return Ok(()) };
        let (gamma, beta) = (self.gamma.detach(), self.beta.detach());
        let [d, dgamma, dbeta] = gradients::batch_norm_train(
            &self.convolved,
            &gamma,
            &beta,
            &self.output,
            self.eps,
            self.activation,
            &dy,
        )?;
        drop(dy);
        // Nobody before the first layer wants the gradient of the pictures.
        let want_x = !before.is_empty();
        let (dx, dw) = gradients::conv2d(&self.x, &self.weight.detach(), &d, &self.config, want_x)?;
        let mut gradients = vec![(&self.weight, dw), (&self.gamma, dgamma), (&self.beta, dbeta)];
        if let Some(bias) = &self.bias {
            gradients.push((bias, blocked::to_planes(&d)?.sum((0, 2, 3))?));
        }
        for (variable, gradient) in gradients {
            keep(store, variable, gradient)?;
        }
        match dx {
            Some(dx) => pass_on(activations, &self.x, dx),
            None => Ok(()),
        }
    }
}

impl Gate {
    fn backward(&self, activations: &mut HashMap<TensorId, Tensor>, store: &mut GradStore) -> Result<()> {
        let Some(dy) = activations.remove(&self.y) else { return Ok(()) };
        let dgates = gradients::gates(&self.x, &dy)?;
        let mut inner = (&self.gates * &dgates)?.sum_all()?.backward()?;
        for parameter in &self.parameters {
            if let Some(gradient) = inner.remove(parameter) {
                keep(store, parameter, gradient)?;
            }
        }
        let dmeans = match inner.remove(&self.means) {
            Some(dmeans) => dmeans,
            None => self.means.zeros_like()?,
        };
        pass_on(activations, &self.x, gradients::gated(&self.gates.detach(), &dmeans, &dy)?)
    }
}

/// Puts the gradient of a variable into `store`, added to what is there.
fn keep(store: &mut GradStore, variable: &Tensor, gradient: Tensor) -> Result<()> {
    let gradient = match store.remove(variable) {
        Some(other) => (other + gradient)?,
        None => gradient,
    };
    store.insert(variable, gradient);
    Ok(())
}

/// Moves a gradient to where `x` came from; a second one is added to the first.
fn pass_on(activations: &mut HashMap<TensorId, Tensor>, x: &Tensor, gradient: Tensor) -> Result<()> {
    let gradient = match activations.remove(&x.id()) {
        Some(other) => in9_kernels::add_act(&other, &gradient, Activation::None)?,
        None => gradient,
    };
    activations.insert(x.id(), gradient);
    Ok(())
}
