//! Networks of in9-models behind the probes' traits.
//!
//! Pictures become network input by the code that prediction uses, so a probe and a prediction table give the
//! same composite the same scores, bit for bit.

use crate::error::{Error, Result};
use crate::probes::classifier::{
    Classifier, GradientClassifier, PatchShares, Pictures, Predictions, TapGradient,
};
use candle_core::{Tensor, Var};
use in9_data::View;
use in9_models::mapping::Answer;
use in9_models::{Ask, Asked, Classifier as Network, Mode};

fn failed(error: candle_core::Error) -> Error {
    in9_models::Error::from(error).into()
}

/// Normalised input, `[n, 3, size, size]`.
fn input(network: &Network, mut pixels: Vec<f32>, count: usize, size: usize) -> Result<Tensor> {
    network.normalization().values(&mut pixels, size * size);
    Ok(network.input(&pixels, count, size)?)
}

/// Pixels kept in `0..=1`, as the official evaluator does before it normalises.
fn kept(pictures: &Pictures) -> Vec<f32> {
    pictures.pixels.iter().map(|v| v.clamp(0.0, 1.0)).collect()
}

fn clamped(network: &Network, pictures: &Pictures) -> Result<Tensor> {
    input(network, kept(pictures), pictures.count, pictures.size)
}

fn answers(asked: &dyn Ask, pictures: &Pictures) -> Result<Vec<Answer>> {
    let mut planes = kept(pictures);
    asked.normalization().values(&mut planes, pictures.size * pictures.size);
    Ok(asked.ask(&planes, pictures.count, pictures.size)?)
}

fn scores(answers: Vec<Answer>) -> Vec<f32> {
    answers.into_iter().flat_map(|answer| answer.scores).collect()
}

fn classes(answers: Vec<Answer>) -> Predictions {
    answers.into_iter().map(|answer| answer.class.and_then(|class| u16::try_from(class).ok())).collect()
}

/// Sum over pictures of the score of `classes[i]`, as the network's outputs become classes ([`ClassMap::weights`]): its
/// gradient holds each picture's own.
///
/// [`ClassMap::weights`]: in9_models::mapping::ClassMap::weights
fn chosen(network: &Network, logits: &Tensor, classes: &[u16]) -> Result<Tensor> {
    let weights = network.output_weights(logits, classes)?;
    let weights = Tensor::from_vec(weights, logits.dims(), network.model().device()).map_err(failed)?;
    (logits * weights).and_then(|t| t.sum_all()).map_err(failed)
}

/// The values, which must be numbers: a map of anything else would show nothing.
fn finite(network: &Network, tensor: &Tensor) -> Result<Vec<f32>> {
    let values = tensor.flatten_all().and_then(|t| t.to_vec1::<f32>()).map_err(failed)?;
    match values.iter().all(|v| v.is_finite()) {
        true => Ok(values),
        false => Err(in9_models::Error::NotFinite(network.network().name.clone()).into()),
    }
}

impl Classifier for Network {
    fn classes(&self) -> usize {
        Network::classes(self)
    }

    fn scores(&self, pictures: &Pictures) -> Result<Vec<f32>> {
        Ok(scores(answers(self, pictures)?))
    }

    fn predict(&self, pictures: &Pictures) -> Result<Predictions> {
        Ok(classes(answers(self, pictures)?))
    }

    fn predict_pairs(&self, pairs: &[(u32, u32)], batch: usize) -> Result<Option<Predictions>> {
        let pictures: Vec<_> = pairs.iter().map(|&(f, b)| (f, Some(b))).collect();
        Ok(self.answers_on(View::MixedRand, &pictures, batch)?.map(classes))
    }
}

impl Classifier for Asked {
    fn classes(&self) -> usize {
        Ask::classes(self)
    }

    fn scores(&self, pictures: &Pictures) -> Result<Vec<f32>> {
        Ok(scores(answers(self, pictures)?))
    }

    fn predict(&self, pictures: &Pictures) -> Result<Predictions> {
        Ok(classes(answers(self, pictures)?))
    }

    fn predict_pairs(&self, pairs: &[(u32, u32)], batch: usize) -> Result<Option<Predictions>> {
        self.own().map_or(Ok(None), |network| network.predict_pairs(pairs, batch))
    }
}

impl GradientClassifier for Network {
    fn taps(&self) -> Vec<String> {
        self.model().tap_names()
    }

    fn tap_gradient(&self, pictures: &Pictures, classes: &[u16], tap: &str) -> Result<TapGradient> {
        let input = clamped(self, pictures)?;
        let (logits, taps) = self.model().forward_with_variables(&input, &[tap])?;
        let Some((_, activation)) = taps.into_iter().next() else {
            return Err(Error::Classifier(format!("layer {tap} was not reached")));
        };
        let (n, channels, height, width) = activation.dims4().map_err(|_| {
            Error::Classifier(format!(
                "layer {tap} has no places (expected [n, channels, height, width], found {:?}); choose an earlier one",
                activation.dims()
            ))
        })?;
        let gradients = chosen(self, &logits, classes)?.backward().map_err(failed)?;
        let gradient = gradients
            .get(&activation)
            .ok_or_else(|| Error::Classifier(format!("layer {tap} got no gradient")))?;
        Ok(TapGradient {
            activation: finite(self, &activation)?,
            gradient: finite(self, gradient)?,
            count: n,
            channels,
            height,
            width,
        })
    }

    fn input_gradient(&self, pictures: &Pictures, classes: &[u16]) -> Result<Vec<f32>> {
        // Noisy pictures of SmoothGrad leave 0..=1; clamping them would cut their gradients off.
        let input = input(self, pictures.pixels.clone(), pictures.count, pictures.size)?;
        let input = Var::from_tensor(&input).map_err(failed)?;
        let logits = self.model().forward(input.as_tensor(), Mode::Eval)?;
        let gradients = chosen(self, &logits, classes)?.backward().map_err(failed)?;
        let gradient = gradients
            .get(input.as_tensor())
            .ok_or_else(|| Error::Classifier("the pixels got no gradient".into()))?;
        let mut gradient = finite(self, gradient)?;
        // Back from normalised values to pixels in 0..=1.
        let std = self.normalization().std;
        for (i, channel) in gradient.chunks_exact_mut(pictures.size * pictures.size).enumerate() {
            channel.iter_mut().for_each(|g| *g /= std[i % 3]);
        }
        Ok(gradient)
    }
    fn attends(&self) -> bool {
        self.model().attends()
    }

    fn attention_rollout(&self, pictures: &Pictures) -> Result<Option<PatchShares>> {
        let Some(shares) = self.model().attention_rollout(&clamped(self, pictures)?)? else {
            return Ok(None);
        };
        let (_, height, width) = shares.dims3().map_err(failed)?;
        Ok(Some(PatchShares { shares: finite(self, &shares)?, height, width }))
    }
}
