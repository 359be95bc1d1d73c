//! Training curves from the runs' `log.csv`.

use crate::context::{Context, Log};
use crate::page::{Block, Section};
use crate::plot::{Lines, Series, Width};
use in9_analysis::stats::Interval;

/// Lines of a chart; of more, none can be followed.
const LINES: usize = 9;

/// The section, if any run has a log.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let groups = groups(context);
    let (mut blocks, parts) = (Vec::new(), groups.len());
    for (i, (name, logs)) in groups.iter().enumerate() {
        let of = if parts > 1 { format!(", {name}") } else { String::new() };
        let charts = [
            ("training loss", "Mean loss over the training photographs"),
            ("training accuracy (%)", "Accuracy over the training photographs as they were augmented"),
        ];
        let figures = charts.into_iter().filter_map(|(axis, what)| {
            let chart = chart(logs, axis, &of)?;
            Block::figure(Some(chart), format!("{what}, by epoch, one line a run{of}."))
        });
        let figures: Vec<Block> = figures.collect();
        if figures.is_empty() {
            continue;
        }
        let columns = Block::Columns(figures);
        blocks.push(if i == 0 { columns } else { Block::Details(format!("Training{of}"), vec![columns]) });
    }
    (!blocks.is_empty()).then(|| Section {
        id: "training",
        title: "Training".into(),
        lead: String::new(),
        blocks,
    })
}

/// Logs that are drawn together: of one dataset, and no more than can be told apart.
fn groups(context: &Context) -> Vec<(String, Vec<&Log>)> {
    let mut groups: Vec<(String, Vec<&Log>)> = Vec::new();
    for log in &context.logs {
        let dataset = match log.dataset.as_str() {
            "" => context.main_dataset(),
            dataset => dataset,
        };
        match groups.iter_mut().find(|(name, _)| name == dataset) {
            Some((_, logs)) => logs.push(log),
            None => groups.push((dataset.to_owned(), vec![log])),
        }
    }
    groups.sort_by_key(|(name, _)| name != context.main_dataset());
    let mut parts = Vec::new();
    for (name, logs) in groups {
        let many = logs.len() > LINES;
        for (i, part) in logs.chunks(LINES).enumerate() {
            let name = if many { format!("{name}, part {}", i + 1) } else { name.clone() };
            parts.push((name, part.to_vec()));
        }
    }
    parts
}

fn chart(logs: &[&Log], axis: &str, of: &str) -> Option<String> {
    let percent = axis.contains('%');
    let wanted = if percent { "train_accuracy" } else { "train_loss" };
    let series = logs.iter().filter_map(|Log { run: name, columns, .. }| {
        let epochs = columns.iter().find(|(n, _)| n == "epoch").map(|(_, v)| v);
        let (_, values) = columns.iter().find(|(n, _)| n == wanted)?;
        // Fractions become percent; a log that is in percent already stays as it is.
        let fraction = percent && values.iter().all(|v| v.is_nan() || *v <= 1.0);
        let factor = if fraction { 100.0 } else { 1.0 };
        let points = values.iter().enumerate().map(|(i, v)| {
            let x = epochs.and_then(|e| e.get(i)).copied().unwrap_or(i as f64);
            (x, Interval::exact(v * factor))
        });
        Some(Series { name: name.clone(), points: points.collect(), marked: false })
    });
    let chart = Lines {
        label: format!("{axis} by epoch{of}"),
        x_axis: "epoch".into(),
        y_axis: axis.into(),
        series: series.collect(),
        range: percent.then_some((0.0, 100.0)),
        logarithmic: false,
        own_ticks: false,
        width: Width::Half,
    };
    chart.svg()
}
