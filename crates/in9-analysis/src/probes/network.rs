//! Networks of in9-models behind the probes' traits.

use crate::error::{Error, Result};
use crate::probes::classifier::{Classifier, GradientClassifier, Pictures, TapGradient};
use candle_core::{Device, Tensor, Var};
use in9_models::mapping::{Answer, ClassMap};
use in9_models::{Mode, Model};

/// A network with the normalisation it was trained with and the way from its outputs to the
/// taxonomy's classes.
pub struct Network {
    model: Model,
    map: ClassMap,
    classes: usize,
    mean: [f32; 3],
    std: [f32; 3],
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Classifier(error.to_string())
}

impl Network {
    /// A frozen `model`, whose outputs `map` takes to `classes` classes; pixels in `0..=1` are
    /// normalised by `mean` and `std` of each colour.
    pub fn new(model: Model, map: ClassMap, classes: usize, mean: [f32; 3], std: [f32; 3]) -> Self {
        Self { model, map, classes, mean, std }
    }

    /// The network itself.
    pub fn model(&self) -> &Model {
        &self.model
    }

    fn device(&self) -> &Device {
        self.model.device()
    }

    /// Normalised input, `[n, 3, size, size]`.
    fn input(&self, pictures: &Pictures) -> Result<Tensor> {
        let plane = pictures.size * pictures.size;
        let mut values = pictures.pixels.clone();
        for (i, channel) in values.chunks_exact_mut(plane).enumerate() {
            let (mean, std) = (self.mean[i % 3], self.std[i % 3]);
            // The official evaluator clamps before it normalises.
            channel.iter_mut().for_each(|v| *v = (v.clamp(0.0, 1.0) - mean) / std);
        }
        let shape = (pictures.count, 3, pictures.size, pictures.size);
        Tensor::from_vec(values, shape, self.device()).map_err(failed)
    }

    fn answers(&self, pictures: &Pictures) -> Result<Vec<Answer>> {
        let logits = self.model.forward(&self.input(pictures)?, Mode::Eval).map_err(failed)?;
        let rows = logits.to_vec2::<f32>().map_err(failed)?;
        rows.iter().map(|row| self.map.answer(row).map_err(failed)).collect()
    }

    /// Sum over pictures of the logit of `classes[i]`: its gradient holds each picture's own.
    fn chosen(&self, logits: &Tensor, classes: &[u16]) -> Result<Tensor> {
        if logits.dim(1).map_err(failed)? != self.classes {
            return Err(Error::Classifier(
                "saliency needs a network whose outputs are the taxonomy's classes".into(),
            ));
        }
        let rows = classes.len();
        let mut pick = vec![0.0f32; rows * self.classes];
        for (i, &class) in classes.iter().enumerate() {
            pick[i * self.classes + usize::from(class)] = 1.0;
        }
        let pick = Tensor::from_vec(pick, (rows, self.classes), self.device()).map_err(failed)?;
        (logits * pick).and_then(|t| t.sum_all()).map_err(failed)
    }
}

fn flat(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all().and_then(|t| t.to_vec1::<f32>()).map_err(failed)
}

impl Classifier for Network {
    fn classes(&self) -> usize {
        self.classes
    }

    fn scores(&self, pictures: &Pictures) -> Result<Vec<f32>> {
        Ok(self.answers(pictures)?.into_iter().flat_map(|a| a.scores).collect())
    }

    fn predict(&self, pictures: &Pictures) -> Result<Vec<Option<u16>>> {
        let answers = self.answers(pictures)?;
        Ok(answers.into_iter().map(|a| a.class.and_then(|c| u16::try_from(c).ok())).collect())
    }
}

impl GradientClassifier for Network {
    fn taps(&self) -> Vec<String> {
        self.model.tap_names()
    }

    fn tap_gradient(&self, pictures: &Pictures, classes: &[u16], tap: &str) -> Result<TapGradient> {
        let input = self.input(pictures)?;
        let (logits, taps) = self.model.forward_with_variables(&input, &[tap]).map_err(failed)?;
        let Some((_, activation)) = taps.into_iter().next() else {
            return Err(Error::Classifier(format!("tap {tap} was not reached")));
        };
        let (n, channels, height, width) = activation.dims4().map_err(|_| {
            Error::Classifier(format!(
                "tap {tap} has no places (expected [n, channels, height, width], found {:?}); choose an earlier one",
                activation.dims()
            ))
        })?;
        let gradients = self.chosen(&logits, classes)?.backward().map_err(failed)?;
        let gradient = gradients
            .get(&activation)
            .ok_or_else(|| Error::Classifier(format!("tap {tap} got no gradient")))?;
        Ok(TapGradient {
            activation: flat(&activation)?,
            gradient: flat(gradient)?,
            count: n,
            channels,
            height,
            width,
        })
    }

    fn input_gradient(&self, pictures: &Pictures, classes: &[u16]) -> Result<Vec<f32>> {
        // Noisy pictures of SmoothGrad leave 0..=1; clamping them would cut their gradients off.
        let plane = pictures.size * pictures.size;
        let mut values = pictures.pixels.clone();
        for (i, channel) in values.chunks_exact_mut(plane).enumerate() {
            let (mean, std) = (self.mean[i % 3], self.std[i % 3]);
            channel.iter_mut().for_each(|v| *v = (*v - mean) / std);
        }
        let shape = (pictures.count, 3, pictures.size, pictures.size);
        let input = Tensor::from_vec(values, shape, self.device()).map_err(failed)?;
        let input = Var::from_tensor(&input).map_err(failed)?;
        let logits = self.model.forward(input.as_tensor(), Mode::Eval).map_err(failed)?;
        let gradients = self.chosen(&logits, classes)?.backward().map_err(failed)?;
        let gradient = gradients
            .get(input.as_tensor())
            .ok_or_else(|| Error::Classifier("the pixels got no gradient".into()))?;
        let mut gradient = flat(gradient)?;
        // Back from normalised values to pixels in 0..=1.
        for (i, channel) in gradient.chunks_exact_mut(plane).enumerate() {
            channel.iter_mut().for_each(|g| *g /= self.std[i % 3]);
        }
        Ok(gradient)
    }
}
