//! Claims about the fine-grained categories (Table 3, Figure 7).

use crate::claims::{Claim, Measured, Rule, Statement, Worth};
use crate::context::{Context, TestSet};
use in9_analysis::levels::{Shown, Weighing, study};
use in9_analysis::metrics::{fools, fools_alike};
use in9_data::View;

/// Claims that one test set can speak about.
pub(crate) fn claims(context: &Context, set: &TestSet<'_>) -> Vec<Claim> {
    let level = context.bootstrap.level;
    let (original, mixed) = (set.trainings("original"), set.trainings("mixed-rand"));
    // Right in full and wrong on the foreground alone; and what the two views share.
    let (full, alone) = (View::Original, View::MixedRand);
    let needs = Shown::RightWrong(full, alone);
    let required = original.as_ref().zip(mixed.as_ref()).and_then(|(a, b)| {
        let label = "share of images that need the background: original-trained − mixed-rand-trained";
        let apart = study(&[(a, needs), (b, needs)])?.estimate(Weighing::Plain, |m| m[0] - m[1])?;
        Some(Measured::of(label.into(), &apart.scaled(100.0), level).resting_on(context.rows(&[a, b])))
    });
    let share = |columns: &[Shown], label: &str, statistic: &dyn Fn(&[f64]) -> f64| {
        let wanted: Vec<_> = columns.iter().map(|shown| Some((original.as_ref()?, *shown))).collect();
        let wanted: Option<Vec<_>> = wanted.into_iter().collect();
        let estimate = study(&wanted?)?.estimate(Weighing::Plain, statistic)?;
        let rows = context.rows(&[original.as_ref()?]);
        Some(Measured::share(label.into(), &estimate, level).resting_on(rows))
    };
    let both = Shown::Both(full, alone);
    let irrelevant = share(
        &[Shown::Right(full), Shown::Right(alone), both],
        "BG Irrelevant (right on both or wrong on both), original-trained",
        &|m| 1.0 - m[0] - m[1] + 2.0 * m[2],
    );
    let kept = share(&[both, Shown::Right(full)], "of images right in full, right on mixed-rand too", &|m| {
        m[0] / m[1]
    });
    let fools = share(&[Shown::By(fools)], "BG Fools, original-trained", &|m| m[0]);
    let alike = share(
        &[Shown::By(fools_alike)],
        "the same, background and whole giving the same wrong class",
        &|m| m[0],
    );
    let judged = [
        REQUIRED.judge(set.split, required.into_iter().collect::<Vec<_>>()),
        IRRELEVANT.judge(set.split, irrelevant.into_iter().chain(kept).collect::<Vec<_>>()),
        FOOLS_RARE.judge(set.split, fools.into_iter().chain(alike).collect::<Vec<_>>()),
    ];
    judged.into_iter().flatten().collect()
}

/// Every statement, in the order in which it is judged.
pub(crate) const STATEMENTS: [Statement; 3] = [REQUIRED, IRRELEVANT, FOOLS_RARE];

const REQUIRED: Statement = Statement {
    id: "background-required",
    statement: "An original-trained network needs the background for more images than a mixed-rand-trained one.",
    source: "Figure 7",
    published: "about 35 % of images for the original-trained network",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(
        15.3,
        "half of the difference that Table 5 leaves at least: 32.4 − 1.7 points more required than fools",
    ),
    unit: "points",
    needs: "networks trained on original and on mixed-rand",
};
const IRRELEVANT: Statement = Statement {
    id: "background-irrelevant",
    statement: "For most images the background does not matter.",
    source: "Figure 7",
    published: "about 62 % (from the printed shares)",
    rule: Rule::Above(50.0),
    worth: Worth::Paper(6.0, "half of what the paper's 62 % are above 50"),
    unit: "%",
    needs: "a network trained on original",
};
const FOOLS_RARE: Statement = Statement {
    id: "background-fools-rarely",
    statement: "Backgrounds rarely fool an original-trained network out of a right answer.",
    source: "appendix H",
    published: "about 3 %",
    rule: Rule::Below(10.0),
    worth: Worth::Paper(3.5, "half of what the paper's 3 % are below 10"),
    unit: "%",
    needs: "a network trained on original",
};
