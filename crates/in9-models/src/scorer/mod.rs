//! Classifiers from elsewhere: a program that reads pictures and writes scores, or an ONNX file.
//!
//! [`Program`] speaks the protocol of `SCORER.md` in this crate's folder; `Onnx` (feature `onnx`) runs a network in an
//! ONNX file, as that document says it. Whatever implements [`Scorer`] becomes a classifier in a dataset's classes by
//! [`Foreign::new`].

#[cfg(feature = "onnx")]
mod onnx;
mod program;

#[cfg(feature = "onnx")]
pub use onnx::Onnx;
pub use program::Program;

use std::sync::{Mutex, PoisonError};

use in9_data::predictions::Training;
use in9_data::{Normalization, Taxonomy};
use serde::Deserialize;

use crate::ask::Ask;
use crate::classifier::NetworkRecord;
use crate::error::{Error, Result};
use crate::mapping::{Answer, ClassMap, Mapping};

/// Pixels as they are, in `0..=1`.
pub(crate) const PIXELS: Normalization = Normalization { mean: [0.0; 3], std: [1.0; 3] };

/// Most outputs of a scorer: ImageNet's largest edition has 21,843 classes.
const MOST_OUTPUTS: usize = 1 << 15;

/// What a scorer's outputs are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Outputs {
    /// So many: as many as the dataset's classes are those, a thousand are ImageNet's.
    Count(usize),
    /// Named one by one. A name that is none of the dataset's classes is an answer that is never right.
    Names(Vec<String>),
}

impl Outputs {
    /// Number of outputs.
    pub fn len(&self) -> usize {
        match self {
            Self::Count(count) => *count,
            Self::Names(names) => names.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What the numbers of a scorer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scores {
    /// What a softmax would make probabilities of.
    #[default]
    Logits,
    /// In `0..=1`, those of a picture together 1.
    Probabilities,
}

/// What a scorer says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// Name of the classifier in tables.
    pub name: String,
    /// What it was trained on; empty if nobody says.
    pub trained_on: String,
    /// Its architecture; empty if nobody says.
    pub arch: String,
    /// The file or the command in a few words.
    pub origin: String,
    /// BLAKE3 of what decides its answers, as far as that can be known.
    pub digest: String,
    /// Its outputs.
    pub outputs: Outputs,
    /// What their numbers are.
    pub scores: Scores,
    /// What its inputs are normalised with.
    pub normalization: Normalization,
    /// How that is known.
    pub normalization_from: String,
}

/// Something that gives scores for pictures.
pub trait Scorer: Send {
    /// What it is.
    fn about(&self) -> &About;

    /// Scores of `count` pictures, `[count, outputs]`.
    ///
    /// # Shapes
    /// - `planes`: `[count, 3, size, size]`, normalised as [`About::normalization`] says
    ///
    /// # Errors
    /// If it cannot give them.
    fn score(&mut self, planes: &[f32], count: usize, size: usize) -> Result<Vec<f32>>;
}

/// A scorer that answers in the classes of a dataset.
pub struct Foreign {
    about: About,
    map: ClassMap,
    scorer: Mutex<Box<dyn Scorer>>,
}

impl Foreign {
    /// `scorer`, asked about the classes of `taxonomy`; its outputs become classes as those of weights do.
    ///
    /// # Errors
    /// [`Error::Classes`] when its outputs are none of the classes.
    pub fn new(scorer: Box<dyn Scorer>, taxonomy: &Taxonomy, mapping: Mapping) -> Result<Self> {
        let mut about = scorer.about().clone();
        let classes = |found: String| Error::Classes {
            network: about.name.clone(),
            expected: format!("the {} classes of {}, or ImageNet's thousand", taxonomy.len(), taxonomy.name),
            found,
        };
        let count = about.outputs.len();
        if count == 0 || count > MOST_OUTPUTS {
            return Err(classes(format!("{count} outputs")));
        }
        let map = match &about.outputs {
            Outputs::Names(names) => ClassMap::named(names, taxonomy, mapping)
                .ok_or_else(|| classes(format!("{count} names, none of a class")))?,
            Outputs::Count(_) if count == taxonomy.len() => ClassMap::identity(count),
            Outputs::Count(_) => ClassMap::imagenet(taxonomy, mapping, count)
                .map_err(|why| classes(format!("{count} outputs; {why}")))?,
        };
        if about.trained_on.is_empty() && count == 1000 && !map.is_identity() {
            about.trained_on = "imagenet".to_owned();
        }
        Ok(Self { about, map, scorer: Mutex::new(scorer) })
    }

    /// Whether each output is the class of its number.
    pub fn outputs_are_classes(&self) -> bool {
        self.map.is_identity()
    }

    /// Gives the classifier another name in tables.
    pub fn rename(&mut self, name: String) {
        self.about.name = name;
    }
}

impl Ask for Foreign {
    fn record(&self) -> NetworkRecord {
        let about = self.about.clone();
        NetworkRecord {
            model: about.name,
            trained_on: about.trained_on,
            arch: about.arch,
            training: Training::of_weights("", &about.digest),
            weights: about.digest,
            origin: about.origin,
            mean: about.normalization.mean,
            std: about.normalization.std,
            normalization: about.normalization_from,
            mapping: self.map.to_string(),
            zero_shot: None,
            probe: None,
        }
    }

    fn classes(&self) -> usize {
        self.map.classes()
    }

    fn normalization(&self) -> Normalization {
        self.about.normalization
    }

    fn ask(&self, planes: &[f32], n: usize, size: usize) -> Result<Vec<Answer>> {
        // A thread that panicked while it asked has left the scorer in the middle of an answer: the next fails too.
        let mut scorer = self.scorer.lock().unwrap_or_else(PoisonError::into_inner);
        let scores = scorer.score(planes, n, size)?;
        let outputs = self.about.outputs.len();
        if scores.len() != n * outputs {
            return Err(Error::Shape {
                what: format!("scores of {}", self.about.name),
                expected: format!("[{n}, {outputs}]"),
                found: vec![scores.len()],
            });
        }
        if scores.iter().any(|score| !score.is_finite()) {
            return Err(Error::NotFinite(self.about.name.clone()));
        }
        let logit = |p: &f32| match self.about.scores {
            Scores::Logits => *p,
            // The logarithm of a probability is a logit of it; of nought, one that is lower than any other.
            Scores::Probabilities => p.max(f32::MIN_POSITIVE).ln(),
        };
        scores
            .chunks_exact(outputs)
            .map(|row| self.map.answer(&row.iter().map(logit).collect::<Vec<_>>()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Red(About);

    impl Scorer for Red {
        fn about(&self) -> &About {
            &self.0
        }
        fn score(&mut self, planes: &[f32], count: usize, size: usize) -> Result<Vec<f32>> {
            assert_eq!(planes.len(), count * 3 * size * size);
            Ok(planes.chunks_exact(3 * size * size).flat_map(|p| [p[0], 1.0 - p[0]]).collect())
        }
    }

    fn red(outputs: Outputs, scores: Scores) -> Box<dyn Scorer> {
        let text = |text: &str| text.to_owned();
        Box::new(Red(About {
            name: text("red"),
            trained_on: String::new(),
            arch: String::new(),
            origin: text("test"),
            digest: String::new(),
            outputs,
            scores,
            normalization: PIXELS,
            normalization_from: text("test"),
        }))
    }

    #[test]
    fn outputs_are_matched_by_number_or_by_name() {
        let taxonomy = Taxonomy::from_names("t", &["cat".into(), "dog".into()]).unwrap();
        let asked = |outputs, scores| Foreign::new(red(outputs, scores), &taxonomy, Mapping::A);
        let answer = |foreign: Foreign| foreign.ask(&[0.8, 0.0, 0.0], 1, 1).unwrap().remove(0);
        let by_number = answer(asked(Outputs::Count(2), Scores::Probabilities).unwrap());
        assert_eq!(by_number.class, Some(0));
        assert!((by_number.scores[0] - 0.8).abs() < 1e-6, "{by_number:?}");
        let names = |names: [&str; 2]| Outputs::Names(names.map(str::to_owned).to_vec());
        let turned = answer(asked(names(["dog", "cat"]), Scores::Probabilities).unwrap());
        assert_eq!(turned.class, Some(1));
        let outside = answer(asked(names(["bird", "cat"]), Scores::Logits).unwrap());
        assert_eq!(outside.class, None);
        assert!(asked(names(["bird", "fish"]), Scores::Logits).is_err());
        assert!(
            asked(Outputs::Count(3), Scores::Logits).is_err()
                && asked(Outputs::Count(0), Scores::Logits).is_err()
        );
    }
}
