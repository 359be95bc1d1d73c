//! The box-size leak: how far background-only accuracy lies above chance for models that never saw
//! a background that speaks for the class.

use crate::frame::ModelFrame;
use crate::metrics::accuracy::accuracy;
use crate::stats::Interval;
use in9_data::View;
use serde::Serialize;

/// Accuracy of a model on a background-only view beside the levels of chance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Leak {
    /// The view: only-bg-b, only-bg-t or no-fg.
    pub view: View,
    /// Accuracy with Wilson's interval.
    pub accuracy: Interval,
    /// Balanced accuracy with its interval.
    pub balanced: Interval,
    /// Chance level of balanced accuracy, 1 / classes.
    pub chance: f64,
    /// Accuracy of always answering the most frequent class.
    pub majority: f64,
}

/// Background-only accuracies of `model` on the views it was tested on.
pub fn leak(model: &ModelFrame, classes: usize, level: f64) -> Vec<Leak> {
    [View::OnlyBgB, View::OnlyBgT, View::NoFg]
        .into_iter()
        .filter_map(|view| {
            let a = accuracy(model.view(view), classes, level)?;
            let largest = a.recalls.iter().map(|r| r.total).max().unwrap_or(0);
            Some(Leak {
                view,
                accuracy: a.accuracy,
                balanced: a.balanced,
                chance: 1.0 / classes as f64,
                majority: largest as f64 / a.total as f64,
            })
        })
        .collect()
}
