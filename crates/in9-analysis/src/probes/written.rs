//! What the probe commands write as `summary.json`, and reports read.

use crate::probes::additivity::LayerAdditivity;
use crate::probes::counterfactual::MeanEffects;
use crate::probes::mask_error;
use crate::probes::mask_sources;
use crate::probes::saliency::summary::MethodSummary;
use crate::probes::surface;
use crate::stats::Interval;
use in9_data::View;
use in9_data::predictions::Training;
use serde::{Deserialize, Serialize};

/// What all probe outputs say about themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Name of the classifier.
    pub model: String,
    /// What it was trained on.
    pub trained_on: String,
    /// Data set.
    pub dataset: String,
    /// Split.
    pub split: String,
    /// Which training the classifier came from.
    #[serde(flatten)]
    pub training: Training,
}

/// summary.json of the saliency command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Saliency {
    /// Of what.
    #[serde(flatten)]
    pub source: Source,
    /// View the photographs were shown in.
    pub view: View,
    /// Tap of the class activation maps, the first if there are several.
    pub tap: String,
    /// Means of each method and tap.
    pub methods: Vec<MethodSummary>,
    /// What maps show that know nothing, for comparison.
    #[serde(default)]
    pub nulls: Option<Nulls>,
}

/// What saliency maps show that know nothing of their photograph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Nulls {
    /// Of a Gaussian in the middle of every photograph: its share on the foreground minus the foreground's area.
    pub centre_lift: Interval,
    /// The same minus its share on the foregrounds of the other photographs.
    pub centre_beyond: Interval,
    /// Share of photographs whose middle is foreground.
    pub centre_pointing: Interval,
    /// Of Grad-CAM of the same architecture with random weights: its share on the foreground minus that on the foregrounds
    /// of the others; absent without the class activation map.
    ///
    /// Source: J. Adebayo et al., "Sanity checks for saliency maps", 2018.
    #[serde(default)]
    pub random_weights: Option<Interval>,
}

/// summary.json of the counterfactual command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counterfactual {
    /// Of what.
    #[serde(flatten)]
    pub source: Source,
    /// Partners of each image.
    pub partners: usize,
    /// Means over all images.
    pub mean: MeanEffects,
    /// Means over the images of each class, by class.
    pub classes: Vec<(u16, MeanEffects)>,
}

/// summary.json of the mask-error command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaskError {
    /// Of what.
    #[serde(flatten)]
    pub source: Source,
    /// Error of the masks as they are: standard deviation of their outlines, in pixels.
    pub boundary_error: f64,
    /// Photographs on which it was measured, if it was.
    #[serde(default)]
    pub measured_on: Option<usize>,
    /// Correlation length of the error along the outline, in pixels.
    pub correlation: f64,
    /// Displaced masks of each photograph at each level.
    pub draws: usize,
    /// The gap beside the error.
    pub result: mask_error::MaskError,
}

/// summary.json of the mask-sources command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaskSources {
    /// Of what; its dataset is the first source's.
    #[serde(flatten)]
    pub source: Source,
    /// The sources, the first of which gave the backgrounds.
    pub sources: Vec<MaskOrigin>,
    /// The gap beside the sources.
    pub result: mask_sources::MaskSources,
}

/// A dataset as a source of masks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MaskOrigin {
    /// Its name.
    pub dataset: String,
    /// Its digest.
    pub digest: String,
    /// Where its masks come from: `grabcut`, `exact`, or `network` with the file's name.
    pub masks: String,
    /// What was done to them, in words, if they were drawn otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
}

impl MaskOrigin {
    /// What a dataset's manifest says.
    pub fn of(dataset: &in9_data::Dataset) -> Self {
        let masks = dataset.manifest().settings.mask_origin();
        Self { dataset: dataset.name(), digest: dataset.digest(), masks, change: None }
    }

    /// The same masks, drawn otherwise.
    pub fn changed(&self, change: &in9_data::MaskChange) -> Self {
        Self { change: Some(change.words()), ..self.clone() }
    }

    /// Who drew the masks, and what was done to them.
    pub fn drawn_by(&self) -> String {
        match &self.change {
            Some(change) => format!("{}, {change}", self.masks),
            None => self.masks.clone(),
        }
    }
}

/// summary.json of the surface command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Surface {
    /// Of what.
    #[serde(flatten)]
    pub source: Source,
    /// The ways in which objects were pasted.
    pub grid: surface::Grid,
    /// Seed of the corners.
    pub seed: u64,
    /// Over all photographs.
    pub all: surface::Surface,
    /// Over the photographs of each class, by class; bands of a class hold together within it.
    pub classes: Vec<(u16, surface::Surface)>,
}

/// summary.json of the additivity command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Additivity {
    /// Of what; its model is an encoder.
    #[serde(flatten)]
    pub source: Source,
    /// View whose pictures were divided.
    pub view: View,
    /// Photographs.
    pub images: usize,
    /// Which activation the features are, the last of the layers.
    pub features: String,
    /// Layers, from the input to the features.
    pub layers: Vec<LayerAdditivity>,
}
