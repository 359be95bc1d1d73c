//! Stochastic gradient descent with momentum 0.9 and weight decay 1e-4, as the peer's.

use anyhow::Context;
use candle_core::{Tensor, Var, backprop::GradStore};

pub(crate) struct Sgd {
    variables: Vec<(Var, Option<Tensor>)>,
}

impl Sgd {
    pub(crate) fn new(variables: Vec<Var>) -> Self {
        Self { variables: variables.into_iter().map(|v| (v, None)).collect() }
    }

    pub(crate) fn step(&mut self, gradients: &GradStore) -> anyhow::Result<()> {
        for (variable, momentum) in &mut self.variables {
            let gradient = gradients.get(variable).context("a weight without a gradient")?;
            let weights = variable.as_detached_tensor();
            let decayed = (gradient + (&weights * 1e-4)?)?;
            let velocity = match momentum.take() {
                Some(velocity) => ((velocity * 0.9)? + decayed)?,
                None => decayed,
            };
            variable.set(&(weights - (&velocity * 0.01)?)?)?;
            *momentum = Some(velocity);
        }
        Ok(())
    }
}
