//! Claims about the BG-gap by training view (Table 5).

use crate::claims::cells::Cells;
use crate::claims::{Claim, NEAR, Rule, Statement, Worth};
use crate::context::{Context, TestSet};

/// Claims that one test set can speak about.
pub(crate) fn claims(context: &Context, set: &TestSet<'_>) -> Vec<Claim> {
    let (cells, split) = (Cells { context, set }, set.split);
    let judged = [
        GAP_ORIGINAL.judge(split, cells.gap("original")),
        GAP_MIXED_RAND.judge(split, cells.gap("mixed-rand")),
        GAP_NEXT.judge(split, cells.gap("mixed-next")),
    ];
    judged.into_iter().flatten().collect()
}

/// Every statement, in the order in which it is judged.
pub(crate) const STATEMENTS: [Statement; 3] = [GAP_ORIGINAL, GAP_MIXED_RAND, GAP_NEXT];

const GAP_ORIGINAL: Statement = Statement {
    id: "gap-original",
    statement: "A network trained on photographs as they are leans on backgrounds: its BG-gap is positive.",
    source: "Table 5",
    published: "+20.2 points",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(10.1, "half of what the paper found"),
    unit: "points",
    needs: "a network trained on original",
};
const GAP_MIXED_RAND: Statement = Statement {
    id: "gap-mixed-rand",
    statement: "Training on mixed-rand removes the BG-gap.",
    source: "Table 5",
    published: "−0.2 points",
    rule: Rule::Within(NEAR),
    worth: Worth::Rule,
    unit: "points",
    needs: "a network trained on mixed-rand",
};
const GAP_NEXT: Statement = Statement {
    id: "gap-mixed-next",
    statement: "Training on mixed-next, where the background misleads, turns the BG-gap negative.",
    source: "Table 5",
    published: "−4.8 points",
    rule: Rule::Below(0.0),
    worth: Worth::Paper(2.4, "half of what the paper found"),
    unit: "points",
    needs: "a network trained on mixed-next",
};
