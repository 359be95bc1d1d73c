//! Deletion and insertion curves.

use super::tap;
use crate::context::{Context, names};
use crate::page::Block;
use crate::plot::{Lines, Series, Width};
use in9_analysis::probes::saliency::summary::{MeanCurves, MethodSummary};
use in9_analysis::probes::written::Saliency;
use in9_analysis::stats::Interval;

/// Mean deletion and insertion curves on the main data set, one pair of charts a network.
pub(crate) fn curves(context: &Context) -> Vec<Block> {
    let main = context.main_dataset();
    let here: Vec<&Saliency> =
        context.probes.saliency.iter().map(|(_, s)| s).filter(|s| s.source.dataset == main).collect();
    let called = names(here.iter().map(|s| (s.source.model.as_str(), s.source.trained_on.as_str())));
    let mut charts = Vec::new();
    for (s, name) in here.into_iter().zip(&called) {
        for (what, done, pick) in [
            ("Deletion", "painted grey", (|c| &c.deletion) as fn(&MeanCurves) -> &Vec<Interval>),
            ("Insertion", "put back into the blurred picture", |c| &c.insertion),
        ] {
            let chart = Lines {
                label: format!("{what} curves, {name}"),
                x_axis: "most salient pixels (%)".into(),
                y_axis: "mean probability of the class (%)".into(),
                series: s
                    .methods
                    .iter()
                    .filter_map(|m| Some(series(s, m, pick(m.curves.as_ref()?))))
                    .collect(),
                range: Some((0.0, 100.0)),
                logarithmic: false,
                own_ticks: false,
                width: Width::Half,
            };
            let caption = format!(
                "{what}, {name}: mean probability of the true class (vertical axis) after a share of the pixels, most \
                 salient first, has been {done} (horizontal axis). One line a kind of map; where two maps are the same, \
                 one line shows through the gaps of the other."
            );
            charts.extend(Block::figure(chart.svg(), caption));
        }
    }
    charts
}

fn series(s: &Saliency, m: &MethodSummary, curve: &[Interval]) -> Series {
    let steps = curve.len().saturating_sub(1).max(1) as f64;
    let points = curve.iter().enumerate().map(|(i, y)| (100.0 * i as f64 / steps, y.scaled(100.0)));
    let name = match tap(s, m) {
        Some(tap) => format!("{} at {tap}", m.method.name()),
        None => m.method.name().to_owned(),
    };
    Series { name, points: points.collect(), marked: false }
}
