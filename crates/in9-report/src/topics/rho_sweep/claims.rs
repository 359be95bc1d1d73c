//! Claims about the toy world's ρ: how often an object stands in its own kind of scene.

use super::measures::{MEASURES, Measure};
use crate::claims::{Claim, Measured, NEAR, NOT_MEASURED, Rule, Statement, Worth};
use crate::context::Context;

/// Claims that need data sets of at least two ρ.
pub(crate) fn claims(context: &Context) -> Vec<Claim> {
    let gap = &MEASURES[0];
    let (original, mixed) = (gap.points(context, "original"), gap.points(context, "mixed-rand"));
    let steps: Vec<Measured> = original
        .windows(2)
        .map(|w| {
            let label = format!("BG-gap at ρ = {} − BG-gap at ρ = {}, trained on original", w[1].0, w[0].0);
            w[1].1.minus(&w[0].1, label)
        })
        .collect();
    let named = |trained: &str, (rho, gap): &(f64, Measured)| Measured {
        label: format!("BG-gap at ρ = {rho}, trained on {trained}"),
        ..gap.clone()
    };
    let at_zero = original.iter().filter(|(rho, _)| *rho == 0.0).map(|g| named("original", g));
    let at_zero = at_zero.collect::<Vec<_>>();
    let everywhere = mixed.iter().map(|g| named("mixed-rand", g)).collect::<Vec<_>>();
    // The gap has claims of its own; accuracy on photographs is no measure of reliance.
    let others = &MEASURES[1..MEASURES.len() - 1];
    let moving =
        |grows| others.iter().filter(move |m| m.grows == Some(grows)).filter_map(|m| ends(context, m));
    let (grow, fall) = (moving(true).collect::<Vec<_>>(), moving(false).collect::<Vec<_>>());
    [
        GROWS.judge("", steps),
        NOUGHT.judge("", at_zero),
        STEADY.judge("", everywhere),
        MOVE.judge("", grow),
        LOOK_AWAY.judge("", fall),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A measure of original-trained networks at the highest ρ minus the same at the lowest.
fn ends(context: &Context, measure: &Measure) -> Option<Measured> {
    let points = measure.points(context, "original");
    let (first, last) = (points.first()?, points.last()?);
    let label = format!("{}: at ρ = {} − at ρ = {}", measure.name, last.0, first.0);
    (points.len() > 1).then(|| last.1.minus(&first.1, label))
}

const GROWS: Statement = Statement {
    id: "gap-grows-with-rho",
    statement: "The BG-gap of an original-trained network grows with ρ.",
    source: "known truth of the toy world",
    published: NOT_MEASURED,
    rule: Rule::Above(0.0),
    worth: Worth::Shown,
    unit: "points",
    needs: "data sets of at least two ρ",
};
const NOUGHT: Statement = Statement {
    id: "gap-nought-at-rho-0",
    statement: "Where backgrounds say nothing about the class there is no BG-gap.",
    source: "known truth of the toy world",
    published: NOT_MEASURED,
    rule: Rule::Within(NEAR),
    worth: Worth::Rule,
    unit: "points",
    needs: "data sets of at least two ρ",
};
const STEADY: Statement = Statement {
    id: "mixed-rand-gap-nought",
    statement: "The BG-gap of a mixed-rand-trained network is near zero at every ρ.",
    source: "known truth of the toy world",
    published: NOT_MEASURED,
    rule: Rule::Within(NEAR),
    worth: Worth::Rule,
    unit: "points",
    needs: "data sets of at least two ρ",
};
const MOVE: Statement = Statement {
    id: "measures-grow-with-rho",
    statement: "The other measures of background reliance grow with ρ too, for original-trained networks.",
    source: "known truth of the toy world",
    published: NOT_MEASURED,
    rule: Rule::Above(0.0),
    worth: Worth::Shown,
    unit: "points",
    needs: "data sets of at least two ρ",
};
const LOOK_AWAY: Statement = Statement {
    id: "saliency-falls-with-rho",
    statement: "With a larger ρ an original-trained network looks at the foreground less.",
    source: "known truth of the toy world",
    published: NOT_MEASURED,
    rule: Rule::Below(0.0),
    worth: Worth::Shown,
    unit: "points",
    needs: "data sets of at least two ρ",
};
