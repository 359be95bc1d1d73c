//! The train-on-X, test-on-Y matrix beside the paper's Table 5.

use crate::context::{Context, TestSet};
use crate::page::{Block, Section};
use crate::plot::Heatmap;
use in9_analysis::metrics::main_arch;
use in9_analysis::metrics::{Accuracy, ModelSummary};
use in9_analysis::output::tables;
use in9_analysis::paper::Accuracies;
use in9_data::View;

/// The section, if any model was tested on the main data set.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let sets = context.test_sets();
    let trained = sets.iter().flat_map(|s| &s.models).any(|(_, m)| m.key.is_trained_on_view());
    let mut blocks = Vec::new();
    for (i, set) in sets.iter().enumerate() {
        let title =
            format!("Accuracy % (balanced accuracy %) of every network on {} {}", set.dataset, set.split);
        let grid = tables::matrix(&title, &set.summaries());
        let table =
            if trained { Block::PaperTable("Table 5", grid) } else { Block::PaperTable("Table 2", grid) };
        let photographs = set.foregrounds();
        let means = if set.has_repeats() { " (means over their trainings)" } else { "" };
        let plain = Block::figure(
            heatmap(set, "accuracy", |a| a.accuracy.value),
            format!(
                "Accuracy on {} in percent ({photographs} photographs): rows are networks{means}, columns views.",
                set.split
            ),
        );
        let balanced = Block::figure(
            heatmap(set, "balanced accuracy", |a| a.balanced.value),
            format!(
                "Balanced accuracy on {} in percent ({photographs} photographs): rows are networks{means}, columns the \
                 views that they were tested on; darker is higher.",
                set.split
            ),
        );
        if i == 0 {
            let matrices: Vec<Block> = balanced.into_iter().chain(published(context, trained)).collect();
            match set.grouped(&on_views(set)).len() {
                ..=MOST_ABREAST => blocks.push(Block::Columns(matrices)),
                _ => blocks.extend(matrices),
            }
            blocks.push(table);
            blocks.extend(
                plain.map(|plain| Block::Details(format!("Plain accuracy on {}", set.split), vec![plain])),
            );
        } else {
            let both = Block::Columns(balanced.into_iter().chain(plain).collect());
            blocks.push(Block::Details(format!("The same on {}", set.split), vec![both, table]));
        }
    }
    let lead = if trained {
        "Each row is a network, each column a view it was tested on. Where classes are not equally frequent, balanced \
         accuracy (the mean of the classes' recalls) is the one to set beside the paper's numbers and beside chance. \
         The coloured matrices show the networks of one architecture that were trained on views, and those trained \
         elsewhere; the tables all networks."
    } else {
        "Each row is a network, each column a view it was tested on. Where classes are not equally frequent, balanced \
         accuracy (the mean of the classes' recalls) is the one to set beside other test sets and beside chance."
    };
    let title = if trained { "Trained on one view, tested on another" } else { "Accuracy on every view" };
    (!sets.is_empty()).then(|| Section { id: "matrix", title: title.into(), lead: lead.into(), blocks })
}

/// Networks up to which two matrices stand side by side. More have names of architectures and trainings in front of their
/// rows, behind which the last views would be out of sight.
const MOST_ABREAST: usize = 12;

/// The networks of the matrix proper: those trained on views that are alike in their architecture, and those trained
/// elsewhere. All, if there are none of these.
fn on_views<'a>(set: &TestSet<'a>) -> Vec<&'a ModelSummary> {
    let all = set.summaries();
    let main = main_arch(&all);
    let on_view =
        |m: &&ModelSummary| m.key.arch == main && View::ALL.iter().any(|v| v.name() == m.key.trained_on);
    let chosen: Vec<&ModelSummary> =
        all.iter().copied().filter(|m| on_view(m) || !m.key.is_trained_on_view()).collect();
    if chosen.is_empty() { all } else { chosen }
}

fn heatmap(set: &TestSet<'_>, what: &str, value: impl Fn(&Accuracy) -> f64) -> Option<String> {
    let summaries = on_views(set);
    // Controls have their own section, and the paper's matrix beside this one has none; what networks learnt from is shown.
    let is_learnt = |view: &View| summaries.iter().any(|m| m.key.trained_on == view.name());
    let mut views = tables::views(&summaries);
    if views.iter().any(|view| !View::CONTROLS.contains(view)) {
        views.retain(|view| !View::CONTROLS.contains(view) || is_learnt(view));
    }
    let networks = set.grouped(&summaries);
    Heatmap {
        label: format!("{what} on {}, by network and view", set.split),
        row_axis: "network".into(),
        column_axis: "tested on".into(),
        rows: networks.iter().map(|one| one.name.clone()).collect(),
        columns: views.iter().map(View::to_string).collect(),
        values: networks
            .iter()
            .map(|one| {
                let of = |view: &View| one.mean(|m| m.accuracy(*view).map(|a| 100.0 * value(a)));
                views.iter().map(of).collect()
            })
            .collect(),
        range: (0.0, 100.0),
        decimals: 1,
    }
    .svg()
}

/// The paper's matrix of the same: of networks trained on views, or of networks pre-trained on ImageNet.
fn published(context: &Context, trained: bool) -> Option<Block> {
    let mut columns: Vec<String> = View::PAPER.iter().map(View::to_string).collect();
    columns.push("in-9l".into());
    let paper = &context.paper;
    let (number, what, rows): (_, _, Vec<(&str, &Accuracies)>) = if trained {
        let rows = paper.train_test.iter().map(|r| (r.trained_on.as_str(), &r.accuracy));
        (
            "Table 5",
            "ResNet-50 trained on each view, 4050 test images of ImageNet-9 (balanced), percent.",
            rows.collect(),
        )
    } else if context.has_the_papers_classes() {
        let published = paper.architecture.iter().filter(|a| a.imagenet.is_some());
        let rows = published.map(|a| (a.model.as_str(), &a.accuracy));
        ("Table 2", "The paper’s networks, pre-trained on ImageNet: accuracy in percent.", rows.collect())
    } else {
        return None;
    };
    columns.retain(|c| rows.iter().any(|(_, accuracy)| accuracy.contains_key(c)));
    let chart = Heatmap {
        label: format!("the paper's {number}"),
        row_axis: if trained { "trained on" } else { "network" }.into(),
        column_axis: "tested on".into(),
        rows: rows.iter().map(|(name, _)| (*name).to_owned()).collect(),
        values: rows.iter().map(|(_, a)| columns.iter().map(|c| a.get(c).copied()).collect()).collect(),
        columns,
        range: (0.0, 100.0),
        decimals: 1,
    };
    Block::paper_figure(number, chart.svg(), what)
}
