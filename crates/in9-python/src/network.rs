//! A network of Python behind the probes' traits.

use std::sync::Mutex;

use in9_analysis::probes::{Classifier, GradientClassifier, Pictures, TapGradient};
use in9_analysis::{Error, Result};
use in9_models::mapping::Answer;
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;

use crate::buffer::Buffer;
use crate::outputs::Outputs;

/// What Python gives: a function from pictures, u8 `[n, size, size, 3]` and their side, to logits, f32 `[n, outputs]`;
/// and for saliency an object with `taps`, `tap_gradient` and `input_gradient`.
pub(crate) struct PythonNetwork {
    pub(crate) logits: Py<PyAny>,
    pub(crate) gradients: Option<Py<PyAny>>,
    pub(crate) outputs: Py<Outputs>,
    /// The exception that ended the work.
    raised: Mutex<Option<PyErr>>,
}

/// What is written in the place of the exception, until [`PythonNetwork::settle`] brings it back.
const RAISED: &str = "the network raised an exception";

impl PythonNetwork {
    pub(crate) fn new(logits: Py<PyAny>, gradients: Option<Py<PyAny>>, outputs: Py<Outputs>) -> Self {
        Self { logits, gradients, outputs, raised: Mutex::new(None) }
    }

    /// The result of work with the network, or the exception that Python raised in it.
    pub(crate) fn settle<T>(&self, py: Python<'_>, result: Result<T>) -> PyResult<T> {
        use crate::error::Raise as _;
        match self.raised.lock().ok().and_then(|mut raised| raised.take()) {
            Some(raised) => Err(raised),
            None => result.raise(py),
        }
    }

    /// Calls Python, and looks for Ctrl-C first.
    fn call<T>(&self, call: impl FnOnce(Python<'_>) -> PyResult<T>) -> Result<T> {
        Python::attach(|py| py.check_signals().and_then(|()| call(py))).map_err(|error| {
            if let Ok(mut raised) = self.raised.lock() {
                *raised = Some(error);
            }
            Error::Classifier(RAISED.into())
        })
    }

    /// What lets Ctrl-C and a progress bar's exceptions stop the work.
    pub(crate) fn tell(&self, progress: Option<&Py<PyAny>>, step: (&str, u64, u64)) {
        if let Some(progress) = progress {
            // An exception is kept, and ends the work at the network's next call.
            let _ = self.call(|py| progress.call1(py, step).map(drop));
        }
    }

    fn answers(&self, pictures: &Pictures) -> Result<Vec<Answer>> {
        if self.raised.lock().is_ok_and(|raised| raised.is_some()) {
            return Err(Error::Classifier(RAISED.into()));
        }
        let rgb = bytes(pictures);
        self.call(|py| {
            let logits = self.logits.call1(py, (Buffer::of_vec(rgb), pictures.size))?;
            let logits: PyBuffer<f32> = logits.extract(py)?;
            self.outputs.get().answers(py, &logits.to_vec(py)?)
        })
    }

    fn gradients(&self) -> Result<&Py<PyAny>> {
        self.gradients.as_ref().ok_or_else(|| Error::Classifier("a network without gradients".into()))
    }
}

/// Pictures in `0..=1` as the bytes that they came from.
fn bytes(pictures: &Pictures) -> Vec<u8> {
    let plane = pictures.size * pictures.size;
    let mut rgb = vec![0; pictures.pixels.len()];
    for (picture, rgb) in pictures.pixels.chunks_exact(3 * plane).zip(rgb.chunks_exact_mut(3 * plane)) {
        for (channel, values) in picture.chunks_exact(plane).enumerate() {
            for (value, pixel) in values.iter().zip(rgb.chunks_exact_mut(3)) {
                pixel[channel] = (value.clamp(0.0, 1.0) * 255.0).round() as u8;
            }
        }
    }
    rgb
}

impl Classifier for PythonNetwork {
    fn classes(&self) -> usize {
        self.outputs.get().map.classes()
    }

    fn scores(&self, pictures: &Pictures) -> Result<Vec<f32>> {
        Ok(self.answers(pictures)?.into_iter().flat_map(|answer| answer.scores).collect())
    }

    fn predict(&self, pictures: &Pictures) -> Result<Vec<Option<u16>>> {
        let answers = self.answers(pictures)?;
        Ok(answers
            .into_iter()
            .map(|answer| answer.class.and_then(|class| u16::try_from(class).ok()))
            .collect())
    }
}

impl GradientClassifier for PythonNetwork {
    fn taps(&self) -> Vec<String> {
        let Ok(gradients) = self.gradients() else { return Vec::new() };
        Python::attach(|py| gradients.call_method0(py, "taps")?.extract(py)).unwrap_or_default()
    }

    fn tap_gradient(&self, pictures: &Pictures, classes: &[u16], tap: &str) -> Result<TapGradient> {
        let gradients = self.gradients()?;
        let (activation, gradient, shape) = self.call(|py| {
            let pixels = Buffer::of_vec(pictures.pixels.clone());
            let found =
                gradients.call_method1(py, "tap_gradient", (pixels, pictures.size, classes.to_vec(), tap))?;
            let (activation, gradient, shape): (PyBuffer<f32>, PyBuffer<f32>, [usize; 4]) =
                found.extract(py)?;
            Ok((activation.to_vec(py)?, gradient.to_vec(py)?, shape))
        })?;
        let [count, channels, height, width] = shape;
        Ok(TapGradient { activation, gradient, count, channels, height, width })
    }

    fn input_gradient(&self, pictures: &Pictures, classes: &[u16]) -> Result<Vec<f32>> {
        let gradients = self.gradients()?;
        self.call(|py| {
            let pixels = Buffer::of_vec(pictures.pixels.clone());
            let found =
                gradients.call_method1(py, "input_gradient", (pixels, pictures.size, classes.to_vec()))?;
            found.extract::<PyBuffer<f32>>(py)?.to_vec(py)
        })
    }
}
