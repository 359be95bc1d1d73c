//! Squeeze-and-excitation (Hu et al. 2017): each channel is scaled by a function of all means.

use candle_core::{Tensor, Var};

use crate::error::Result;
use crate::init::Init;
use crate::layers::{Activation, Conv, ConvAct, global_avg_pool};
use crate::model::Context;
use crate::params::Params;
use crate::tape::{Gate, Tape};

/// `x · gate(expand(inner(reduce(mean(x)))))`, both layers 1×1 convolutions with a bias.
pub struct SqueezeExcite {
    reduce: ConvAct,
    expand: ConvAct,
}

impl SqueezeExcite {
    /// Parameters `reduce.{weight,bias}` and `expand.{weight,bias}` under these two names.
    ///
    /// # Errors
    /// When `params` holds weights that do not fit.
    pub fn new(
        params: &Params,
        names: [&str; 2],
        channels: usize,
        squeezed: usize,
        inner: Activation,
        gate: Activation,
    ) -> Result<Self> {
        let zero = Some(Init::Constant(0.0));
        Ok(Self {
            reduce: ConvAct::new(params, names[0], Conv::new(channels, squeezed, 1), zero, inner)?,
            expand: ConvAct::new(params, names[1], Conv::new(squeezed, channels, 1), zero, gate)?,
        })
    }

    /// Scales the channels of `x`, which is of no further use: without a graph it is written over,
    /// and so is every tensor that shares its memory.
    ///
    /// # Shapes
    /// `x` and the output: `[n, channels, h, w]`
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, x: Tensor, context: &Context) -> Result<Tensor> {
        if let Some(tape) = &context.tape {
            return self.taped(x, &mut tape.borrow_mut());
        }
        let gates = self.gates(&global_avg_pool(&x)?)?;
        Ok(in9_kernels::scale_channels_inplace(x, &gates)?)
    }

    /// The same as on Candle's graph, which has the gates only.
    fn taped(&self, x: Tensor, tape: &mut Tape) -> Result<Tensor> {
        let means = Var::from_tensor(&global_avg_pool(&x)?)?;
        let gates = self.gates(&means)?;
        let y = in9_kernels::scale_channels(&x, &gates.detach())?;
        let parameters = [&self.reduce, &self.expand].into_iter().flat_map(ConvAct::parameters).collect();
        tape.gate(Gate { x, means, gates, parameters, y: y.id() });
        Ok(y)
    }

    /// The factor of each channel, of the means of all.
    ///
    /// # Shapes
    /// `means` and the output: `[n, channels]`
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn gates(&self, means: &Tensor) -> in9_kernels::Result<Tensor> {
        self.expand.forward_vectors(&self.reduce.forward_vectors(means)?)
    }
}
