//! Evaluation of batches that look alike.

use candle_core::Tensor;

use crate::error::Result;
use crate::model::{Mode, Model};

/// Forward passes of one network in evaluation. On a GPU each form of batch is run as it is the first times, and then
/// as a captured graph.
#[derive(Default)]
pub(crate) struct Passes {
    #[cfg(feature = "cuda")]
    seen: std::sync::Mutex<Vec<gpu::Pass>>,
}

impl Passes {
    /// The logits of `model`, which is the same at each call.
    ///
    /// # Errors
    /// Those of [`Model::forward`].
    pub(crate) fn forward(&self, model: &Model, x: &Tensor) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        if let Some(gpu) = gpu::of(model, x) {
            let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            return gpu::forward(&mut seen, gpu, model, x);
        }
        model.forward(x, Mode::Eval)
    }

    /// Forms of batches that are launched as graphs, and why others are not.
    #[cfg(all(feature = "cuda", feature = "cli"))]
    pub(crate) fn state(&self) -> (usize, Vec<String>) {
        let seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let refusals = seen.iter().filter_map(gpu::Pass::refusal).map(str::to_owned).collect();
        (seen.iter().filter(|pass| pass.is_captured()).count(), refusals)
    }
}

#[cfg(feature = "cuda")]
mod gpu {
    use std::sync::Arc;

    use candle_core::Tensor;
    use in9_cuda::device::{Gpu, Replay};

    use crate::error::Result;
    use crate::model::{Mode, Model};
    use crate::replay::fixed::{Fixed, Form};

    /// Forms of batches whose memory is kept: whole ones and a rest, of two sizes.
    const MOST: usize = 4;

    /// A form of batch that was seen.
    pub(super) struct Pass {
        form: Form,
        /// From the second time on.
        ready: Option<Ready>,
    }

    struct Ready {
        /// Before what it uses, so that it is dropped first.
        replay: Replay,
        input: Fixed,
        logits: Fixed,
    }

    #[cfg(feature = "cli")]
    impl Pass {
        pub(super) fn is_captured(&self) -> bool {
            self.ready.as_ref().is_some_and(|ready| ready.replay.is_captured())
        }

        pub(super) fn refusal(&self) -> Option<&str> {
            self.ready.as_ref()?.replay.refusal()
        }
    }

    /// The device, if passes on it can be captured.
    pub(super) fn of(model: &Model, x: &Tensor) -> Option<Arc<Gpu>> {
        Gpu::of(x).filter(|gpu| gpu.settings().graphs && model.has_own_layers())
    }

    pub(super) fn forward(seen: &mut Vec<Pass>, gpu: Arc<Gpu>, model: &Model, x: &Tensor) -> Result<Tensor> {
        let form = Form::of(x)?;
        let Some(at) = seen.iter().position(|pass| pass.form == form) else {
            let logits = model.forward(x, Mode::Eval)?;
            if seen.len() == MOST {
                seen.remove(0);
            }
            seen.push(Pass { form, ready: None });
            return Ok(logits);
        };
        let logits = again(&mut seen[at].ready, gpu, model, x);
        if logits.as_ref().is_err_and(|error| error.is_out_of_memory()) {
            // A smaller batch comes next, and needs what these hold.
            seen.clear();
        }
        logits
    }

    fn again(ready: &mut Option<Ready>, gpu: Arc<Gpu>, model: &Model, x: &Tensor) -> Result<Tensor> {
        let Some(Ready { replay, input, logits }) = ready else {
            let logits = model.forward(x, Mode::Eval)?;
            let (input, room) = (Fixed::like(x)?, Fixed::like(&logits)?);
            // The two passes before made all that is made once.
            *ready = Some(Ready { replay: Replay::warm(gpu), input, logits: room });
            return Ok(logits);
        };
        input.set(x)?;
        let from = input.tensor()?;
        replay.run(&mut || logits.set(&model.forward(&from, Mode::Eval)?))?;
        // The next launch writes there again.
        Ok(logits.tensor()?.copy()?)
    }
}
