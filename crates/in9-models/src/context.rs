//! What is passed down a forward pass.

use std::cell::RefCell;

use candle_core::{Tensor, Var};
use in9_kernels::{Activation, ChannelSource};

use crate::error::Result;
use crate::layers;
use crate::rollout::Rollout;
use crate::tape::Tape;

/// How a forward pass treats batch norm and dropout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Batch norm uses the batch's statistics and updates the running ones; dropout is on.
    Train {
        /// Seed of the run; keys the dropout masks.
        seed: u64,
        /// Step of the run; keys the dropout masks.
        step: u64,
    },
    /// Batch norm uses the running statistics, folded into the convolutions; dropout is off.
    Eval,
}

/// What is passed down a forward pass: the mode, and the taps that were asked for.
pub struct Context<'a> {
    mode: Mode,
    wanted: &'a [&'a str],
    cut: bool,
    taps: Vec<(String, Tensor)>,
    /// In training on the CPU, for networks that are made for it.
    pub(crate) tape: Option<RefCell<Tape>>,
    /// In passes that ask which patches the features come from.
    pub(crate) rollout: Option<Rollout>,
}

impl<'a> Context<'a> {
    /// A pass without taps.
    pub fn new(mode: Mode) -> Self {
        Self::with(mode, &[], false, None)
    }

    /// A pass that keeps these taps, each made a variable if the graph is to be `cut` there, and that records on a tape.
    pub(crate) fn with(mode: Mode, wanted: &'a [&'a str], cut: bool, tape: Option<RefCell<Tape>>) -> Self {
        Self { mode, wanted, cut, taps: Vec::new(), tape, rollout: None }
    }

    /// A pass in evaluation mode that rolls attention out.
    pub(crate) fn rolling() -> Self {
        Self { rollout: Some(Rollout::default()), ..Self::new(Mode::Eval) }
    }

    /// What was tapped, in the order in which it was reached, and what was taped.
    pub(crate) fn into_parts(self) -> (Vec<(String, Tensor)>, Option<RefCell<Tape>>) {
        (self.taps, self.tape)
    }

    /// The mode of this pass.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// `activation(a + b)`, the end of a residual block, on the tape if there is one.
    ///
    /// # Errors
    /// When the shapes differ.
    pub fn add_act(&self, a: &Tensor, b: &Tensor, activation: Activation) -> Result<Tensor> {
        let sum = in9_kernels::add_act(a, b, activation)?;
        if let Some(tape) = &self.tape {
            tape.borrow_mut().add(a, b, &sum, activation);
        }
        Ok(sum)
    }

    /// [`max_pool`](crate::layers::max_pool), on the tape if there is one.
    ///
    /// # Errors
    /// When the picture is smaller than the kernel.
    pub fn max_pool(&self, x: &Tensor, kernel: usize, stride: usize, padding: usize) -> Result<Tensor> {
        let y = layers::max_pool(x, kernel, stride, padding)?;
        if let Some(tape) = &self.tape {
            tape.borrow_mut().max_pool(x, &y, [kernel, stride, padding]);
        }
        Ok(y)
    }

    /// [`assemble_channels`](in9_kernels::assemble_channels), on the tape if there is one.
    ///
    /// # Errors
    /// When the shapes do not fit or a channel is used twice.
    pub fn assemble_channels(&self, a: &Tensor, b: &Tensor, sources: &[ChannelSource]) -> Result<Tensor> {
        let y = in9_kernels::assemble_channels(a, b, sources)?;
        if let Some(tape) = &self.tape {
            tape.borrow_mut().assemble(a, b, sources, &y);
        }
        Ok(y)
    }

    /// Where the trunk of a taped network ends and ordinary operations follow.
    ///
    /// # Errors
    /// When a variable cannot be made of `x`.
    pub fn end_of_trunk(&self, x: Tensor) -> Result<Tensor> {
        match &self.tape {
            Some(tape) => tape.borrow_mut().end(&x),
            None => Ok(x),
        }
    }

    /// Whether [`Context::tap`] would keep what is offered under `name`.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.wanted.contains(&name)
    }

    /// Offers the activation `x` under `name`; the network goes on with what is returned.
    ///
    /// # Errors
    /// Only when a variable cannot be made of `x` (see [`Model::forward_with_variables`](crate::Model::forward_with_variables)).
    pub fn tap(&mut self, name: &str, x: Tensor) -> Result<Tensor> {
        if !self.wants(name) {
            return Ok(x);
        }
        let x = in9_kernels::blocked::to_planes(&x)?;
        let x = if self.cut { Var::from_tensor(&x.detach().contiguous()?)?.into_inner() } else { x };
        self.taps.push((name.to_owned(), x.clone()));
        Ok(x)
    }

    /// [`Context::tap`] for tokens: offers those of the patches as planes, `[n, width, rows, columns]`, and leaves the tokens
    /// in front of them as they are.
    ///
    /// # Shapes
    /// - `x`, output: `[n, tokens, width]`, the patches last, row by row
    ///
    /// # Errors
    /// As [`Context::tap`].
    pub fn tap_tokens(&mut self, name: &str, x: Tensor, [rows, columns]: [usize; 2]) -> Result<Tensor> {
        if !self.wants(name) {
            return Ok(x);
        }
        let (n, tokens, width) = x.dims3()?;
        let front = tokens - rows * columns;
        let patches = x.narrow(1, front, rows * columns)?.transpose(1, 2)?.contiguous()?;
        let planes = self.tap(name, patches.reshape((n, width, rows, columns))?)?;
        let patches = planes.flatten_from(2)?.transpose(1, 2)?.contiguous()?;
        match front {
            0 => Ok(patches),
            _ => Ok(Tensor::cat(&[&x.narrow(1, 0, front)?.contiguous()?, &patches], 1)?),
        }
    }
}
