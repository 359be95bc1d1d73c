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
        label: format!("confusion on {view}"),
        row_axis: "class".into(),
        column_axis: "taken for".into(),
        rows: context.frame.classes.clone(),
        values: values.collect(),
        columns: columns.clone(),
        range: (0.0, 100.0),
        decimals: 0,
    };
    Some(chart.svg())
}

/// Recall of every class on one view with its interval, in percent, one row a model.
fn recalls(title: &str, frame: &Frame, models: &[&ModelSummary], view: View) -> Grid {
    let mut header = vec!["trained on"];
    header.extend(frame.classes.iter().map(String::as_str));
    let mut grid = Grid::new(title, &header);
    for (name, m) in tables::names(models).into_iter().zip(models) {
        let Some(a) = m.accuracy(view) else { continue };
        let cells = a.recalls.iter().map(|r| percent_interval(&r.recall));
        grid.push(std::iter::once(name).chain(cells).collect());
    }
    grid
}
