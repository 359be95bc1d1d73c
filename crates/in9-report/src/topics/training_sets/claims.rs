//! Claims about training-set size and granularity (Figures 10 and 11).

use super::curve::{Curve, Point, accuracy_difference, curve, gap_difference};
use super::section::VIEWS;
use crate::claims::{Claim, Measured, NEAR, Rule, Statement, Worth};
use crate::context::{Context, TestSet};
use crate::spec::CurveKind;
use in9_data::View;

/// Claims over the curves on one test set.
pub(crate) fn claims(context: &Context, set: &TestSet<'_>) -> Vec<Claim> {
    let (sizes, grains) = (curve(context, CurveKind::Size, set), curve(context, CurveKind::Granularity, set));
    let level = context.bootstrap.level;
    let accuracies = |curve: &Curve<'_>, what: &str, views: &[View]| -> Vec<Measured> {
        let Some((last, first)) = ends(curve) else { return Vec::new() };
        let apart = |view: &View| {
            let difference = accuracy_difference(last, first, *view)?;
            let label = format!("{view}: {} − {} {what}{}", last.x, first.x, seeds(last, first));
            Some(Measured::of(label, &difference.scaled(100.0), level))
        };
        views.iter().filter_map(apart).collect()
    };
    let gaps = |curve: &Curve<'_>, what: &str, name: &str, views: (View, View)| -> Vec<Measured> {
        let Some((last, first)) = ends(curve) else { return Vec::new() };
        let difference = gap_difference(last, first, views);
        let label = format!("{name} with {} {what} − {name} with {}{}", last.x, first.x, seeds(last, first));
        difference.map(|d| Measured::of(label, &d.scaled(100.0), level)).into_iter().collect()
    };
    let (mixed, outline) = ((View::MixedSame, View::MixedRand), (View::NoFg, View::OnlyBgT));
    let photographs = "of the photographs";
    [
        FINER.judge(set.split, gaps(&grains, "classes", "BG-gap", mixed)),
        FINER_COST.judge(set.split, accuracies(&grains, "classes", &[View::Original])),
        RISE.judge(set.split, accuracies(&sizes, photographs, &VIEWS)),
        SIZE.judge(set.split, gaps(&sizes, photographs, "BG-gap", mixed)),
        OUTLINE.judge(set.split, gaps(&sizes, photographs, "(no-fg − only-bg-t)", outline)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The last point of a curve and the first, if there are two.
fn ends<'a, 'c>(curve: &'c Curve<'a>) -> Option<(&'c Point<'a>, &'c Point<'a>)> {
    if let [first, .., last] = &curve.points[..] { Some((last, first)) } else { None }
}

/// How many seeds a difference is made of, where there are several.
fn seeds(last: &Point<'_>, first: &Point<'_>) -> String {
    match (last.networks.len(), first.networks.len()) {
        (1, 1) => String::new(),
        (a, b) => format!(" (means of {a} and {b} seeds)"),
    }
}

/// Every statement, in the order in which it is judged.
pub(crate) const STATEMENTS: [Statement; 5] = [FINER, FINER_COST, RISE, SIZE, OUTLINE];

const FINER: Statement = Statement {
    id: "finer-labels-shrink-gap",
    statement: "Training on finer classes shrinks the BG-gap a little.",
    source: "Figure 10",
    published: "13.3 points with 144 classes, 15.6 with 9",
    rule: Rule::Below(0.0),
    worth: Worth::Paper(1.2, "half of what the paper found"),
    unit: "points",
    needs: "networks trained alike on the classes and on finer ones",
};
const FINER_COST: Statement = Statement {
    id: "finer-labels-cost-accuracy",
    statement: "Training on finer classes costs a little accuracy on photographs as they are.",
    source: "Figure 10",
    published: "the curve of original falls a little from 9 to 144 classes",
    rule: Rule::Below(0.0),
    worth: Worth::Shown,
    unit: "points",
    needs: "networks trained alike on the classes and on finer ones",
};
const RISE: Statement = Statement {
    id: "size-raises-accuracy",
    statement: "More training photographs raise all accuracies.",
    source: "Figure 11",
    published: "all curves rise from a quarter to four times the training set",
    rule: Rule::Above(0.0),
    worth: Worth::Shown,
    unit: "points",
    needs: "networks trained alike on shares of the photographs",
};
const SIZE: Statement = Statement {
    id: "size-keeps-gap",
    statement: "More training photographs leave the BG-gap where it is.",
    source: "Figure 11",
    published: "gap about constant from a quarter to four times the training set",
    rule: Rule::Within(NEAR),
    worth: Worth::Rule,
    unit: "points",
    needs: "networks trained alike on shares of the photographs",
};
const OUTLINE: Statement = Statement {
    id: "size-teaches-outline",
    statement: "With more training photographs an original-trained network makes more of the object's outline: no-fg gains on only-bg-t.",
    source: "section 4, Table 5",
    published: "no-fg is 1.7 points above only-bg-t for IN-9 and 12.2 for IN-9L, four times as large",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(5.2, "half of what the paper found"),
    unit: "points",
    needs: "networks trained alike on shares of the photographs",
};
