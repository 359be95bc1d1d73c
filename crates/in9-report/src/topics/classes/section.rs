//! Recall of each class, and who is taken for whom.

use crate::context::Context;
use crate::page::{Block, Section};
use crate::plot::Heatmap;
use in9_analysis::Frame;
use in9_analysis::metrics::ModelSummary;
use in9_analysis::output::number::percent_interval;
use in9_analysis::output::{Grid, tables};
use in9_data::View;

/// Classes up to which a confusion matrix is drawn; `confusion.csv` lists what occurred for any number.
const MOST_DRAWN: usize = 64;

/// The section, if any model was tested on the main data set.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let sets = context.test_sets();
    let set = sets.first()?;
    let mut blocks = Vec::new();
    for view in [View::Original, View::MixedRand, View::OnlyBgT] {
        let title = format!("Recall on {view} ({}), % of each class", set.split);
        let grid = recalls(&title, &context.frame, &set.summaries(), view);
        if !grid.rows.is_empty() {
            blocks.push(Block::Details(title, vec![Block::Table(grid)]));
        }
    }
    let shown = set.shown(2);
    let charts =
        shown.iter().flat_map(|(_, summary)| [View::Original, View::MixedRand].map(|v| (*summary, v)));
    let confusions: Vec<Block> = charts
        .filter_map(|(summary, view)| {
            let caption = format!(
                "Who is taken for whom on {view}, {}: rows are true classes, columns the answers, in % of the true class.",
                set.phrase(summary)
            );
            Block::figure(confusion(context, summary, view, &set.name(summary)), caption)
        })
        .collect();
    if !confusions.is_empty() {
        let (first, more) = confusions.split_at(confusions.len().min(2));
        blocks.insert(0, Block::Columns(first.to_vec()));
        if !more.is_empty() {
            let summary = "The same of a second network".to_owned();
            blocks.insert(1, Block::Details(summary, vec![Block::Columns(more.to_vec())]));
        }
    }
    (!blocks.is_empty()).then(|| Section {
        id: "classes",
        title: "Class by class".into(),
        lead: String::new(),
        blocks,
    })
}

fn confusion(context: &Context, summary: &ModelSummary, view: View, name: &str) -> Option<String> {
    let accuracy = summary.accuracy(view)?;
    let classes = context.classes();
    if classes > MOST_DRAWN {
        return None;
    }
    let confusion = &accuracy.confusion;
    let mut columns = context.frame.classes.clone();
    if confusion.outside() > 0 {
        columns.push("(outside)".into());
    }
    let values = accuracy.recalls.iter().enumerate().map(|(truth, recall)| {
        let predicted = |column: usize| if column < classes { Some(column) } else { None };
        let share = |n: u64| (recall.total > 0).then(|| 100.0 * n as f64 / recall.total as f64);
        (0..columns.len()).map(|column| share(confusion.count(truth, predicted(column)))).collect()
    });
    let chart = Heatmap {
        label: format!("confusion on {view} by {name}"),
        row_axis: "class".into(),
        column_axis: "taken for".into(),
        rows: context.frame.classes.clone(),
        values: values.collect(),
        columns: columns.clone(),
        range: (0.0, 100.0),
        decimals: 0,
    };
    chart.svg()
}

/// Recall of every class on one view with its interval, in percent, one row a model.
fn recalls(title: &str, frame: &Frame, models: &[&ModelSummary], view: View) -> Grid {
    let mut header = tables::MODEL.to_vec();
    header.extend(frame.classes.iter().map(String::as_str));
    let mut grid = Grid::new(title, &header);
    for m in models {
        let Some(a) = m.accuracy(view) else { continue };
        let cells = a.recalls.iter().map(|r| percent_interval(&r.recall));
        grid.push(tables::model(m).into_iter().chain(cells).collect());
    }
    grid
}
