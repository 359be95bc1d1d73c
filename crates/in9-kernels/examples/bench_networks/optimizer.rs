//! Stochastic gradient descent with momentum 0.9 and weight decay 1e-4, as the peer's.

use candle_core::{Tensor, Var};
use in9_kernels::{SgdStep, sgd_step};
use std::collections::HashMap;

/// The velocity of every weight that was moved.
#[derive(Default)]
pub(crate) struct Sgd(HashMap<candle_core::TensorId, Vec<f32>>);

impl Sgd {
    pub(crate) fn step(&mut self, gradients: &[(Var, Tensor)]) -> anyhow::Result<()> {
        let step = SgdStep { rate: 0.01, momentum: 0.9, nesterov: false, weight_decay: 1e-4 };
        for (variable, gradient) in gradients {
            let zeros = || vec![0.0; variable.elem_count()];
            let velocity = self.0.entry(variable.id()).or_insert_with(zeros);
            sgd_step(variable, gradient, velocity, &step)?;
        }
        Ok(())
    }
}
