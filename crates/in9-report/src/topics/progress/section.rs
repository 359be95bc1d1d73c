//! Benchmark progress: Figure 8.

use crate::context::{Context, Run, TestSet};
use crate::page::{Block, Section};
use crate::plot::{Cloud, Scatter};
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
    let trained = trained_points(context, set);
    different(&trained).then_some((Yardstick::Original, trained))
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
/// give it up for something else.
fn trained_points(context: &Context, set: &TestSet<'_>) -> Vec<Point> {
    let plain = |r: &&Run| r.dataset == set.dataset && r.view == View::Original.name() && !r.adversarial;
    let points = context.runs.iter().filter(plain).filter_map(|r| {
        let (_, summary) = set.models.iter().find(|(m, _)| m.key.model == r.model)?;
        let views = summary.views.iter().filter(|(v, _)| FIGURE_8.contains(v));
        Some(Point {
            model: r.model.clone(),
            quality: summary.accuracy(View::Original)?.accuracy.value,
            views: views.map(|(v, a)| (v.to_string(), a.accuracy.value)).collect(),
        })
    });
    points.collect()
}

/// The section.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let (sets, level) = (context.test_sets(), context.bootstrap.level);
    let listed = sets.first().map(|set| listed_points(context, set)).unwrap_or_default();
    let whose = match listed.len() {
        0 => "The first plot shows the paper's five pre-trained networks (Table 2); none of this report's was tested on ImageNet.".to_owned(),
        n => format!("The first plot shows the paper's five pre-trained networks (Table 2) and {n} of this report's."),
    };
    let mut points = published(&context.paper);
    points.extend(listed);
    let lines = trends(&points, level);
    let mut blocks = vec![
        Block::figure(
            chart(&points, &lines, level, "ImageNet"),
            "Figure 8: lines are least squares, bands the 95 % interval of the mean.",
        ),
        Block::Table(tables::trends("Slopes with 95 % intervals", &lines)),
    ];
    let own = sets.iter().filter_map(|set| Some((set, own_points(context, set)?)));
    for (set, (_, points)) in own.filter(|(_, (yardstick, _))| *yardstick == Yardstick::Original) {
        let lines = trends(&points, level);
        let names: Vec<&str> = points.iter().map(|p| p.model.as_str()).collect();
        let caption = format!(
            "The same for this report's networks on {}, with accuracy on original in the place of accuracy on \
             ImageNet: all that were trained on photographs as they are, adversarial trainings aside ({}). Both \
             accuracies are of the same foregrounds and several networks share an architecture, so the bands are \
             narrower than those of independent networks.",
            set.split,
            names.join(", ")
        );
        let title = format!("Slopes against accuracy on original, {}, with 95 % intervals", set.split);
        let own = vec![
            Block::figure(chart(&points, &lines, level, "original"), caption),
            Block::Table(tables::trends(&title, &lines)),
        ];
        if set.split == sets[0].split {
            blocks.extend(own);
        } else {
            blocks.push(Block::Details(format!("The same on {}", set.split), own));
        }
    }
    Some(Section {
        id: "progress",
        title: "Benchmark progress".into(),
        lead: format!("Do networks that are better on ImageNet lean less on backgrounds? {whose}"),
        blocks,
    })
}

/// A line for each view through the networks, by the accuracy that tells how good they are.
fn chart(points: &[Point], trends: &[Trend], level: f64, yardstick: &str) -> String {
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
