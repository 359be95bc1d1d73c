//! Benchmark progress: Figure 8.

use crate::metrics::progress::{Point, ours, published, trends};
use crate::output::tables;
use crate::plot::{Cloud, Scatter};
use crate::report::block::{Block, Section};
use crate::report::context::Context;
use crate::stats::regression;

/// The paper's five networks and those of the list's `imagenet` file.
fn points(context: &Context) -> Vec<Point> {
    let mut points = published(&context.paper);
    points.extend(own_points(context));
    points
}

/// The networks of the list's `imagenet` file.
pub(crate) fn own_points(context: &Context) -> Vec<Point> {
    // Loading the context has refused a broken file already.
    let Some(path) = &context.spec.imagenet else { return Vec::new() };
    ours(&context.summaries, path).unwrap_or_default()
}

/// The section.
pub(crate) fn section(context: &Context) -> Option<Section> {
    let points = points(context);
    let trends = trends(&points, context.bootstrap.level);
    let clouds = trends.iter().map(|t| {
        let mut cloud: Vec<(f64, f64, String)> = Vec::new();
        for p in &points {
            for (_, y) in p.views.iter().filter(|(v, _)| *v == t.view) {
                cloud.push((100.0 * p.imagenet, 100.0 * y, p.model.clone()));
            }
        }
        let pairs: Vec<(f64, f64)> = cloud.iter().map(|c| (c.0, c.1)).collect();
        Cloud { name: t.view.clone(), line: regression::fit(&pairs, context.bootstrap.level), points: cloud }
    });
    let svg = Scatter {
        label: "accuracy on each view against accuracy on ImageNet".into(),
        x_axis: "accuracy on ImageNet (%)".into(),
        y_axis: "accuracy on the view (%)".into(),
        clouds: clouds.collect(),
    }
    .svg();
    let own = own_points(context).len();
    let whose = match own {
        0 => "The networks are the paper's five pre-trained ones (Table 2); none of this report's was tested on ImageNet.".to_owned(),
        n => format!("The paper's five pre-trained networks (Table 2) and {n} of this report's."),
    };
    Some(Section {
        id: "progress",
        title: "Benchmark progress".into(),
        lead: format!("Do networks that are better on ImageNet lean less on backgrounds? {whose}"),
        blocks: vec![
            Block::figure(svg, "Figure 8: lines are least squares, bands the 95 % interval of the mean."),
            Block::Table(tables::trends("Slopes with 95 % intervals", &trends)),
        ],
    })
}
