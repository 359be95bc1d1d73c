//! Deletion and insertion curves.

use super::tap;
use crate::context::Context;
use crate::page::Block;
use crate::plot::{Lines, Series};
use in9_analysis::probes::saliency::summary::MeanCurves;
use in9_analysis::stats::Interval;

/// Mean deletion and insertion curves on the main data set, one pair of charts a network.
pub(crate) fn curves(context: &Context) -> Vec<Block> {
    let main = context.main_dataset();
    let mut charts = Vec::new();
    for (_, s) in context.probes.saliency.iter().filter(|(_, s)| s.source.dataset == main) {
        for (what, pick) in [
            ("Deletion", (|c| &c.deletion) as fn(&MeanCurves) -> &Vec<Interval>),
            ("Insertion", |c| &c.insertion),
        ] {
            let series: Vec<Series> = s
                .methods
                .iter()
                .filter_map(|m| {
                    let curve = pick(m.curves.as_ref()?);
                    let steps = curve.len().saturating_sub(1).max(1) as f64;
                    let points = curve.iter().enumerate();
                    let points = points.map(|(i, y)| (100.0 * i as f64 / steps, y.scaled(100.0)));
                    let name = match tap(s, m) {
                        Some(tap) => format!("{} at {tap}", m.method.name()),
                        None => m.method.name().to_owned(),
                    };
                    Some(Series { name, points: points.collect(), marked: false })
                })
                .collect();
            if series.is_empty() {
                continue;
            }
            let chart = Lines {
                label: format!("{what} curves, trained on {}", s.source.trained_on),
                x_axis: "most salient pixels (%)".into(),
                y_axis: "mean probability of the class (%)".into(),
                series,
                range: Some((0.0, 100.0)),
                logarithmic: false,
                own_ticks: false,
            };
            let done = if what == "Deletion" { "painted grey" } else { "put back into the blurred picture" };
            charts.push(Block::figure(
                chart.svg(),
                format!(
                    "{what}, network trained on {}: pixels {done}, most salient first.",
                    s.source.trained_on
                ),
            ));
        }
    }
    charts
}
