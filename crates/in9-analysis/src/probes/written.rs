//! What the probe commands write as `summary.json`, and reports read.

use crate::probes::counterfactual::MeanEffects;
use crate::probes::mask_error;
use crate::probes::saliency::summary::MethodSummary;
use in9_data::View;
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
