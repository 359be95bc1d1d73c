//! Claims about the fine-grained categories (Table 3, Figure 7).

use crate::claims::{Claim, Rule, Statement};
use crate::context::{Context, TestSet};
use in9_analysis::ModelFrame;
use in9_analysis::metrics::Categories;
use in9_analysis::metrics::required_by_foreground;
use in9_analysis::stats::Interval;
use in9_analysis::stats::wilson;
use in9_data::View;

/// Claims that one test set can speak about.
pub(crate) fn claims(context: &Context, set: &TestSet<'_>) -> Vec<Claim> {
    let original = set.trained_on("original").and_then(|(_, m)| m.categories.as_ref());
    let mut required = Vec::new();
    if let (Some((a, _)), Some((b, _))) = (set.trained_on("original"), set.trained_on("mixed-rand")) {
        let (first, second) = (required_by_foreground(a), required_by_foreground(b));
        let label = "share of images that need the background: original-trained − mixed-rand-trained";
        let apart = context.bootstrap.paired("required", &first, &second);
        required.extend(apart.map(|i| (label.to_owned(), i.scaled(100.0))));
    }
    let share = |pick: &dyn Fn(&Categories) -> Interval, label: &str| -> Vec<(String, Interval)> {
        original.map(|c| (label.to_owned(), pick(c).scaled(100.0))).into_iter().collect()
    };
    [
        REQUIRED.judge(set.split, required),
        IRRELEVANT.judge(
            set.split,
            [
                share(&|c| c.shares[4], "BG Irrelevant (right on both or wrong on both), original-trained"),
                set.trained_on("original")
                    .and_then(|(m, _)| kept(m, context.bootstrap.level))
                    .into_iter()
                    .collect(),
            ]
            .concat(),
        ),
        FOOLS_RARE.judge(
            set.split,
            [
                share(&|c| c.shares[2], "BG Fools, original-trained"),
                share(
                    &|c| c.fools_same_class_share,
                    "the same, background and whole giving the same wrong class",
                ),
            ]
            .concat(),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Of the images that a network gets right in full, those it gets right before a random background too.
fn kept(model: &ModelFrame, level: f64) -> Option<(String, Interval)> {
    let outcomes = model.by_foreground(View::Original).into_iter().zip(model.by_foreground(View::MixedRand));
    let right = outcomes.filter_map(|(full, alone)| full?.correct().then(|| alone.map(|o| o.correct()))?);
    let right: Vec<bool> = right.collect();
    let kept = right.iter().filter(|r| **r).count() as u64;
    let share = wilson(kept, right.len() as u64, level).scaled(100.0);
    (!right.is_empty()).then(|| ("of images right in full, right on mixed-rand too".to_owned(), share))
}

/// Every statement, in the order in which it is judged.
pub(crate) const STATEMENTS: [Statement; 3] = [REQUIRED, IRRELEVANT, FOOLS_RARE];

const REQUIRED: Statement = Statement {
    id: "background-required",
    statement: "An original-trained network needs the background for more images than a mixed-rand-trained one.",
    source: "Figure 7",
    published: "about 35 % of images for the original-trained network",
    rule: Rule::Above(0.0),
    unit: "points",
    needs: "networks trained on original and on mixed-rand",
};
const IRRELEVANT: Statement = Statement {
    id: "background-irrelevant",
    statement: "For most images the background does not matter.",
    source: "Figure 7",
    published: "about 62 % (from the printed shares)",
    rule: Rule::Above(50.0),
    unit: "%",
    needs: "a network trained on original",
};
const FOOLS_RARE: Statement = Statement {
    id: "background-fools-rarely",
    statement: "Backgrounds rarely fool an original-trained network out of a right answer.",
    source: "appendix H",
    published: "about 3 %",
    rule: Rule::Below(10.0),
    unit: "%",
    needs: "a network trained on original",
};
