//! Claims about benchmark progress (Figure 8).

use super::{Claim, Rule, Statement};
use crate::metrics::progress::{Trend, trends};
use crate::report::context::Context;
use crate::report::sections::progress::points;
use crate::stats::Interval;

/// Claims over the networks of the progress plot.
pub(crate) fn claims(context: &Context) -> Vec<Claim> {
    let trends = trends(&points(context), context.bootstrap.level);
    let slope = |view: &str| -> Option<Interval> { Some(find(&trends, view)?.line.as_ref()?.slope) };
    let named = |view: &str| slope(view).map(|s| (format!("slope on {view}"), s));
    let rising = ["only-bg-t", "mixed-same", "mixed-rand"].into_iter().filter_map(named).collect();
    let faster = match (slope("mixed-rand"), slope("only-bg-t")) {
        (Some(a), Some(b)) => {
            vec![("slope on mixed-rand − slope on only-bg-t".to_owned(), super::categories::apart(&a, &b))]
        }
        _ => Vec::new(),
    };
    [RISE.judge("", rising), SLOWEST.judge("", faster)].into_iter().flatten().collect()
}

fn find<'a>(trends: &'a [Trend], view: &str) -> Option<&'a Trend> {
    trends.iter().find(|t| t.view == view)
}

const RISE: Statement = Statement {
    id: "progress-rises",
    statement: "Networks better on ImageNet are better on every view.",
    source: "Figure 8",
    published: "all lines rise; least squares over Table 2: 0.32 (only-bg-t), 1.23 (mixed-same), 1.72 (mixed-rand)",
    rule: Rule::Above(0.0),
    unit: "",
};
const SLOWEST: Statement = Statement {
    id: "progress-background-slowest",
    statement: "Accuracy on backgrounds alone grows more slowly than on mixed-rand.",
    source: "Figure 8",
    published: "only-bg-t slowest; 1.40 between the slopes from Table 2",
    rule: Rule::Above(0.0),
    unit: "",
};
