//! Benchmark progress: accuracy on each view against accuracy on ImageNet, over many models.

use crate::error::{Error, Result};
use crate::metrics::ModelSummary;
use crate::paper::Paper;
use crate::stats::regression::{self, Line};
use serde::Serialize;
use std::path::Path;

/// One model of the progress plot; accuracies are fractions in `0..=1`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// Name of the model.
    pub model: String,
    /// How good it is: its accuracy on ImageNet, or on what stands for it.
    pub quality: f64,
    /// Accuracy on each view, as (view's name, accuracy).
    pub views: Vec<(String, f64)>,
}

/// The line of one view.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trend {
    /// The view's name.
    pub view: String,
    /// Models with an accuracy on the view.
    pub models: usize,
    /// Least-squares line of the view's accuracy on the models' quality; `None` below three models.
    pub line: Option<Line>,
}

/// Fits one line per view, in the order in which the views first appear.
pub fn trends(points: &[Point], level: f64) -> Vec<Trend> {
    let mut names: Vec<&str> = Vec::new();
    for (view, _) in points.iter().flat_map(|p| &p.views) {
        if !names.contains(&view.as_str()) {
            names.push(view);
        }
    }
    names
        .into_iter()
        .map(|view| {
            let pairs: Vec<(f64, f64)> = points
                .iter()
                .flat_map(|p| p.views.iter().map(move |(v, y)| (v, p.quality, *y)))
                .filter(|(v, ..)| v.as_str() == view)
                .map(|(_, x, y)| (x, y))
                .collect();
            Trend { view: view.into(), models: pairs.len(), line: regression::fit(&pairs, level) }
        })
        .collect()
}

/// The paper's five networks pre-trained on ImageNet (Table 2).
pub fn published(paper: &Paper) -> Vec<Point> {
    let rows = paper.architecture.iter().filter_map(|a| {
        let views = a.accuracy.iter().map(|(v, y)| (v.clone(), y / 100.0)).collect();
        Some(Point { model: a.model.clone(), quality: a.imagenet? / 100.0, views })
    });
    rows.collect()
}

/// Scored models whose ImageNet accuracy (percent) stands in a CSV with columns `model,imagenet`.
///
/// # Errors
/// [`Error::Input`] if the CSV is malformed or names a model that was not scored.
pub fn ours(summaries: &[ModelSummary], imagenet: &Path) -> Result<Vec<Point>> {
    let bad = |e: csv::Error| Error::input(imagenet, e.to_string());
    let mut reader = csv::Reader::from_path(imagenet).map_err(bad)?;
    let mut points = Vec::new();
    for (i, row) in reader.deserialize().enumerate() {
        let (model, top1): (String, f64) = row.map_err(bad)?;
        let Some(summary) = summaries.iter().find(|s| s.key.model == model) else {
            let known: Vec<&str> = summaries.iter().map(|s| s.key.model.as_str()).collect();
            let what = format!(
                "line {}: model {model} has no predictions (expected one of {})",
                i + 2,
                known.join(", ")
            );
            return Err(Error::input(imagenet, what));
        };
        let views = summary.views.iter().map(|(v, a)| (v.to_string(), a.accuracy.value)).collect();
        points.push(Point { model, quality: top1 / 100.0, views });
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_networks_have_the_slopes_of_the_protocol() {
        let trends = trends(&published(&Paper::embedded().unwrap()), 0.95);
        let slope = |view: &str| {
            let trend = trends.iter().find(|t| t.view == view).unwrap();
            (trend.line.as_ref().unwrap().slope.value * 100.0).round() / 100.0
        };
        assert_eq!((slope("original"), slope("only-bg-t"), slope("mixed-rand")), (0.48, 0.32, 1.72));
    }

    #[test]
    fn a_model_without_predictions_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("top1.csv");
        std::fs::write(&path, "model,imagenet\nnobody,70\n").unwrap();
        let error = ours(&[], &path).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("nobody"), "{error}");
    }
}
