//! Claims about training on backgrounds alone, and against them (Figures 2 and 5).

use crate::claims::cells::Cells;
use crate::claims::{Claim, Rule, Statement, Worth};
use crate::context::{Context, TestSet};

/// Claims that one test set can speak about.
pub(crate) fn claims(context: &Context, set: &TestSet<'_>) -> Vec<Claim> {
    let (cells, split) = (Cells { context, set }, set.split);
    let backgrounds = ["only-bg-b", "only-bg-t", "no-fg"];
    let own = backgrounds.into_iter().filter_map(|v| cells.above_chance(v, v));
    let on_original = backgrounds.into_iter().filter_map(|t| cells.above_chance(t, "original"));
    let from_original = backgrounds.into_iter().filter_map(|v| cells.above_chance("original", v));
    let misled = ["mixed-next", "mixed-rand"].into_iter();
    let better = misled.flat_map(|v| cells.apart(("mixed-rand", v), ("original", v)));
    let judged = [
        BACKGROUND_OWN.judge(split, own.collect()),
        BACKGROUND_ORIGINAL.judge(split, on_original.collect()),
        ORIGINAL_BACKGROUND.judge(split, from_original.collect()),
        ROBUST_BETTER.judge(split, better.collect()),
        ROBUST_COST.judge(split, cells.apart(("original", "original"), ("mixed-rand", "original"))),
        ROBUST_SPREAD.judge(split, cells.spreads().into_iter().collect()),
    ];
    judged.into_iter().flatten().collect()
}

/// Every statement, in the order in which it is judged.
pub(crate) const STATEMENTS: [Statement; 6] =
    [BACKGROUND_OWN, BACKGROUND_ORIGINAL, ORIGINAL_BACKGROUND, ROBUST_BETTER, ROBUST_COST, ROBUST_SPREAD];

const BACKGROUND_OWN: Statement = Statement {
    id: "background-own-test",
    statement: "Backgrounds alone carry the class: networks trained on backgrounds beat chance on their own test.",
    source: "Figure 2, Table 5",
    published: "54.3, 50.3 and 70.9 % against 11.1 % by chance",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(19.6, "half of what the paper found with its weakest view"),
    unit: "points",
    needs: "networks trained on only-bg-b, only-bg-t or no-fg",
};
const BACKGROUND_ORIGINAL: Statement = Statement {
    id: "background-original-test",
    statement: "What such networks learn from backgrounds carries over to whole photographs.",
    source: "Figure 2, Table 5",
    published: "42.1, 49.1 and 48.9 % against 11.1 % by chance",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(15.5, "half of what the paper found with its weakest view"),
    unit: "points",
    needs: "networks trained on only-bg-b, only-bg-t or no-fg",
};
const ORIGINAL_BACKGROUND: Statement = Statement {
    id: "original-on-backgrounds",
    statement: "A network trained on photographs as they are reads the class from backgrounds alone.",
    source: "section 3, Table 5",
    published: "32.9, 40.5 and 42.2 % against 11.1 % by chance",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(10.9, "half of what the paper found with its weakest view"),
    unit: "points",
    needs: "a network trained on original",
};
const ROBUST_BETTER: Statement = Statement {
    id: "mixed-rand-training-helps",
    statement: "Training on mixed-rand beats training on original where the background misleads.",
    source: "section 4, Figure 5",
    published: "+22.3 on mixed-next, +17.95 on mixed-rand (the text says 17.3)",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(9.0, "half of what the paper found with its weakest view"),
    unit: "points",
    needs: "networks trained on original and on mixed-rand",
};
const ROBUST_COST: Statement = Statement {
    id: "mixed-rand-training-costs",
    statement: "Training on mixed-rand costs accuracy on photographs as they are.",
    source: "Table 5",
    published: "12.7 points",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(6.4, "half of what the paper found"),
    unit: "points",
    needs: "networks trained on original and on mixed-rand",
};
const ROBUST_SPREAD: Statement = Statement {
    id: "mixed-rand-training-steady",
    statement: "A mixed-rand network is steadier over the five tests that show the foreground.",
    source: "Figure 5, Table 5",
    published: "spreads of 37.2 and 3.8 points: 33.4 apart",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(16.7, "half of what the paper found"),
    unit: "points",
    needs: "networks trained on original and on mixed-rand",
};
