//! Benchmark progress: accuracy on each view against accuracy on ImageNet, over many models.

use crate::error::{Error, Result};
use crate::metrics::ModelSummary;
use crate::paper::Paper;
use crate::stats::regression::{self, Line};
use in9_base::table::{Limits, Table};
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

/// Scored models whose accuracy on ImageNet (percent) stands in a CSV with columns `model,imagenet`.
///
/// # Errors
/// [`Error::File`] if the CSV cannot be read or an accuracy is no number in `0..=100`; [`Error::UnknownModel`] if it
/// names a model that was not scored.
pub fn ours(summaries: &[ModelSummary], imagenet: &Path) -> Result<Vec<Point>> {
    let mut table = Table::open(imagenet, Limits { bytes: 1 << 20, ..Limits::default() })?;
    let columns = table.column("model").zip(table.column("imagenet"));
    let mut points = Vec::new();
    while let (Some((line, row)), Some((name, accuracy))) = (table.next_row()?, columns) {
        let model = &row[name];
        let Some(summary) = summaries.iter().find(|s| s.key.model == *model) else {
            let mut known: Vec<String> = summaries.iter().map(|s| s.key.model.clone()).collect();
            known.dedup();
            let model = model.to_owned();
            return Err(Error::UnknownModel { path: imagenet.to_owned(), line, model, known });
        };
        match row[accuracy].trim().parse::<f64>() {
            Ok(percent) if (0.0..=100.0).contains(&percent) => {
                let views = summary.views.iter().map(|(v, a)| (v.to_string(), a.accuracy.value)).collect();
                points.push(Point { model: model.to_owned(), quality: percent / 100.0, views });
            }
            _ => table.mistake(line, format!("imagenet {:?} is no percentage", &row[accuracy])),
        }
    }
    table.finish()?;
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::tests::frame;
    use crate::metrics::summarise;
    use crate::stats::Bootstrap;
    use in9_data::View;

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

    #[test]
    fn an_accuracy_that_is_no_percentage_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("top1.csv");
        let rows = ["a", "b"].map(|id| (id, 0, View::Original, 0));
        let summaries = summarise(&frame(2, &rows), &Bootstrap::default()).unwrap();
        std::fs::write(&path, "model,imagenet\nm,1e308\n").unwrap();
        let error = ours(&summaries, &path).unwrap_err().to_string();
        assert!(error.contains("line 2: imagenet \"1e308\" is no percentage"), "{error}");
        std::fs::write(&path, "model,imagenet\nm,75\n").unwrap();
        assert_eq!(ours(&summaries, &path).unwrap()[0].quality, 0.75);
    }
}
