//! Every measure of reliance on the background against the toy world's ρ.

use super::measures::{MEASURES, Measure, TRAINED};
use crate::context::Context;
use crate::page::{Block, Section};
use crate::plot::{Lines, Series, Width};
use in9_analysis::output::Grid;
use in9_analysis::stats::Interval;

/// The section, if data sets of at least two ρ were tested.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let charts: Vec<Block> = MEASURES.iter().filter_map(|m| chart(context, m)).collect();
    if charts.is_empty() {
        return None;
    }
    Some(Section {
        id: "rho-sweep",
        title: "Calibration: every measure against a known truth".into(),
        lead: "In the toy world ρ is the share of objects that stand in their own kind of scene. For a network trained \
               on photographs as they are, a measure of background reliance must be near its floor at ρ = 0 and \
               change with ρ; for one trained on mixed-rand it must not change. A data set's training and test \
               photographs have the same ρ, so measures taken on photographs as they are also change because the \
               test changes. Whiskers: 95 % intervals."
            .into(),
        blocks: vec![Block::Columns(charts), Block::Table(table(context))],
    })
}

fn chart(context: &Context, measure: &Measure) -> Option<Block> {
    let series: Vec<Series> = TRAINED
        .iter()
        .map(|trained| Series {
            name: format!("trained on {trained}"),
            points: measure.points(context, trained).into_iter().map(|(rho, m)| (rho, m.value)).collect(),
            marked: true,
        })
        .filter(|s| s.points.len() > 1)
        .collect();
    if series.is_empty() {
        return None;
    }
    let chart = Lines {
        label: format!("{} against ρ", measure.name),
        x_axis: "ρ".into(),
        y_axis: measure.axis.into(),
        series,
        range: None,
        logarithmic: false,
        own_ticks: true,
        width: Width::Half,
    };
    Block::figure(chart.svg(), format!("{} Horizontal axis: ρ. Whiskers: 95 % intervals.", measure.caption))
}

fn table(context: &Context) -> Grid {
    let mut header = vec!["measure (% or points)".to_owned(), "trained on".to_owned()];
    let sweep = context.rho_sweep();
    header.extend(sweep.iter().map(|(rho, _)| format!("ρ = {rho}")));
    let mut grid =
        Grid { title: "Measures against ρ, with 95 % intervals".into(), header, rows: Vec::new() };
    for measure in &MEASURES {
        for trained in TRAINED {
            let cells: Vec<Option<Interval>> =
                sweep.iter().map(|(_, dataset)| Some(measure.of(context, dataset, trained)?.value)).collect();
            if cells.iter().all(Option::is_none) {
                continue;
            }
            let printed =
                |i: Interval| format!("{:.1} [{:.1}, {:.1}]", i.value, i.low, i.high).replace('-', "−");
            let mut row = vec![measure.name.to_owned(), trained.to_owned()];
            row.extend(cells.into_iter().map(|c| c.map_or("–".into(), printed)));
            grid.push(row);
        }
    }
    grid
}
