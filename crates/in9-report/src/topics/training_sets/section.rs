//! Training-set size and granularity: Figures 10 to 12.

use super::curve::{Curve, curve, title};
use crate::context::{Context, TestSet};
use crate::page::{Block, Section};
use crate::plot::{Bar, Bars, Group, Lines, Series, Width};
use crate::spec::CurveKind;
use in9_analysis::metrics::ModelSummary;
use in9_analysis::output::Grid;
use in9_analysis::output::number::{percent_interval, points, points_interval};
use in9_analysis::stats::Interval;
use in9_data::View;

/// The tests of Figures 10 and 11.
pub(crate) const VIEWS: [View; 4] = [View::MixedNext, View::MixedRand, View::MixedSame, View::Original];

/// The section, if there is any curve.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let sets = context.test_sets();
    let mut blocks = Vec::new();
    for (i, set) in sets.iter().enumerate() {
        let here = on(context, set);
        if i == 0 || here.is_empty() {
            blocks.extend(here);
        } else {
            blocks.push(Block::Details(format!("The same on {}", set.split), here));
        }
    }
    if blocks.is_empty() {
        return None;
    }
    if !blocks.iter().any(|block| matches!(block, Block::Table(_))) {
        // No curve: networks that were trained elsewhere.
        return Some(Section {
            id: "curves",
            title: "Fitting against random backgrounds".into(),
            lead: "What the BG-gap is the difference of, network by network.".into(),
            blocks,
        });
    }
    blocks.push(Block::Table(published(context)));
    Some(Section {
        id: "curves",
        title: "Size and granularity of the training set".into(),
        lead: "Paper: the BG-gap is about the same for a quarter and for four times the photographs, and \
               falls from 15.6 to 13.3 points from 9 to 144 training classes. A curve joins only networks that \
               were trained alike in everything else: the same architecture, passes over the photographs, batch \
               and schedule, so that fewer photographs are fewer steps too."
            .into(),
        blocks,
    })
}

/// Figures and tables of one test set.
fn on(context: &Context, set: &TestSet<'_>) -> Vec<Block> {
    let (sizes, grains) = (curve(context, CurveKind::Size, set), curve(context, CurveKind::Granularity, set));
    let mut blocks = Vec::new();
    for (curve, axis, caption) in [
        (
            &grains,
            CurveKind::Granularity,
            (
                "Figure 10",
                "Accuracy after training on the same photographs with finer labels (horizontal axis: number of \
                           training classes); a predicted sub-class counts as its class.",
            ),
        ),
        (
            &sizes,
            CurveKind::Size,
            (
                "Figure 11",
                "Accuracy after training on a share of the photographs (horizontal axis, logarithmic).",
            ),
        ),
    ] {
        if curve.points.len() > 1 {
            let whiskers = if several_seeds(curve) {
                "Where a training was repeated with several seeds, the point is their mean and the whiskers reach \
                 from the lowest to the highest; otherwise whiskers are Wilson's 95 % interval."
            } else {
                "Whiskers: Wilson's 95 % interval."
            };
            let (number, caption) = caption;
            let caption = format!("{caption} One colour a view of {}. {whiskers}", set.split);
            blocks.extend(Block::paper_figure(number, chart(curve, axis), caption));
            blocks.push(Block::Table(table(context, curve, axis)));
            blocks.extend(curve.notes.iter().cloned().map(Block::Prose));
        }
    }
    blocks.extend(Block::paper_figure(
        "Figure 12",
        bars(context, set, [&sizes, &grains]),
        format!(
            "Accuracy on mixed-same and mixed-rand of {} by network; the step between the two bars is the BG-gap. Networks \
             of different architectures or numbers of passes are not trained alike. Whiskers: Wilson's 95 % interval. \
             Diamonds: the paper, where it has the same training. Dotted line: chance.",
            set.split
        ),
    ));
    blocks
}

fn several_seeds(curve: &Curve<'_>) -> bool {
    curve.points.iter().any(|p| p.networks.len() > 1)
}

fn chart(curve: &Curve<'_>, axis: CurveKind) -> Option<String> {
    let series = VIEWS.iter().map(|v| Series {
        name: v.to_string(),
        points: curve.points.iter().filter_map(|p| Some((p.x, p.accuracy(*v)?.scaled(100.0)))).collect(),
        marked: true,
    });
    Lines {
        label: format!("accuracy against {}", title(axis)),
        x_axis: title(axis).into(),
        y_axis: "accuracy (%)".into(),
        series: series.collect(),
        range: None,
        logarithmic: true,
        own_ticks: true,
        width: Width::Full,
    }
    .svg()
}

fn table(context: &Context, curve: &Curve<'_>, axis: CurveKind) -> Grid {
    let header = [title(axis), "network", "seed", "original %", "mixed-same %", "mixed-rand %", "BG-gap"];
    let title = if several_seeds(curve) {
        format!("Along the {}; means over seeds are followed by the range of the seeds", title(axis))
    } else {
        format!("Along the {}", title(axis))
    };
    let mut grid = Grid::new(title, &header);
    let views = [View::Original, View::MixedSame, View::MixedRand];
    let mut push =
        |x: f64, name: String, seed: String, cells: [Option<Interval>; 3], gap: Option<Interval>| {
            let mut row = vec![x.to_string(), name, seed];
            row.extend(cells.map(|c| c.map_or("–".into(), |i| percent_interval(&i))));
            row.push(gap.map_or("–".into(), |g| points_interval(&g)));
            grid.push(row);
        };
    for point in &curve.points {
        for n in &point.networks {
            let cells = views.map(|v| n.summary.accuracy(v).map(|a| a.accuracy));
            let seed = n.seed.map_or("–".into(), |s| s.to_string());
            push(point.x, n.summary.key.model.clone(), seed, cells, n.summary.gap.map(|g| g.gap));
        }
        if point.networks.len() > 1 {
            let name = format!("mean of {} seeds", point.networks.len());
            push(point.x, name, "all".into(), views.map(|v| point.accuracy(v)), point.gap());
        }
    }
    if axis == CurveKind::Granularity {
        for (classes, gap) in context.paper.granularity_gaps() {
            let mut row = vec![classes.to_string(), "paper, IN-9LB".to_owned()];
            // Its accuracies are plotted only.
            row.extend(vec!["–".to_owned(); 1 + views.len()]);
            row.push(points(gap / 100.0));
            grid.push(row);
        }
    }
    grid
}

/// Figure 12 over the networks of both curves, the mixed-rand-trained one, those of adversarial trainings and the
/// published ones; `None` if it would show nothing that other figures do not.
fn bars(context: &Context, set: &TestSet<'_>, curves: [&Curve<'_>; 2]) -> Option<String> {
    let on_curves = curves.into_iter().filter(|c| c.points.len() > 1).flat_map(|c| &c.points);
    let on_curves = on_curves.flat_map(|p| &p.networks).map(|n| n.summary);
    let is_robust =
        |m: &ModelSummary| context.run_of(&m.key).is_some_and(|r| r.adversarial && r.dataset == set.dataset);
    let robust = set.models.iter().map(|(_, m)| *m).filter(|m| is_robust(m));
    let special: Vec<&ModelSummary> =
        on_curves.chain(robust).chain(set.elsewhere().map(|(_, m)| m)).collect();
    if special.is_empty() {
        return None;
    }
    let plain = ["original", "mixed-rand"].into_iter().filter_map(|t| Some(set.trained_on(t)?.1));
    let mut shown: Vec<&ModelSummary> = Vec::new();
    for m in special.into_iter().chain(plain) {
        if !shown.iter().any(|s| s.key == m.key) {
            shown.push(m);
        }
    }
    let views = [View::MixedSame, View::MixedRand];
    let groups = shown.iter().map(|m| Group {
        label: set.name(m),
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
    let chart = Bars {
        label: "accuracy on mixed-same and mixed-rand by training set".into(),
        axis: "accuracy (%)".into(),
        series: views.map(|v| v.to_string()).to_vec(),
        groups: groups.collect(),
        level: Some((100.0 * context.frame.chance(), "chance".into())),
        range: None,
        width: Width::Full,
    };
    chart.svg()
}

/// The gaps that the paper's text gives for Figure 12.
fn published(context: &Context) -> Grid {
    let mut grid = Grid::new("The paper's BG-gaps by training set, in points", &["trained on", "BG-gap"]);
    for (name, gap) in &context.paper.gaps {
        grid.push(vec![name.clone(), points(gap / 100.0)]);
    }
    grid
}
