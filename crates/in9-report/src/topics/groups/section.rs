//! The worst group of each network beside its average.

use crate::context::Context;
use crate::page::{Block, Section};
use crate::plot::Dots;
use in9_analysis::groups::{self, Grouped};
use in9_analysis::stats::Interval;
use in9_data::View;

/// Rows of a table that is shown at once; longer ones are opened when asked for.
const SHOWN: usize = 12;

/// The section, if the groups of a data set are known.
pub(crate) fn section(context: &Context) -> Option<Section> {
    if context.groups.is_empty() {
        return None;
    }
    let mut blocks = Vec::new();
    for (dataset, split) in context.frame.test_sets() {
        let of: Vec<&Grouped> = context
            .groups
            .iter()
            .filter(|one| one.key.dataset == dataset && one.key.split == split)
            .collect();
        if of.is_empty() {
            continue;
        }
        let view = shown_view(&of);
        let here: Vec<&Grouped> = of.iter().copied().filter(|one| one.view == view).collect();
        let charts = [
            (
                "the worst group",
                "accuracy of the worst group (%)",
                (|one| one.worst_accuracy) as fn(&Grouped) -> Interval,
            ),
            ("all photographs", "accuracy over all photographs (%)", |one| one.average),
        ];
        let charts = charts.into_iter().filter_map(|(what, axis, of)| {
            let caption = format!(
                "Accuracy on {what} of {dataset} {split}, {view}, one row a network. Whiskers: 95 % intervals; the worst \
                 group's holds the lowest of the groups' true accuracies, whichever group has it."
            );
            Block::figure(chart(&here, axis, of), caption)
        });
        blocks.push(Block::Columns(charts.collect()));
        let title = format!("{dataset} {split}: accuracy by group (class · group)");
        let table = groups::table(&title, &of);
        blocks.push(match table.rows.len() {
            ..=SHOWN => Block::Table(table),
            _ => Block::Details(title, vec![Block::Table(table)]),
        });
    }
    Some(Section {
        id: "groups",
        title: "The group that a network is worst at".into(),
        lead: "A group is a class of photographs on one kind of background. A network that leans on backgrounds may be right on \
               average and wrong on the group whose background speaks against its class; so it is judged by its worst group. \
               The reweighted average counts each group by its share of the training photographs, where that is known."
            .into(),
        blocks,
    })
}

/// Photographs as they are, if their groups are known, else those on random backgrounds, else the first view.
fn shown_view(all: &[&Grouped]) -> View {
    let known = |view: &View| all.iter().any(|one| one.view == *view);
    let first = all.first().map_or(View::Original, |one| one.view);
    [View::Original, View::MixedRand].into_iter().find(known).unwrap_or(first)
}

fn chart(all: &[&Grouped], axis: &str, of: fn(&Grouped) -> Interval) -> Option<String> {
    let name = |one: &Grouped| match one.key.trained_on.as_str() {
        "" => one.key.model.clone(),
        trained_on => format!("{}, trained on {trained_on}", one.key.model),
    };
    let chart = Dots {
        label: axis.to_owned(),
        axis: axis.to_owned(),
        rows: all.iter().map(|one| (name(one), of(one).scaled(100.0))).collect(),
    };
    chart.svg()
}
