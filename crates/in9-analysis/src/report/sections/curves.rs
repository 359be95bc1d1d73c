//! Training-set size and granularity: Figures 10 to 12.

use crate::metrics::{Gap, ModelSummary};
use crate::output::Grid;
use crate::output::number::{percent_interval, points_interval};
use crate::plot::{Lines, Series};
use crate::report::block::{Block, Section};
use crate::report::context::Context;
use in9_data::View;

const VIEWS: [View; 4] = [View::MixedNext, View::MixedRand, View::MixedSame, View::Original];

/// The models of a curve by ascending x, on the first split they were tested on.
fn models<'a>(context: &'a Context, kind: &str) -> Vec<(f64, &'a ModelSummary)> {
    let points = context.spec.curve.iter().filter(|c| c.kind == kind).flat_map(|c| &c.point);
    let mut found: Vec<(f64, &ModelSummary)> = points
        .filter_map(|p| {
            let mut tested: Vec<&ModelSummary> =
                context.summaries.iter().filter(|s| s.key.model == p.model).collect();
            tested.sort_by_key(|s| s.key.split != "test");
            Some((p.x, *tested.first()?))
        })
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found
}

/// BG-gaps along a curve.
pub(crate) fn gaps(context: &Context, kind: &str) -> Vec<(f64, Gap)> {
    models(context, kind).into_iter().filter_map(|(x, m)| Some((x, m.gap?))).collect()
}

/// The section, if the list names any curve.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let mut blocks = Vec::new();
    for (kind, axis, caption) in [
        ("granularity", "training classes", "Figure 10: the same photographs with finer labels."),
        ("size", "size of the training set", "Figure 11: more training photographs."),
    ] {
        let models = models(context, kind);
        if models.len() > 1 {
            blocks.push(Block::figure(chart(&models, axis), caption));
            blocks.push(Block::Table(table(&models, axis)));
        }
    }
    (!blocks.is_empty()).then(|| Section {
        id: "curves",
        title: "Size and granularity of the training set".into(),
        lead: "Paper: the BG-gap is about the same for a quarter and for four times the photographs, and \
               falls from 15.6 to 13.3 points from 9 to 144 training classes."
            .into(),
        blocks,
    })
}

fn chart(models: &[(f64, &ModelSummary)], axis: &str) -> String {
    let series = VIEWS.iter().map(|v| Series {
        name: v.to_string(),
        points: models
            .iter()
            .filter_map(|(x, m)| Some((*x, m.accuracy(*v)?.accuracy.scaled(100.0))))
            .collect(),
        marked: true,
    });
    Lines {
        label: format!("accuracy against {axis}"),
        x_axis: axis.into(),
        y_axis: "accuracy (%)".into(),
        series: series.collect(),
        range: None,
        logarithmic: true,
        own_ticks: true,
    }
    .svg()
}

fn table(models: &[(f64, &ModelSummary)], axis: &str) -> Grid {
    let mut grid = Grid::new(
        format!("Along the {axis}"),
        &[axis, "model", "original %", "mixed-same %", "mixed-rand %", "BG-gap"],
    );
    for (x, m) in models {
        let cell = |v| m.accuracy(v).map_or("–".into(), |a| percent_interval(&a.accuracy));
        grid.push(vec![
            x.to_string(),
            m.key.model.clone(),
            cell(View::Original),
            cell(View::MixedSame),
            cell(View::MixedRand),
            m.gap.map_or("–".into(), |g| points_interval(&g.gap)),
        ]);
    }
    grid
}
