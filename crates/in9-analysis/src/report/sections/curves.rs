//! Training-set size and granularity: Figures 10 to 12.

use crate::metrics::ModelSummary;
use crate::output::Grid;
use crate::output::number::{percent_interval, points_interval};
use crate::plot::{Bar, Bars, Group, Lines, Series};
use crate::report::block::{Block, Section};
use crate::report::context::Context;
use crate::report::runs::Run;
use in9_data::View;

const VIEWS: [View; 4] = [View::MixedNext, View::MixedRand, View::MixedSame, View::Original];

/// Models by ascending x.
pub(crate) type Points<'a> = Vec<(f64, &'a ModelSummary)>;

/// The models of a curve, on the first split they were tested on: those that the list names, or else those
/// whose runs differ from the original-trained network's in nothing but size or granularity.
pub(crate) fn models<'a>(context: &'a Context, kind: &str) -> Points<'a> {
    let listed = context.spec.curve.iter().filter(|c| c.kind == kind).flat_map(|c| &c.point);
    let mut places: Vec<(f64, &str)> = listed.map(|p| (p.x, p.model.as_str())).collect();
    if places.is_empty() {
        places = from_runs(context, kind);
    }
    let main = context.main_dataset();
    let tested = |model: &str| {
        let mut tested: Vec<&ModelSummary> =
            context.summaries.iter().filter(|s| s.key.model == model).collect();
        tested.sort_by_key(|s| (s.key.dataset != main, s.key.split != "test"));
        tested.first().copied()
    };
    let mut found: Points<'_> = places.into_iter().filter_map(|(x, m)| Some((x, tested(m)?))).collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.dedup_by(|a, b| a.0 == b.0);
    found
}

/// x and model of each run on the main data set's photographs that belongs to the curve.
fn from_runs<'a>(context: &'a Context, kind: &str) -> Vec<(f64, &'a str)> {
    let main = context.main_dataset();
    let runs = || context.runs.iter().filter(|r| r.dataset == main && r.view == "original");
    let Some(whole) = runs().find(|r| r.fraction == 1.0 && !r.fine) else { return Vec::new() };
    let place = |r: &'a Run| match kind {
        "size" if !r.fine => Some((r.fraction, r.model.as_str())),
        "granularity" if r.fraction == 1.0 => Some((r.classes as f64, r.model.as_str())),
        _ => None,
    };
    runs().filter(|r| r.arch == whole.arch).filter_map(place).collect()
}

/// The section, if there is any curve.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let mut blocks = Vec::new();
    let (sizes, grains) = (models(context, "size"), models(context, "granularity"));
    for (models, axis, caption) in [
        (
            &grains,
            "training classes",
            "Figure 10: the same photographs with finer labels; a predicted sub-class counts as its class. \
             Whiskers: Wilson's 95 % interval.",
        ),
        (
            &sizes,
            "share of the training photographs",
            "Figure 11: fewer training photographs. Whiskers: Wilson's 95 % interval.",
        ),
    ] {
        if models.len() > 1 {
            blocks.push(Block::figure(chart(models, axis), caption));
            blocks.push(Block::Table(table(models, axis)));
        }
    }
    if blocks.is_empty() {
        return None;
    }
    blocks.push(Block::figure(
        bars(context, &sizes, &grains),
        "Figure 12: mixed-same and mixed-rand by training set; the step between two bars is the BG-gap. \
         Diamonds: the paper, where it has the same training.",
    ));
    blocks.push(Block::Table(published(context)));
    Some(Section {
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

/// Figure 12 over the networks of both curves and the mixed-rand-trained one.
fn bars(context: &Context, sizes: &Points<'_>, grains: &Points<'_>) -> String {
    let mut shown: Vec<&ModelSummary> = Vec::new();
    let sets = context.test_sets();
    let mixed = sets.first().and_then(|s| s.trained_on("mixed-rand")).map(|(_, m)| m);
    for m in sizes.iter().chain(grains).map(|(_, m)| *m).chain(mixed) {
        if !shown.iter().any(|s| s.key == m.key) {
            shown.push(m);
        }
    }
    let views = [View::MixedSame, View::MixedRand];
    let groups = shown.into_iter().map(|m| Group {
        label: m.label().to_owned(),
        bars: views
            .iter()
            .enumerate()
            .filter_map(|(series, v)| {
                let interval = m.accuracy(*v)?.accuracy.scaled(100.0);
                let published = context.paper.accuracy(m.label(), v.name());
                Some(Bar { series, interval, published, balanced: None })
            })
            .collect(),
    });
    Bars {
        label: "accuracy on mixed-same and mixed-rand by training set".into(),
        axis: "accuracy (%)".into(),
        series: views.map(|v| v.to_string()).to_vec(),
        groups: groups.collect(),
        level: Some((100.0 * context.frame.chance(), "chance".into())),
        range: None,
    }
    .svg()
}

/// The gaps that the paper's text gives for Figure 12.
fn published(context: &Context) -> Grid {
    let mut grid = Grid::new("The paper's BG-gaps by training set, in points", &["trained on", "BG-gap"]);
    for (name, gap) in &context.paper.gaps {
        grid.push(vec![name.clone(), format!("{gap:.1}").replace('-', "−")]);
    }
    grid
}
