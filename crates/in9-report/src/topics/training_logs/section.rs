//! Training curves from the runs' `log.csv`.

use crate::error::{Error, Result};
use crate::plot::{Lines, Series};
use crate::page::{Block, Section};
use crate::context::Context;
use in9_analysis::stats::Interval;
use std::path::Path;

/// Columns of a log as (name, values); cells that are no number are NaN.
type Columns = Vec<(String, Vec<f64>)>;

/// The section, if any run has a log.
pub(crate) fn section(context: &Context) -> Result<Option<Section>> {
    let mut runs = Vec::new();
    for run in &context.spec.run {
        let path = run.path.join("log.csv");
        if path.is_file() {
            runs.push((run.name.clone(), read(&path)?));
        }
    }
    let loss = chart(&runs, "training loss", |name| name == "train_loss");
    let accuracy = chart(&runs, "training accuracy (%)", |name| name == "train_accuracy");
    let figures: Vec<Block> =
        [(loss, "Training loss of each run."), (accuracy, "Training accuracy of each run.")]
            .into_iter()
            .filter_map(|(svg, caption)| Some(Block::figure(svg?, caption)))
            .collect();
    Ok((!figures.is_empty()).then(|| Section {
        id: "training",
        title: "Training".into(),
        lead: String::new(),
        blocks: vec![Block::Columns(figures)],
    }))
}

fn read(path: &Path) -> Result<Columns> {
    let bad = Error::csv(path);
    let mut reader = csv::Reader::from_path(path).map_err(&bad)?;
    let mut columns: Columns =
        reader.headers().map_err(&bad)?.iter().map(|h| (h.to_owned(), Vec::new())).collect();
    for record in reader.records() {
        for (column, cell) in columns.iter_mut().zip(record.map_err(&bad)?.iter()) {
            column.1.push(cell.parse().unwrap_or(f64::NAN));
        }
    }
    Ok(columns)
}

fn chart(runs: &[(String, Columns)], axis: &str, wanted: impl Fn(&str) -> bool) -> Option<String> {
    let percent = axis.contains('%');
    let series: Vec<Series> = runs
        .iter()
        .filter_map(|(name, columns)| {
            let epochs = columns.iter().find(|(n, _)| n == "epoch").map(|(_, v)| v);
            let (_, values) = columns.iter().find(|(n, _)| wanted(n))?;
            // Fractions become percent; a log that is in percent already stays as it is.
            let fraction = percent && values.iter().all(|v| v.is_nan() || *v <= 1.0);
            let factor = if fraction { 100.0 } else { 1.0 };
            let points = values.iter().enumerate().map(|(i, v)| {
                let x = epochs.and_then(|e| e.get(i)).copied().unwrap_or(i as f64);
                (x, Interval::exact(v * factor))
            });
            Some(Series { name: name.clone(), points: points.collect(), marked: false })
        })
        .collect();
    if series.is_empty() {
        return None;
    }
    let chart = Lines {
        label: format!("{axis} by epoch"),
        x_axis: "epoch".into(),
        y_axis: axis.into(),
        series,
        range: percent.then_some((0.0, 100.0)),
        logarithmic: false,
        own_ticks: false,
    };
    Some(chart.svg())
}
