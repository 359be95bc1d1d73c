//! Every accuracy with its interval, and the box-size leak.

use crate::context::Context;
use crate::page::{Block, Section};
use in9_analysis::metrics::ModelSummary;
use in9_analysis::output::number::{percent, percent_interval};
use in9_analysis::output::{Grid, tables};

/// The section, if any model was tested on the main data set.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let sets = context.test_sets();
    let mut blocks = Vec::new();
    for set in &sets {
        let summaries = set.summaries();
        blocks.push(Block::Details(
            format!("All accuracies on {}", set.split),
            vec![Block::Table(tables::intervals(
                &format!(
                    "All accuracies on {}: Wilson's 95 % interval; balanced accuracy: a normal one",
                    set.split
                ),
                &summaries,
            ))],
        ));
        let leak = leak(
            &format!(
                "Box-size leak on {}: accuracy on backgrounds alone (paper: only-fg 23.6 and 22.6, mixed-rand 15.3 and 14.6)",
                set.split
            ),
            &summaries,
        );
        if !leak.rows.is_empty() {
            blocks.push(Block::Details(format!("Box-size leak on {}", set.split), vec![Block::Table(leak)]));
        }
    }
    (!blocks.is_empty()).then(|| Section {
        id: "intervals",
        title: "All accuracies with intervals".into(),
        lead: String::new(),
        blocks,
    })
}

fn leak(title: &str, models: &[&ModelSummary]) -> Grid {
    let header = [
        "model",
        "trained on",
        "tested on",
        "accuracy %",
        "balanced accuracy %",
        "chance (balanced) %",
        "largest class %",
    ];
    let mut grid = Grid::new(title, &header);
    for m in models {
        // Networks that saw fitting backgrounds in training show no leak but what they learnt.
        if !matches!(m.key.trained_on.as_str(), "only-fg" | "mixed-rand" | "mixed-next") {
            continue;
        }
        for l in &m.leak {
            let mut row = tables::model(m);
            row.extend([
                l.view.to_string(),
                percent_interval(&l.accuracy),
                percent_interval(&l.balanced),
                percent(l.chance),
                percent(l.majority),
            ]);
            grid.push(row);
        }
    }
    grid
}
