//! Gradients on a GPU without an autograd graph.
//!
//! Candle's `backward` allocates zeros and adds to them for every edge of its graph, in a layout that is not the one
//! of the activations. While a recording is under way, the layers of this crate note what their gradients need, and
//! hand gradients on without either.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use candle_core::backprop::GradStore;
use candle_core::{Tensor, TensorId};

use crate::{Result, gpu};

/// The gradients of a step's inputs; none where none is wanted.
type Gradients<const N: usize> = Result<[Option<Tensor>; N]>;

/// From the gradient of a layer's output to its inputs, each with its own.
type Backward = Box<dyn FnOnce(&Tensor) -> Result<Vec<(Tensor, Tensor)>>>;

/// One layer that was run.
struct Step {
    output: TensorId,
    backward: Backward,
}

#[derive(Default)]
struct Tape {
    steps: Vec<Step>,
    outputs: HashSet<TensorId>,
}

thread_local! {
    static TAPE: RefCell<Option<Tape>> = const { RefCell::new(None) };
}

/// Whether this thread records.
pub(crate) fn is_active() -> bool {
    TAPE.with_borrow(Option::is_some)
}

/// Notes that `output` was made of `inputs`, if this thread records. `backward` gets the gradient of the output and
/// which inputs want one.
pub(crate) fn record<const N: usize>(
    output: &Tensor,
    inputs: [Option<Tensor>; N],
    backward: impl FnOnce(&Tensor, [bool; N]) -> Gradients<N> + 'static,
) {
    TAPE.with_borrow_mut(|tape| {
        let Some(tape) = tape else { return };
        let wants = |input: &Option<Tensor>| {
            input.as_ref().is_some_and(|t| t.track_op() || tape.outputs.contains(&t.id()))
        };
        let wanted = inputs.each_ref().map(wants);
        if !wanted.contains(&true) {
            return;
        }
        let backward = move |dy: &Tensor| {
            let gradients = backward(dy, wanted)?;
            let pairs = inputs.into_iter().zip(gradients).zip(wanted);
            Ok(pairs.filter_map(|((input, d), wanted)| Some((input?, d?)).filter(|_| wanted)).collect())
        };
        tape.outputs.insert(output.id());
        tape.steps.push(Step { output: output.id(), backward: Box::new(backward) });
    });
}

/// A forward pass whose layers are noted, on this thread, from [`Recording::start`] to [`Recording::backward`].
///
/// Only layers of this crate are noted, on tensors of a GPU that in9-cuda opened. Between them nothing else may be
/// done to a tensor; [`reshape`](crate::reshape) is one of these layers.
#[derive(Debug)]
pub struct Recording(());

impl Recording {
    /// Begins to note layers.
    pub fn start() -> Self {
        TAPE.set(Some(Tape::default()));
        Self(())
    }

    /// The gradients of `weight · loss` with respect to every variable that it was made of, and to those of `inputs`
    /// that are variables, put into `store`.
    ///
    /// # Errors
    /// Those of the layers.
    pub fn backward(self, loss: &Tensor, weight: f64, store: &mut GradStore) -> Result<()> {
        self.backward_from(loss, &(loss.ones_like()? * weight)?, store)
    }

    /// The same from the gradient `dy` of any tensor.
    ///
    /// # Errors
    /// Those of the layers.
    pub fn backward_from(self, y: &Tensor, dy: &Tensor, store: &mut GradStore) -> Result<()> {
        let Some(tape) = TAPE.take() else { return Ok(()) };
        let mut gradients = HashMap::from([(y.id(), dy.clone())]);
        // Steps are dropped as they are undone, and what they kept with them.
        let mut steps = tape.steps;
        while let Some(step) = steps.pop() {
            let Some(dy) = gradients.remove(&step.output) else { continue };
            for (input, gradient) in (step.backward)(&dy)? {
                if input.is_variable() {
                    let gradient = match store.remove(&input) {
                        Some(other) => gpu::sum(&other, &gradient)?,
                        None => gradient,
                    };
                    store.insert(&input, gradient);
                    continue;
                }
                let gradient = match gradients.remove(&input.id()) {
                    Some(other) => gpu::sum(&other, &gradient)?,
                    None => gradient,
                };
                gradients.insert(input.id(), gradient);
            }
        }
        Ok(())
    }
}

impl Drop for Recording {
    /// A pass that failed leaves nothing behind.
    fn drop(&mut self) {
        TAPE.set(None);
    }
}
