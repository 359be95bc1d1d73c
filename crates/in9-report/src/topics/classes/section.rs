//! Recall of each class, and who is taken for whom.

use in9_analysis::metrics::ModelSummary;
use in9_analysis::output::tables;
use crate::plot::Heatmap;
use crate::page::{Block, Section};
use crate::context::Context;
use in9_data::View;

/// The section, if any model was tested on the main data set.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let sets = context.test_sets();
    let set = sets.first()?;
    let mut blocks = Vec::new();
    for view in [View::Original, View::MixedRand, View::OnlyBgT] {
        let title = format!("Recall on {view} ({}), % of each class", set.split);
        let grid = tables::recalls(&title, &context.frame, &set.summaries(), view);
        if !grid.rows.is_empty() {
            blocks.push(Block::Details(title, vec![Block::Table(grid)]));
        }
    }
    let confusions: Vec<Block> = [View::Original, View::MixedRand]
        .into_iter()
        .filter_map(|view| {
            let (_, summary) = set.trained_on("original")?;
            let svg = confusion(context, summary, view)?;
            Some(Block::figure(svg, format!("Original-trained network on {view}: % of the true class.")))
        })
        .collect();
    if !confusions.is_empty() {
        blocks.insert(0, Block::Columns(confusions));
    }
    (!blocks.is_empty()).then(|| Section {
        id: "classes",
        title: "Class by class".into(),
        lead: String::new(),
        blocks,
    })
}

fn confusion(context: &Context, summary: &ModelSummary, view: View) -> Option<String> {
    let accuracy = summary.accuracy(view)?;
    let outside = accuracy.confusion.iter().any(|r| r.last().is_some_and(|n| *n > 0));
    let mut columns = context.frame.classes.clone();
    if outside {
        columns.push("(outside)".into());
    }
    let values = accuracy.confusion.iter().map(|row| {
        let total: u64 = row.iter().sum();
        let share = |n: &u64| (total > 0).then(|| 100.0 * *n as f64 / total as f64);
        row.iter().take(columns.len()).map(share).collect()
    });
    let chart = Heatmap {
        label: format!("confusion on {view}"),
        row_axis: "class".into(),
        column_axis: "taken for".into(),
        rows: context.frame.classes.clone(),
        values: values.collect(),
        columns,
        range: (0.0, 100.0),
        decimals: 0,
    };
    Some(chart.svg())
}
