//! Claims about the toy world's dial ρ: how often an object stands in its own kind of scene.

use super::{Claim, Rule, Statement, categories::apart};
use crate::metrics::Gap;
use crate::report::context::Context;
use crate::stats::Interval;

/// BG-gap of the network trained on `trained_on`, at each ρ.
pub(crate) fn gaps(context: &Context, trained_on: &str) -> Vec<(f64, Gap)> {
    let gap = |dataset: &str| context.test_sets_of(dataset).first()?.trained_on(trained_on)?.1.gap;
    context.dial().into_iter().filter_map(|(rho, dataset)| Some((rho, gap(dataset)?))).collect()
}

/// Claims that need data sets of at least two ρ.
pub(crate) fn claims(context: &Context) -> Vec<Claim> {
    let (original, mixed) = (gaps(context, "original"), gaps(context, "mixed-rand"));
    let named = |trained: &str, (rho, gap): &(f64, Gap)| -> (String, Interval) {
        (format!("BG-gap at ρ = {rho}, trained on {trained}"), gap.gap.scaled(100.0))
    };
    let steps: Vec<(String, Interval)> = original
        .windows(2)
        .map(|w| {
            let step = apart(&w[1].1.gap, &w[0].1.gap).scaled(100.0);
            (format!("BG-gap at ρ = {} − BG-gap at ρ = {}, trained on original", w[1].0, w[0].0), step)
        })
        .collect();
    let at_zero = original.iter().filter(|(rho, _)| *rho == 0.0).map(|g| named("original", g)).collect();
    let everywhere = mixed.iter().map(|g| named("mixed-rand", g)).collect();
    [GROWS.judge("", steps), NOUGHT.judge("", at_zero), STEADY.judge("", everywhere)]
        .into_iter()
        .flatten()
        .collect()
}

const GROWS: Statement = Statement {
    id: "gap-grows-with-rho",
    statement: "The BG-gap of an original-trained network grows with ρ.",
    source: "known truth of the toy world",
    published: "not in the paper",
    rule: Rule::Above(0.0),
    unit: "points",
};
const NOUGHT: Statement = Statement {
    id: "gap-nought-at-rho-0",
    statement: "Where backgrounds say nothing about the class there is no BG-gap.",
    source: "known truth of the toy world",
    published: "not in the paper",
    rule: Rule::Within(5.0),
    unit: "points",
};
const STEADY: Statement = Statement {
    id: "mixed-rand-gap-nought",
    statement: "The BG-gap of a mixed-rand-trained network is near zero at every ρ.",
    source: "known truth of the toy world",
    published: "not in the paper",
    rule: Rule::Within(5.0),
    unit: "points",
};
