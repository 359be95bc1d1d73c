//! A network that answers in the classes of a dataset.

use candle_core::{DType, Tensor};
use in9_data::{Normalization, Taxonomy};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::mapping::{Answer, ClassMap, Mapping};
use crate::model::{Mode, Model};
use crate::open::{NormalizationSource, Opened, Provenance};

/// An opened network and the way from its outputs to a taxonomy's classes.
///
/// Prediction and probes ask a network through this, so that the same picture gets the same scores, bit for
/// bit, whoever asks.
pub struct Classifier {
    opened: Opened,
    map: ClassMap,
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
}

impl NetworkRecord {
    /// What decides the answers, without names: two networks of the same identity answer alike.
    pub fn identity(&self) -> String {
        format!("{} {} {:?} {:?} {}", self.arch, self.weights, self.mean, self.std, self.mapping)
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
        Ok(Self { opened, map })
    }

    /// A model that was built rather than opened, whose outputs `map` takes to classes.
    pub fn of_model(model: Model, map: ClassMap, normalization: Normalization) -> Self {
        let opened = Opened {
            name: model.architecture().name.to_owned(),
            trained_on: String::new(),
            classes: Vec::new(),
            normalization,
            preprocessing: None,
            size: None,
            provenance: Provenance {
                digest: String::new(),
                origin: "memory".to_owned(),
                normalization: NormalizationSource::Asked,
                notes: Vec::new(),
            },
            model,
        };
        Self { opened, map }
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
            arch: self.model().architecture().name.to_owned(),
            weights: self.opened.provenance.digest.clone(),
            origin: self.opened.provenance.origin.clone(),
            mean,
            std,
            normalization: self.opened.provenance.normalization.to_string(),
            mapping: self.map.to_string(),
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
        let logits = self.model().forward(input, Mode::Eval)?;
        let logits = logits.to_dtype(DType::F32)?.to_vec2::<f32>()?;
        if logits.iter().flatten().any(|logit| !logit.is_finite()) {
            return Err(Error::NotFinite(self.opened.name.clone()));
        }
        logits.iter().map(|logits| self.map.answer(logits)).collect()
    }
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
