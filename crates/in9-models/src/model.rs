//! A network with its parameters, and how it is run.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Tensor, Var};

pub use crate::context::{Context, Mode};
use crate::error::{Error, Result};
use crate::params::{Kind, Parameter, Params};
use crate::registry::{self, Architecture};
use crate::tape::Tape;

/// The layers of an architecture, wired.
pub trait Network: Send + Sync {
    /// Scores before the softmax.
    ///
    /// # Shapes
    /// - `x`: `[n, 3, h, w]`, normalised
    /// - output: `[n, classes]`
    ///
    /// # Errors
    /// When Candle refuses an operation, mostly because the picture is too small.
    fn forward(&self, x: &Tensor, context: &mut Context) -> Result<Tensor>;

    /// The names that [`Context::tap`] is called with, from the input to the output.
    fn tap_names(&self) -> Vec<String>;

    /// Whether everything up to [`Context::end_of_trunk`] is [`ConvBnAct`](crate::layers::ConvBnAct),
    /// [`SqueezeExcite`](crate::layers::SqueezeExcite), [`Context::add_act`], [`Context::max_pool`] and
    /// [`Context::assemble_channels`], so that training on the CPU can do without Candle's graph there.
    fn taped(&self) -> bool {
        false
    }

    /// Whether tokens attend to each other, so that [`Model::attention_rollout`] has an answer.
    fn attends(&self) -> bool {
        false
    }

    /// Whether every operation is one of in9-kernels' or of [`layers`](crate::layers), which a recording on a GPU
    /// sees.
    fn own_layers(&self) -> bool {
        true
    }
}

/// Logits, taps, and what was taped.
type Pass = (Tensor, Vec<(String, Tensor)>, Option<RefCell<Tape>>);

/// Builds a network of certain sizes over parameters, with so many outputs.
pub type Builder = Arc<dyn Fn(&Params, usize) -> Result<Box<dyn Network>> + Send + Sync>;

/// A built architecture: its layers and the parameters they hold.
pub struct Model {
    architecture: &'static Architecture,
    name: String,
    builder: Builder,
    classes: usize,
    pub(crate) network: Box<dyn Network>,
    params: Params,
}

/// Builds the architecture `arch` with a classifier of `classes` outputs.
///
/// # Errors
/// [`Error::UnknownArchitecture`]; [`Error::Parameter`] when `params` holds weights that do not
/// fit.
pub fn build(arch: &str, classes: usize, params: &Params) -> Result<Model> {
    let architecture = registry::find(arch)?;
    if classes == 0 {
        return Err(Error::setting("classes", "at least 1", classes));
    }
    Model::with_builder(architecture, arch.to_owned(), Arc::new(architecture.build), classes, params)
}

impl Model {
    /// A network of the family `architecture` whose sizes come from elsewhere: `builder` knows them, and `name` says
    /// them in results.
    ///
    /// # Errors
    /// Those of `builder`.
    pub fn with_builder(
        architecture: &'static Architecture,
        name: String,
        builder: Builder,
        classes: usize,
        params: &Params,
    ) -> Result<Self> {
        let network = builder(params, classes)?;
        Ok(Self { architecture, name, builder, classes, network, params: params.clone() })
    }

    /// A model of the same architecture and sizes over other parameters, with so many outputs.
    ///
    /// # Errors
    /// As [`build`].
    pub fn rebuilt(&self, classes: usize, params: &Params) -> Result<Self> {
        Self::with_builder(self.architecture, self.name.clone(), self.builder.clone(), classes, params)
    }

    /// The registry's entry of this model, or that of its family.
    pub fn architecture(&self) -> &'static Architecture {
        self.architecture
    }

    /// What results call the architecture: the registry's name, with the sizes where those are not its own.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of outputs.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The device its parameters are on.
    pub fn device(&self) -> &Device {
        self.params.device()
    }

    /// The type of its parameters.
    pub fn dtype(&self) -> DType {
        self.params.dtype()
    }

    /// All parameters and running statistics, in the order of the layers.
    pub fn parameters(&self) -> Vec<Parameter> {
        self.params.made()
    }

    /// Number of trained values: weights, biases, norms; running statistics do not count.
    pub fn parameter_count(&self) -> usize {
        let count = |p: &Parameter| p.value.elem_count();
        let trained = |p: &&Parameter| p.kind != Kind::Running;
        self.parameters().iter().filter(trained).map(count).sum()
    }

    /// The parameters by name, detached from any graph; shares their storage.
    pub fn tensors(&self) -> HashMap<String, Tensor> {
        let entry = |p: Parameter| (p.name, p.value.detach());
        self.parameters().into_iter().map(entry).collect()
    }

    /// Sets every parameter and running statistic of a trainable model.
    ///
    /// # Errors
    /// [`Error::Frozen`]; [`Error::Parameter`] when one is missing or has another shape.
    pub fn set_tensors(&self, tensors: &HashMap<String, Tensor>) -> Result<()> {
        for parameter in self.parameters() {
            let variable =
                parameter.variable.ok_or_else(|| Error::Frozen(self.architecture.name.to_owned()))?;
            let shape = variable.dims();
            let found = tensors.get(&parameter.name);
            let value = found.filter(|t| t.dims() == shape).ok_or_else(|| Error::Parameter {
                name: parameter.name.clone(),
                what: "missing or of another shape",
                expected: format!("{shape:?}"),
                found: found.map_or("none".to_owned(), |t| format!("{:?}", t.dims())),
            })?;
            let value = value.to_dtype(variable.dtype())?;
            variable.set(&value.to_device(variable.device())?)?;
        }
        Ok(())
    }

    /// A copy for evaluation: the same values, no variables, batch norms folded at first use.
    ///
    /// # Errors
    /// When memory for the copy cannot be had on the device.
    pub fn frozen(&self) -> Result<Model> {
        let mut tensors = HashMap::new();
        for (name, value) in self.tensors() {
            tensors.insert(name, value.copy()?);
        }
        let params = Params::frozen(tensors, self.dtype(), self.device());
        self.rebuilt(self.classes, &params)
    }

    /// Scores before the softmax, `[n, classes]`, of normalised pictures `[n, 3, h, w]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for anything but `[n, 3, h, w]`; [`Error::Frozen`] for training a frozen
    /// model.
    pub fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        Ok(self.run(x, mode, &[], false, None)?.0)
    }

    /// [`Model::forward`], and the activations named in `taps` in the order they are reached.
    ///
    /// # Errors
    /// [`Error::UnknownTap`], and those of [`Model::forward`].
    pub fn forward_with_taps(
        &self,
        x: &Tensor,
        mode: Mode,
        taps: &[&str],
    ) -> Result<(Tensor, Vec<(String, Tensor)>)> {
        let (logits, taps, _) = self.run(x, mode, taps, false, None)?;
        Ok((logits, taps))
    }

    /// Like [`Model::forward_with_taps`], but each tap is made a variable on the way, so that
    /// `backward` of the scores gives the gradient with respect to it (class activation maps).
    /// The graph is cut there: nothing before the last tap gets a gradient.
    ///
    /// # Errors
    /// Those of [`Model::forward_with_taps`].
    pub fn forward_with_variables(
        &self,
        x: &Tensor,
        taps: &[&str],
    ) -> Result<(Tensor, Vec<(String, Tensor)>)> {
        let (logits, taps, _) = self.run(x, Mode::Eval, taps, true, None)?;
        Ok((logits, taps))
    }

    /// The names that [`Model::forward_with_taps`] knows, from the input to the output.
    pub fn tap_names(&self) -> Vec<String> {
        self.network.tap_names()
    }

    /// The loss of a batch and the gradients of all variables.
    ///
    /// # Shapes
    /// - `x`: `[n, 3, h, w]`, normalised
    /// - `labels`: `[n]`, u32 class indices
    /// - output: the mean loss (a scalar, detached), the logits `[n, classes]`, the gradients of
    ///   `loss · weight`
    ///
    /// # Errors
    /// Those of [`Model::forward`].
    pub fn gradients(
        &self,
        x: &Tensor,
        labels: &Tensor,
        label_smoothing: f64,
        weight: f64,
        mode: Mode,
    ) -> Result<(Tensor, Tensor, GradStore)> {
        #[cfg(feature = "cuda")]
        if self.records(x) {
            let recording = in9_kernels::Recording::start();
            let logits = self.forward(x, mode)?;
            let loss = in9_kernels::cross_entropy(&logits, labels, label_smoothing)?;
            let mut store = loss.detach().backward()?;
            recording.backward(&loss, weight, &mut store)?;
            return Ok((loss.detach(), logits.detach(), store));
        }
        let taped = self.network.taped() && self.dtype() == DType::F32 && self.device().is_cpu();
        let tape = taped.then(RefCell::default);
        let (logits, _, tape) = self.run(x, mode, &[], false, tape)?;
        let loss = in9_kernels::cross_entropy(&logits, labels, label_smoothing)?;
        let mut store = if weight == 1.0 { loss.backward()? } else { (&loss * weight)?.backward()? };
        if let Some(tape) = tape {
            rayon::scope(|_| tape.into_inner().backward(&mut store))?;
        }
        Ok((loss.detach(), logits.detach(), store))
    }

    /// The logits of a batch, and the gradients of all variables of a loss of which `slope` gives the gradient with respect to
    /// the logits; on a processor.
    ///
    /// # Shapes
    /// - `x`: `[n, 3, h, w]`, normalised
    /// - what `slope` takes and gives: `[n, classes]`
    ///
    /// # Errors
    /// Those of [`Model::forward`], of `slope`, and [`Error::Device`] on a GPU.
    pub(crate) fn gradients_by(
        &self,
        x: &Tensor,
        mode: Mode,
        slope: &mut dyn FnMut(&Tensor) -> Result<Tensor>,
    ) -> Result<(Tensor, GradStore)> {
        if !self.device().is_cpu() {
            let why = "this loss is computed on a processor only".to_owned();
            return Err(Error::Device { device: "GPU".to_owned(), why });
        }
        let tape = (self.network.taped() && self.dtype() == DType::F32).then(RefCell::default);
        let (logits, _, tape) = self.run(x, mode, &[], false, tape)?;
        // The sum of logits times their slopes has these slopes.
        let slope = slope(&logits.detach())?.detach();
        let mut store = (&logits * slope)?.sum_all()?.backward()?;
        if let Some(tape) = tape {
            rayon::scope(|_| tape.into_inner().backward(&mut store))?;
        }
        Ok((logits.detach(), store))
    }

    /// The gradient of a batch's mean loss with respect to its pictures, in evaluation mode.
    ///
    /// # Shapes
    /// - `x`: `[n, 3, h, w]`, normalised; output: the same
    /// - `labels`: `[n]`, u32 class indices
    ///
    /// # Errors
    /// Those of [`Model::forward`].
    pub fn input_gradient(&self, x: &Tensor, labels: &Tensor, label_smoothing: f64) -> Result<Tensor> {
        let x = Var::from_tensor(&x.detach())?;
        #[cfg(feature = "cuda")]
        if self.records(x.as_tensor()) {
            let recording = in9_kernels::Recording::start();
            let logits = self.forward(x.as_tensor(), Mode::Eval)?;
            let loss = in9_kernels::cross_entropy(&logits, labels, label_smoothing)?;
            let mut store = loss.detach().backward()?;
            recording.backward(&loss, 1.0, &mut store)?;
            return Ok(store.remove(x.as_tensor()).map_or_else(|| x.zeros_like(), Ok)?);
        }
        let logits = self.forward(x.as_tensor(), Mode::Eval)?;
        let mut store = in9_kernels::cross_entropy(&logits, labels, label_smoothing)?.backward()?;
        // No path from the pictures to the loss is a gradient of zero.
        Ok(store.remove(x.as_tensor()).map_or_else(|| x.zeros_like(), Ok)?)
    }

    /// Whether every operation is one that a recording on a GPU sees.
    #[cfg(feature = "cuda")]
    pub(crate) fn has_own_layers(&self) -> bool {
        self.network.own_layers()
    }

    /// Whether the gradients of a pass on `x` are recorded on a GPU rather than by Candle's graph.
    #[cfg(feature = "cuda")]
    fn records(&self, x: &Tensor) -> bool {
        let open = in9_cuda::device::Gpu::of(x).is_some();
        open && self.network.own_layers() && self.dtype() == DType::F32
    }

    /// Refuses what is no batch of pictures.
    pub(crate) fn check_input(&self, x: &Tensor) -> Result<()> {
        let empty = x.dims().iter().skip(1).any(|&side| side == 0);
        if x.rank() != 4 || x.dims()[1] != 3 || empty {
            return Err(Error::Shape {
                what: format!("input of {}", self.architecture.name),
                expected: "[n, 3, height, width]".into(),
                found: x.dims().to_vec(),
            });
        }
        Ok(())
    }

    fn run(
        &self,
        x: &Tensor,
        mode: Mode,
        taps: &[&str],
        cut: bool,
        tape: Option<RefCell<Tape>>,
    ) -> Result<Pass> {
        self.check_input(x)?;
        if mode != Mode::Eval && !self.params.is_trainable() {
            return Err(Error::Frozen(self.architecture.name.to_owned()));
        }
        if !taps.is_empty() {
            let known = self.tap_names();
            if let Some(tap) = taps.iter().find(|tap| !known.iter().any(|k| k == *tap)) {
                return Err(Error::UnknownTap {
                    arch: self.architecture.name.to_owned(),
                    tap: (*tap).to_owned(),
                    known,
                });
            }
        }
        let prepared;
        // Candle's own operations, behind a cut too, compute in f32.
        let x = if self.network.own_layers() && !cut {
            prepared = in9_kernels::network_input(x)?;
            &prepared
        } else {
            x
        };
        let mut context = Context::with(mode, taps, cut, tape);
        let logits = if self.device().is_cpu() {
            // On a thread of the pool from the start: from outside, every layer would wake one and wait for it.
            rayon::scope(|_| self.network.forward(x, &mut context))?
        } else {
            self.network.forward(x, &mut context)?
        };
        let (taps, tape) = context.into_parts();
        Ok((logits, taps, tape))
    }
}
