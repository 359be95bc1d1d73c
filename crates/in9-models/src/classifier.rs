//! A network that answers in the classes of a dataset.

use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::{DType, Tensor};
use in9_data::predictions::Training;
use in9_data::{Normalization, Split, Taxonomy, View};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::mapping::{Answer, ClassMap, Mapping};
use crate::model::Model;
use crate::open::{NormalizationSource, Opened, Provenance, ZeroShotRecord};
use crate::probe::ProbeRecord;
use crate::replay::Passes;

/// An opened network and the way from its outputs to a taxonomy's classes.
///
/// Prediction and probes ask a network through this, so that the same picture gets the same scores, bit for
/// bit, whoever asks.
pub struct Classifier {
    opened: Opened,
    map: ClassMap,
    /// The most pictures that fit a GPU's memory together, once more did not.
    most: AtomicUsize,
    passes: Passes,
    #[cfg(feature = "cuda")]
    resident: Option<crate::resident::Resident>,
}

/// Everything that decides a network's answers, and what it is called: what outputs say about the network
/// that they come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkRecord {
    /// Its name in tables.
    pub model: String,
    /// What it was trained on, as tables say it.
    pub trained_on: String,
    /// Its architecture.
    pub arch: String,
    /// Which training it came from.
    #[serde(flatten)]
    pub training: Training,
    /// BLAKE3 of its weight file.
    pub weights: String,
    /// The weight file in a few words, without its folder.
    pub origin: String,
    /// Mean that is subtracted from each channel, of values in 0..=1.
    pub mean: [f32; 3],
    /// What each channel is divided by.
    pub std: [f32; 3],
    /// How the two are known.
    pub normalization: String,
    /// How its outputs become classes.
    pub mapping: String,
    /// What it was told about the classes, if it knows them by words only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_shot: Option<ZeroShotRecord>,
    /// What was learnt on its features, if its own classifier was taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeRecord>,
}

impl NetworkRecord {
    /// What decides the answers, without names: two networks of the same identity answer alike.
    pub fn identity(&self) -> String {
        let own = format!("{} {} {:?} {:?} {}", self.arch, self.weights, self.mean, self.std, self.mapping);
        match (&self.zero_shot, &self.probe) {
            (Some(told), _) => format!("{own} {} {} {}", told.prompts_digest, told.vocabulary, told.config),
            (None, Some(probe)) => format!("{own} {}", probe.identity()),
            (None, None) => own,
        }
    }
}

impl Classifier {
    /// `opened`, asked about the classes of `taxonomy`. Where its outputs are these classes, they are taken as they
    /// are; groups of their fine labels, and the thousand classes of ImageNet, become classes by `mapping`.
    ///
    /// # Errors
    /// [`Error::Classes`] when the outputs are none of these.
    pub fn new(mut opened: Opened, taxonomy: &Taxonomy, mapping: Mapping) -> Result<Self> {
        let outputs = opened.model.classes();
        let map = if opened.classes.is_empty() {
            // Weights from elsewhere: as many outputs as classes are taken to be the classes.
            if outputs == taxonomy.len() {
                ClassMap::identity(outputs)
            } else {
                let map = ClassMap::imagenet(taxonomy, mapping, outputs)
                    .map_err(|why| refused(&opened.name, taxonomy, format!("{outputs} outputs; {why}")))?;
                "imagenet".clone_into(&mut opened.trained_on);
                map
            }
        } else {
            match difference(&opened.classes, taxonomy) {
                None => ClassMap::identity(outputs),
                Some(found) => ClassMap::groups(&opened.classes, taxonomy, mapping)
                    .map_err(|_| refused(&opened.name, taxonomy, found))?,
            }
        };
        Ok(Self::of(opened, map))
    }

    fn of(opened: Opened, map: ClassMap) -> Self {
        Self {
            opened,
            map,
            most: AtomicUsize::new(usize::MAX),
            passes: Passes::default(),
            #[cfg(feature = "cuda")]
            resident: None,
        }
    }

    /// A model that was built rather than opened, whose outputs `map` takes to classes.
    pub fn of_model(model: Model, map: ClassMap, normalization: Normalization) -> Self {
        let opened = Opened {
            name: model.architecture().name.to_owned(),
            trained_on: String::new(),
            training: Training::default(),
            classes: Vec::new(),
            normalization,
            preprocessing: None,
            size: None,
            zero_shot: None,
            provenance: Provenance {
                digest: String::new(),
                origin: "memory".to_owned(),
                normalization: NormalizationSource::Asked,
                notes: Vec::new(),
            },
            model,
        };
        Self::of(opened, map)
    }

    /// The network.
    pub fn network(&self) -> &Opened {
        &self.opened
    }

    /// The network's model.
    pub fn model(&self) -> &Model {
        &self.opened.model
    }

    /// How inputs are normalised.
    pub fn normalization(&self) -> Normalization {
        self.opened.normalization
    }

    /// Number of classes of the answers.
    pub fn classes(&self) -> usize {
        self.map.classes()
    }

    /// Whether output k is class k.
    pub fn outputs_are_classes(&self) -> bool {
        self.map.is_identity()
    }

    /// Rows of how much each output counts for the class asked about, a picture each; see [`ClassMap::weights`].
    ///
    /// # Shapes
    /// - `logits`: `[n, outputs]`; output: `n · outputs` values
    ///
    /// # Errors
    /// [`Error::NotFinite`]; [`Error::Tensor`].
    pub fn output_weights(&self, logits: &Tensor, classes: &[u16]) -> Result<Vec<f32>> {
        let logits = logits.to_dtype(DType::F32)?.to_vec2::<f32>()?;
        if logits.iter().flatten().any(|logit| !logit.is_finite()) {
            return Err(Error::NotFinite(self.opened.name.clone()));
        }
        let rows = logits.iter().zip(classes);
        Ok(rows.flat_map(|(row, class)| self.map.weights(usize::from(*class), row)).collect())
    }

    /// Gives the network another name in tables.
    pub fn rename(&mut self, name: String) {
        self.opened.name = name;
    }

    /// What outputs say about the network.
    pub fn record(&self) -> NetworkRecord {
        let Normalization { mean, std } = self.opened.normalization;
        NetworkRecord {
            model: self.opened.name.clone(),
            trained_on: self.opened.trained_on.clone(),
            arch: self.model().name().to_owned(),
            training: self.opened.training.clone(),
            weights: self.opened.provenance.digest.clone(),
            origin: self.opened.provenance.origin.clone(),
            mean,
            std,
            normalization: self.opened.provenance.normalization.to_string(),
            mapping: self.map.to_string(),
            zero_shot: self.opened.zero_shot.clone(),
            probe: None,
        }
    }

    /// Normalised planes as the model's input.
    ///
    /// # Shapes
    /// - `planes`: `n · 3 · size · size` values; output: `[n, 3, size, size]`
    ///
    /// # Errors
    /// [`Error::Tensor`] for another number of values.
    pub fn input(&self, planes: &[f32], n: usize, size: usize) -> Result<Tensor> {
        let model = self.model();
        Ok(Tensor::from_slice(planes, (n, 3, size, size), model.device())?.to_dtype(model.dtype())?)
    }

    /// The answers on normalised pictures, one a picture.
    ///
    /// # Shapes
    /// - `input`: `[n, 3, h, w]`
    ///
    /// # Errors
    /// [`Error::NotFinite`]; those of [`Model::forward`].
    pub fn answers(&self, input: &Tensor) -> Result<Vec<Answer>> {
        let n = input.dim(0)?;
        let logits = in_parts(n, &self.most, &mut |first, count| {
            let part = if count == n { input.clone() } else { input.narrow(0, first, count)? };
            Ok(self.passes.forward(self.model(), &part)?.to_dtype(DType::F32)?.to_vec2::<f32>()?)
        })?;
        self.answers_of(logits.concat())
    }

    /// The batch that evaluation had to go down to because a GPU's memory was used up; none if it never was.
    pub fn most_pictures(&self) -> Option<usize> {
        Some(self.most.load(Ordering::Relaxed)).filter(|most| *most != usize::MAX)
    }

    /// Has a GPU keep the layers of `split`, so that [`Classifier::answers_on`] composes there. Nothing happens on a
    /// processor, and where the memory does not suffice.
    ///
    /// # Errors
    /// When a layer is damaged, or the device refuses.
    pub fn keep_layers(&mut self, split: &Split) -> Result<()> {
        #[cfg(feature = "cuda")]
        {
            // The memory of another split's first.
            self.resident = None;
            let (normalization, device) = (self.normalization(), self.model().device().clone());
            self.resident =
                crate::resident::Resident::upload(split, View::MixedRand, normalization, &device)?;
        }
        #[cfg(not(feature = "cuda"))]
        let _ = split;
        Ok(())
    }

    /// Whether [`Classifier::answers_on`] composes `view` of `split`.
    pub fn composes(&self, split: &Split, view: View) -> bool {
        #[cfg(feature = "cuda")]
        if let Some(resident) = &self.resident {
            return resident.composes(split, view);
        }
        let _ = (split, view);
        false
    }

    /// The answers on pictures of `view`, each a sample and the one that lends its background, `batch` at a time, composed
    /// where the layers are kept; none if they are not. A GPU is not waited for before the last of them is queued.
    ///
    /// # Errors
    /// As for [`Classifier::answers`].
    pub fn answers_on(
        &self,
        view: View,
        pictures: &[(u32, Option<u32>)],
        batch: usize,
    ) -> Result<Option<Vec<Answer>>> {
        #[cfg(feature = "cuda")]
        if let Some(resident) = &self.resident {
            let place = in9_data::Placement::default();
            let asked = batch.max(1).min(self.most.load(Ordering::Relaxed));
            let most = AtomicUsize::new(asked);
            let logits = in_parts(pictures.len(), &most, &mut |first, count| {
                let of: Vec<_> = pictures[first..first + count].iter().map(|&(f, b)| (f, b, place)).collect();
                let logits = self.passes.forward(self.model(), &resident.pictures(view, &of)?)?;
                Ok(logits.to_dtype(DType::F32)?)
            })?;
            // What did not fit once does not fit the next time.
            let fits = most.load(Ordering::Relaxed);
            if fits < asked {
                self.most.fetch_min(fits, Ordering::Relaxed);
            }
            if logits.is_empty() {
                return Ok(Some(Vec::new()));
            }
            return Ok(Some(self.answers_of(Tensor::cat(&logits, 0)?.to_vec2::<f32>()?)?));
        }
        let _ = (view, pictures, batch);
        Ok(None)
    }

    fn answers_of(&self, logits: Vec<Vec<f32>>) -> Result<Vec<Answer>> {
        if logits.iter().flatten().any(|logit| !logit.is_finite()) {
            return Err(Error::NotFinite(self.opened.name.clone()));
        }
        logits.iter().map(|logits| self.map.answer(logits)).collect()
    }
}

/// What `work` makes of `n` pictures, in parts of at most `most`; the parts are halved, and `most` with them, where a
/// GPU's memory does not suffice.
pub(crate) fn in_parts<T>(
    n: usize,
    most: &AtomicUsize,
    work: &mut dyn FnMut(usize, usize) -> Result<T>,
) -> Result<Vec<T>> {
    let (mut parts, mut first) = (Vec::new(), 0);
    while first < n {
        let count = (n - first).min(most.load(Ordering::Relaxed).max(1));
        match work(first, count) {
            Ok(part) => {
                parts.push(part);
                first += count;
            }
            Err(error) if count > 1 && error.is_out_of_memory() => most.store(count / 2, Ordering::Relaxed),
            Err(error) => return Err(error),
        }
    }
    Ok(parts)
}

fn refused(network: &str, taxonomy: &Taxonomy, found: String) -> Error {
    let expected = format!("the {} classes of {} in their order", taxonomy.len(), taxonomy.name);
    Error::Classes { network: network.to_owned(), expected, found }
}

/// The first class of `names` that is not the taxonomy's, in words.
fn difference(names: &[String], taxonomy: &Taxonomy) -> Option<String> {
    let theirs: Vec<&str> = taxonomy.classes.iter().map(|class| class.name.as_str()).collect();
    if names == theirs {
        return None;
    }
    let differ = |(ours, theirs): &(&String, &&str)| ours.as_str() != **theirs;
    Some(match names.iter().zip(&theirs).find(differ) {
        Some((ours, theirs)) => format!("{ours} where the dataset has {theirs}"),
        None => format!("{} classes", names.len()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_does_not_fit_is_halved_and_stays_so() {
        let most = AtomicUsize::new(usize::MAX);
        let mut asked = Vec::new();
        let mut fits_three = |first: usize, count: usize| {
            asked.push(count);
            match count {
                ..=3 => Ok(first..first + count),
                _ => Err(Error::Device { device: "cuda:0".into(), why: Error::OUT_OF_MEMORY.into() }),
            }
        };
        let parts = in_parts(13, &most, &mut fits_three).unwrap();
        assert_eq!(parts.into_iter().flatten().collect::<Vec<_>>(), (0..13).collect::<Vec<_>>());
        assert_eq!(asked, [13, 6, 3, 3, 3, 3, 1]);
        assert_eq!(most.load(Ordering::Relaxed), 3);
        let never = &mut |_, _| -> Result<()> {
            Err(Error::Device { device: "cuda:0".into(), why: Error::OUT_OF_MEMORY.into() })
        };
        assert!(in_parts(4, &AtomicUsize::new(usize::MAX), never).unwrap_err().is_out_of_memory());
        assert!(!Error::setting("a", "b", "c").is_out_of_memory());
    }
}
