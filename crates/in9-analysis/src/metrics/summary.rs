//! Everything measured on one model's predictions.

use crate::error::Result;
use crate::frame::{Frame, Key, ModelFrame};
use crate::metrics::accuracy::{Accuracy, accuracy};
use crate::metrics::categories::{Categories, categories};
use crate::metrics::gap::{Gap, gap};
use crate::metrics::ladder::{Ladder, ladder};
use crate::metrics::leak::{Leak, leak};
use crate::metrics::missing::{Missing, missing};
use crate::stats::Bootstrap;
use in9_data::View;
use serde::Serialize;

/// The measures of one model on one split.
#[derive(Debug, Clone, Serialize)]
pub struct ModelSummary {
    /// Which model, tested where.
    pub key: Key,
    /// Number of distinct foregrounds.
    pub foregrounds: usize,
    /// Accuracy on each view it was tested on, in view order.
    pub views: Vec<(View, Accuracy)>,
    /// BG-gap, if both mixed views were tested.
    pub gap: Option<Gap>,
    /// Fine-grained categories, if their three views were tested.
    pub categories: Option<Categories>,
    /// The drop from photographs to mixed-rand, divided into pasting and background, if the controls were tested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ladder: Option<Ladder>,
    /// Background-only accuracy beside chance.
    pub leak: Vec<Leak>,
    /// Figures that the predictions do not give.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
}

impl ModelSummary {
    /// Accuracy on a view, if it was tested.
    pub fn accuracy(&self, view: View) -> Option<&Accuracy> {
        self.views.iter().find(|(v, _)| *v == view).map(|(_, a)| a)
    }

    /// Name for tables: what it was trained on, or the model's name if that is unknown.
    pub fn label(&self) -> &str {
        if self.key.trained_on.is_empty() { &self.key.model } else { &self.key.trained_on }
    }
}

/// The architecture with networks trained on the most views; the first among equals, empty without models.
pub fn main_arch<'a>(models: &[&'a ModelSummary]) -> &'a str {
    let views = |arch: &str| {
        let trained = |v: &View| models.iter().any(|m| m.key.arch == arch && m.key.trained_on == v.name());
        View::ALL.iter().filter(|v| trained(v)).count()
    };
    let archs = models.iter().map(|m| m.key.arch.as_str());
    archs.rev().max_by_key(|arch| views(arch)).unwrap_or_default()
}

/// Summarises one model.
///
/// # Errors
/// As [`categories`].
pub fn summarise_model(model: &ModelFrame, classes: usize, bootstrap: &Bootstrap) -> Result<ModelSummary> {
    let level = bootstrap.level;
    Ok(ModelSummary {
        key: model.key.clone(),
        foregrounds: model.foregrounds.len(),
        views: model
            .views
            .iter()
            .filter_map(|(&view, outcomes)| Some((view, accuracy(outcomes, classes, level)?)))
            .collect(),
        gap: gap(model, classes, bootstrap),
        categories: categories(model, classes, level)?,
        ladder: ladder(model, bootstrap),
        leak: leak(model, classes, level),
        missing: missing(model),
    })
}

/// Summarises every model of a frame, in the frame's order.
///
/// # Errors
/// As [`summarise_model`].
pub fn summarise(frame: &Frame, bootstrap: &Bootstrap) -> Result<Vec<ModelSummary>> {
    frame.models.iter().map(|m| summarise_model(m, frame.classes.len(), bootstrap)).collect()
}
