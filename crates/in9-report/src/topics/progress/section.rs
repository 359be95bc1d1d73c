//! Benchmark progress: Figure 8.

use crate::context::{Context, Run, TestSet, without_seed};
use crate::page::{Block, Section};
use crate::plot::{Cloud, Scatter};
use in9_analysis::metrics::ModelSummary;
use in9_analysis::metrics::progress::{Point, Trend, ours, published, trends};
use in9_analysis::output::tables;
use in9_analysis::stats::regression;
use in9_data::View;

/// The views of Figure 8.
const FIGURE_8: [View; 5] = [View::OnlyBgT, View::NoFg, View::MixedSame, View::MixedRand, View::MixedNext];

/// What tells how good a network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Yardstick {
    /// Its accuracy on ImageNet, as in the paper.
    ImageNet,
    /// Its accuracy on the photographs as they are, where nothing was tested on ImageNet.
    Original,
}

/// At least three networks of this report, of different quality: those of the list's `imagenet` file, or else
/// those trained on photographs as they are.
pub(crate) fn own_points(context: &Context, set: &TestSet<'_>) -> Option<(Yardstick, Vec<Point>)> {
    let tested = listed_points(context, set);
    if different(&tested) {
        return Some((Yardstick::ImageNet, tested));
    }
    let mut points = trained_points(context, set);
    if points.is_empty() {
        // Nothing was trained here: the networks from elsewhere can be set against each other.
        points = set.elsewhere().filter_map(|(m, summary)| point(&m.key.model, summary)).collect();
    }
    different(&points).then_some((Yardstick::Original, points))
}

/// Whether there is more than a line through two places.
fn different(points: &[Point]) -> bool {
    let mut places: Vec<f64> = points.iter().map(|p| p.quality).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    places.len() >= 3
}

/// The networks of the list's `imagenet` file that were tested on `set`.
fn listed_points(context: &Context, set: &TestSet<'_>) -> Vec<Point> {
    let Some(path) = &context.spec.imagenet else { return Vec::new() };
    // Loading the context has refused a broken file already.
    let listed = ours(&context.summaries, path).unwrap_or_default();
    let here = |point: Point| {
        let (_, summary) = set.models.iter().find(|(m, _)| m.key.model == point.model)?;
        let views = summary.views.iter().map(|(v, a)| (v.to_string(), a.accuracy.value));
        Some(Point { views: views.collect(), ..point })
    };
    listed.into_iter().filter_map(here).collect()
}

/// The networks trained on photographs as they are, by their accuracy on such; those of adversarial trainings
/// give it up for something else. Trainings of one network that differ in their seed are one point, their mean: what
/// seeds differ by is no progress.
fn trained_points(context: &Context, set: &TestSet<'_>) -> Vec<Point> {
    let plain = |r: &&Run| r.dataset == set.dataset && r.view == View::Original.name() && !r.adversarial;
    let mut networks: Vec<Vec<&ModelSummary>> = Vec::new();
    for (_, summary) in context.runs.iter().filter(plain).filter_map(|r| set.of_run(r)) {
        let same = |network: &&mut Vec<&ModelSummary>| context.are_repeats(&network[0].key, &summary.key);
        match networks.iter_mut().find(same) {
            Some(network) => network.push(summary),
            None => networks.push(vec![summary]),
        }
    }
    networks.iter().filter_map(|trainings| mean_point(trainings)).collect()
}

/// Trainings of one network, at least one, as one point: the mean of each accuracy that all of them have.
fn mean_point(trainings: &[&ModelSummary]) -> Option<Point> {
    let first = &trainings[0].key.model;
    let name = match trainings.len() {
        1 => first.clone(),
        n => format!("{} ({n} trainings)", without_seed(first)),
    };
    let points: Vec<Point> = trainings.iter().filter_map(|summary| point(&name, summary)).collect();
    let mean = |figure: &dyn Fn(&Point) -> Option<f64>| {
        let known: Option<Vec<f64>> = points.iter().map(figure).collect();
        known
            .filter(|known| known.len() == trainings.len())
            .map(|known| known.iter().sum::<f64>() / known.len() as f64)
    };
    let on = |point: &Point, view: &str| point.views.iter().find(|(v, _)| v == view).map(|(_, y)| *y);
    let views =
        points.first()?.views.iter().filter_map(|(view, _)| Some((view.clone(), mean(&|p| on(p, view))?)));
    Some(Point { quality: mean(&|p| Some(p.quality))?, views: views.collect(), model: name })
}

/// A network by its accuracy on photographs as they are.
fn point(model: &str, summary: &ModelSummary) -> Option<Point> {
    let views = summary.views.iter().filter(|(v, _)| FIGURE_8.contains(v));
    Some(Point {
        model: model.to_owned(),
        quality: summary.accuracy(View::Original)?.accuracy.value,
        views: views.map(|(v, a)| (v.to_string(), a.accuracy.value)).collect(),
    })
}

/// The section, if there is a network to set beside the paper's, or several to set against each other.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let (sets, level) = (context.test_sets(), context.bootstrap.level);
    let listed = sets.first().map(|set| listed_points(context, set)).unwrap_or_default();
    let ours = listed.len();
    let mut points = published(&context.paper);
    points.extend(listed);
    let lines = trends(&points, level);
    let whose = match ours {
        0 => "the paper's five pre-trained networks (Table 2)".to_owned(),
        n => format!("the paper's five pre-trained networks (Table 2) and {n} of this report's"),
    };
    let caption = format!(
        "Accuracy on each view against accuracy on ImageNet, one colour a view, one point a network: {whose}. {LINES}"
    );
    let theirs = vec![
        Block::paper_figure("Figure 8", chart(&points, &lines, level, "ImageNet"), caption),
        Some(Block::Table(tables::trends("Slopes against accuracy on ImageNet with 95 % intervals", &lines))),
    ];
    let mut blocks = Vec::new();
    let own = sets.iter().filter_map(|set| Some((set, own_points(context, set)?)));
    for (set, (_, points)) in own.filter(|(_, (yardstick, _))| *yardstick == Yardstick::Original) {
        let lines = trends(&points, level);
        let names: Vec<&str> = points.iter().map(|p| p.model.as_str()).collect();
        let caption = format!(
            "Accuracy on each view of {} against accuracy on its photographs as they are, which stands for accuracy on \
             ImageNet; one colour a view, one point a network ({}). Both accuracies are of the same foregrounds, and \
             networks may share an architecture, so the bands are narrower than those of independent networks. {LINES}",
            set.split,
            names.join(", ")
        );
        let title = format!("Slopes against accuracy on original, {}, with 95 % intervals", set.split);
        let figure = Block::paper_figure("Figure 8", chart(&points, &lines, level, "original"), caption);
        let own: Vec<Block> =
            figure.into_iter().chain([Block::Table(tables::trends(&title, &lines))]).collect();
        if set.split == sets[0].split {
            blocks.extend(own);
        } else {
            blocks.push(Block::Details(format!("The same on {}", set.split), own));
        }
    }
    let theirs: Vec<Block> = theirs.into_iter().flatten().collect();
    if ours > 0 {
        blocks = theirs.into_iter().chain(blocks).collect();
    } else if !blocks.is_empty() {
        blocks.push(Block::Details("The paper's networks, by accuracy on ImageNet".into(), theirs));
    }
    (!blocks.is_empty()).then(|| Section {
        id: "progress",
        title: "Benchmark progress".into(),
        lead: "Do better networks lean less on backgrounds?".into(),
        blocks,
    })
}

/// What the lines of both charts are.
const LINES: &str = "Lines are least squares, bands the 95 % interval of the mean.";

/// A line for each view through the networks, by the accuracy that tells how good they are.
fn chart(points: &[Point], trends: &[Trend], level: f64, yardstick: &str) -> Option<String> {
    let clouds = trends.iter().map(|t| {
        let mut cloud: Vec<(f64, f64, String)> = Vec::new();
        for p in points {
            for (_, y) in p.views.iter().filter(|(v, _)| *v == t.view) {
                cloud.push((100.0 * p.quality, 100.0 * y, p.model.clone()));
            }
        }
        let pairs: Vec<(f64, f64)> = cloud.iter().map(|c| (c.0, c.1)).collect();
        Cloud { name: t.view.clone(), line: regression::fit(&pairs, level), points: cloud }
    });
    Scatter {
        label: format!("accuracy on each view against accuracy on {yardstick}"),
        x_axis: format!("accuracy on {yardstick} (%)"),
        y_axis: "accuracy on the view (%)".into(),
        clouds: clouds.collect(),
    }
    .svg()
}
