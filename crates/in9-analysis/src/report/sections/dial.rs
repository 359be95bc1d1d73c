//! Calibration on the toy world: the measures against the dial ρ.

use crate::metrics::ModelSummary;
use crate::output::Grid;
use crate::output::number::{percent_interval, points_interval};
use crate::plot::{Lines, Series};
use crate::report::block::{Block, Section};
use crate::report::context::Context;
use crate::stats::Interval;
use in9_data::View;

const TRAINED: [&str; 2] = ["original", "mixed-rand"];

/// The section, if data sets of at least two ρ were tested.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let points: Vec<(f64, Vec<Option<&ModelSummary>>)> = context
        .dial()
        .into_iter()
        .filter_map(|(rho, dataset)| {
            let set = context.test_sets_of(dataset).into_iter().next()?;
            Some((rho, TRAINED.iter().map(|t| set.trained_on(t).map(|(_, m)| m)).collect()))
        })
        .collect();
    if points.len() < 2 {
        return None;
    }
    let gap = chart(&points, "BG-gap (points)", None, |m| Some(m.gap?.gap.scaled(100.0)));
    let background = chart(&points, "accuracy on only-bg-t (%)", Some((0.0, 100.0)), |m| {
        Some(m.accuracy(View::OnlyBgT)?.accuracy.scaled(100.0))
    });
    let required = chart(&points, "required background (%)", None, |m| {
        Some(m.categories.as_ref()?.required.scaled(100.0))
    });
    let photographs = chart(&points, "accuracy on original (%)", Some((0.0, 100.0)), |m| {
        Some(m.accuracy(View::Original)?.accuracy.scaled(100.0))
    });
    Some(Section {
        id: "dial",
        title: "Calibration: the measures against a known truth".into(),
        lead: "In the toy world ρ sets how often an object stands in its own kind of scene. A measure of \
               background reliance must be near zero at ρ = 0 and grow with ρ for a network trained on \
               photographs as they are; a network trained on mixed-rand must stay near zero."
            .into(),
        blocks: vec![
            Block::figure(gap, "BG-gap against ρ. Whiskers: 95 % bootstrap over foregrounds."),
            Block::Columns(vec![
                Block::figure(background, "Accuracy on backgrounds alone."),
                Block::figure(required, "Share of images whose background is required."),
            ]),
            Block::Table(table(&points)),
            Block::Details("Accuracy on photographs".into(), vec![Block::figure(photographs, "")]),
        ],
    })
}

fn chart(
    points: &[(f64, Vec<Option<&ModelSummary>>)],
    axis: &str,
    range: Option<(f64, f64)>,
    value: impl Fn(&ModelSummary) -> Option<Interval>,
) -> String {
    let series = TRAINED.iter().enumerate().map(|(k, trained)| Series {
        name: format!("trained on {trained}"),
        points: points.iter().filter_map(|(rho, m)| Some((*rho, value(m[k]?)?))).collect(),
        marked: true,
    });
    Lines {
        label: format!("{axis} against ρ"),
        x_axis: "ρ".into(),
        y_axis: axis.into(),
        series: series.collect(),
        range,
        logarithmic: false,
        own_ticks: true,
    }
    .svg()
}

fn table(points: &[(f64, Vec<Option<&ModelSummary>>)]) -> Grid {
    let header = ["ρ", "trained on", "original %", "only-bg-t %", "BG-gap", "required %"];
    let mut grid = Grid::new("Measures against ρ", &header);
    for (rho, models) in points {
        for (trained, m) in TRAINED.iter().zip(models) {
            let Some(m) = m else { continue };
            let accuracy = |v| m.accuracy(v).map_or("–".into(), |a| percent_interval(&a.accuracy));
            grid.push(vec![
                rho.to_string(),
                (*trained).into(),
                accuracy(View::Original),
                accuracy(View::OnlyBgT),
                m.gap.map_or("–".into(), |g| points_interval(&g.gap)),
                m.categories.as_ref().map_or("–".into(), |c| percent_interval(&c.required)),
            ]);
        }
    }
    grid
}
