//! Claims about training-set size and granularity (Figures 10 and 11).

use super::{Claim, Rule, Statement};
use crate::frame::Key;
use crate::metrics::compare::{Comparison, compare};
use crate::report::context::Context;
use crate::report::sections::curves::{Points, models};
use crate::stats::Interval;
use in9_data::View;

/// Claims over the curves that the inputs give.
pub(crate) fn claims(context: &Context) -> Vec<Claim> {
    let (sizes, grains) = (models(context, "size"), models(context, "granularity"));
    let rise = ends(context, &sizes)
        .map(|(larger, smaller, c)| {
            let shown = |v: &View| [View::Original, View::MixedSame, View::MixedRand].contains(v);
            let views = c.views.iter().filter(|v| shown(&v.view));
            views
                .map(|v| {
                    (
                        format!("{}: {larger} − {smaller} of the photographs", v.view),
                        v.difference.scaled(100.0),
                    )
                })
                .collect()
        })
        .unwrap_or_default();
    [
        FINER.judge("", gap_between(context, &grains, "classes")),
        RISE.judge("", rise),
        SIZE.judge("", gap_between(context, &sizes, "of the photographs")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The last point of a curve against the first: their places, and the paired comparison of their networks.
fn ends(context: &Context, points: &Points<'_>) -> Option<(f64, f64, Comparison)> {
    let (first, last) = (points.first()?, points.last()?);
    if points.len() < 2 {
        return None;
    }
    let frame = |wanted: &Key| context.frame.models.iter().find(|m| m.key == *wanted);
    let comparison = compare(frame(&last.1.key)?, frame(&first.1.key)?, &context.bootstrap).ok()?;
    Some((last.0, first.0, comparison))
}

/// BG-gap at the last point minus BG-gap at the first, in points, paired by foreground.
fn gap_between(context: &Context, points: &Points<'_>, what: &str) -> Vec<(String, Interval)> {
    let Some((last, first, comparison)) = ends(context, points) else { return Vec::new() };
    let label = format!("BG-gap with {last} {what} − BG-gap with {first}");
    comparison.gap.map(|g| (label, g.difference.scaled(100.0))).into_iter().collect()
}

const FINER: Statement = Statement {
    id: "finer-labels-shrink-gap",
    statement: "Training on finer classes shrinks the BG-gap a little.",
    source: "Figure 10",
    published: "13.3 points with 144 classes, 15.6 with 9",
    rule: Rule::Below(0.0),
    unit: "points",
};
const RISE: Statement = Statement {
    id: "size-raises-accuracy",
    statement: "More training photographs raise all accuracies.",
    source: "Figure 11",
    published: "all curves rise from a quarter to four times the training set",
    rule: Rule::Above(0.0),
    unit: "points",
};
const SIZE: Statement = Statement {
    id: "size-keeps-gap",
    statement: "More training photographs leave the BG-gap where it is.",
    source: "Figure 11",
    published: "gap about constant from a quarter to four times the training set",
    rule: Rule::Within(5.0),
    unit: "points",
};
