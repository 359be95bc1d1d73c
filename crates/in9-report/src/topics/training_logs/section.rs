//! Training curves from the runs' `log.csv`.

use crate::context::{Context, Log};
use crate::page::{Block, Section};
use crate::plot::{Lines, Series};
use in9_analysis::stats::Interval;

/// The section, if any run has a log.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let logs = &context.logs;
    let loss = chart(logs, "training loss", |name| name == "train_loss");
    let accuracy = chart(logs, "training accuracy (%)", |name| name == "train_accuracy");
    let figures: Vec<Block> =
        [(loss, "Training loss of each run."), (accuracy, "Training accuracy of each run.")]
            .into_iter()
            .filter_map(|(svg, caption)| Some(Block::figure(svg?, caption)))
            .collect();
    (!figures.is_empty()).then(|| Section {
        id: "training",
        title: "Training".into(),
        lead: String::new(),
        blocks: vec![Block::Columns(figures)],
    })
}

fn chart(logs: &[Log], axis: &str, wanted: impl Fn(&str) -> bool) -> Option<String> {
    let percent = axis.contains('%');
    let series: Vec<Series> = logs
        .iter()
        .filter_map(|Log { run: name, columns }| {
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
