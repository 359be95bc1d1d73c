//! Claims about training-set size and granularity (Figures 10 and 11).

use super::{Claim, Rule, Statement, categories::apart};
use crate::report::context::Context;
use crate::report::sections::curves::gaps;
use crate::stats::Interval;

/// Claims over the curves that the report lists.
pub(crate) fn claims(context: &Context) -> Vec<Claim> {
    [("granularity", FINER), ("size", SIZE)]
        .into_iter()
        .filter_map(|(kind, statement)| statement.judge("", ends(context, kind)))
        .collect()
}

/// BG-gap at the last point minus BG-gap at the first, in points.
fn ends(context: &Context, kind: &str) -> Vec<(String, Interval)> {
    let gaps = gaps(context, kind);
    match (gaps.first(), gaps.last()) {
        (Some(first), Some(last)) if gaps.len() > 1 => vec![(
            format!("BG-gap at {} − BG-gap at {}", last.0, first.0),
            apart(&last.1.gap, &first.1.gap).scaled(100.0),
        )],
        _ => Vec::new(),
    }
}

const FINER: Statement = Statement {
    id: "finer-labels-shrink-gap",
    statement: "Training on finer classes shrinks the BG-gap a little.",
    source: "Figure 10",
    published: "13.3 points with 144 classes, 15.6 with 9",
    rule: Rule::Below(0.0),
    unit: "points",
};
const SIZE: Statement = Statement {
    id: "size-keeps-gap",
    statement: "More training photographs raise accuracies but leave the BG-gap where it is.",
    source: "Figure 11",
    published: "gap about constant from a quarter to four times the training set",
    rule: Rule::Within(5.0),
    unit: "points",
};
