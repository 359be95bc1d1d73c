//! The train-on-X, test-on-Y matrix beside the paper's Table 5.

use crate::context::{Context, TestSet};
use crate::page::{Block, Section};
use crate::plot::Heatmap;
use in9_analysis::metrics::main_arch;
use in9_analysis::metrics::{Accuracy, ModelSummary};
use in9_analysis::output::tables;
use in9_data::View;

/// The section, if any model was tested on the main data set.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let sets = context.test_sets();
    let mut blocks = Vec::new();
    for (i, set) in sets.iter().enumerate() {
        let title = format!("Accuracy % (balanced accuracy %), {} {}", set.dataset, set.split);
        let table = Block::Table(tables::matrix(&title, &set.summaries()));
        let plain = Block::figure(
            heatmap(set, "accuracy", |a| a.accuracy.value),
            format!("Accuracy on {} ({} photographs), percent.", set.split, set.foregrounds()),
        );
        let balanced = Block::figure(
            heatmap(set, "balanced accuracy", |a| a.balanced.value),
            format!("Here, {}: balanced accuracy, percent ({} photographs).", set.split, set.foregrounds()),
        );
        if i == 0 {
            let paper = Block::figure(
                published(context),
                "The paper, Table 5: ResNet-50, 4050 test images of ImageNet-9 (balanced), percent.",
            );
            blocks.extend([Block::Columns(vec![balanced, paper]), table]);
            blocks.push(Block::Details(format!("Plain accuracy on {}", set.split), vec![plain]));
        } else {
            let both = Block::Columns(vec![balanced, plain]);
            blocks.push(Block::Details(format!("The same on {}", set.split), vec![both, table]));
        }
    }
    let lead = "Each row is a network trained on one view, each column a view it was tested on. Where \
                classes are not equally frequent, balanced accuracy (the mean of the classes' recalls) \
                is the one to set beside the paper's numbers and beside chance. The coloured matrices show the \
                networks of one architecture that were trained on views; the tables all networks.";
    (!sets.is_empty()).then(|| Section {
        id: "matrix",
        title: "Trained on one view, tested on another".into(),
        lead: lead.into(),
        blocks,
    })
}

/// The networks of the matrix proper: trained on views, and alike in their architecture. All, if there are none.
fn on_views<'a>(set: &TestSet<'a>) -> Vec<&'a ModelSummary> {
    let all = set.summaries();
    let main = main_arch(&all);
    let on_view =
        |m: &&ModelSummary| m.key.arch == main && View::ALL.iter().any(|v| v.name() == m.key.trained_on);
    let chosen: Vec<&ModelSummary> = all.iter().copied().filter(on_view).collect();
    if chosen.is_empty() { all } else { chosen }
}

fn heatmap(set: &TestSet<'_>, what: &str, value: impl Fn(&Accuracy) -> f64) -> String {
    let summaries = on_views(set);
    let views = tables::views(&summaries);
    Heatmap {
        label: format!("{what} on {}, by training and test view", set.split),
        row_axis: "trained on".into(),
        column_axis: "tested on".into(),
        rows: tables::names(&summaries),
        columns: views.iter().map(View::to_string).collect(),
        values: summaries
            .iter()
            .map(|m| views.iter().map(|v| m.accuracy(*v).map(|a| 100.0 * value(a))).collect())
            .collect(),
        range: (0.0, 100.0),
        decimals: 1,
    }
    .svg()
}

fn published(context: &Context) -> String {
    let mut columns: Vec<String> = View::PAPER.iter().map(View::to_string).collect();
    columns.push("in-9l".into());
    let rows = &context.paper.train_test;
    Heatmap {
        label: "the paper's Table 5".into(),
        row_axis: "trained on".into(),
        column_axis: "tested on".into(),
        rows: rows.iter().map(|r| r.trained_on.clone()).collect(),
        values: rows.iter().map(|r| columns.iter().map(|c| r.accuracy.get(c).copied()).collect()).collect(),
        columns,
        range: (0.0, 100.0),
        decimals: 1,
    }
    .svg()
}
