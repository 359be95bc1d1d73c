//! Claims about the train-on-X, test-on-Y matrix (Table 5, §3.5): outlines, the box-size leak, blurred backgrounds.

use crate::claims::cells::Cells;
use crate::claims::{Claim, Rule, Statement, Worth};
use crate::context::{Context, TestSet};

/// Claims that one test set can speak about.
pub(crate) fn claims(context: &Context, set: &TestSet<'_>) -> Vec<Claim> {
    let (cells, split) = (Cells { context, set }, set.split);
    let on_backgrounds = |trained: &'static str| {
        ["only-bg-b", "only-bg-t"].into_iter().filter_map(|v| cells.above_chance(trained, v)).collect()
    };
    let own = ["only-bg-b", "only-bg-t"].into_iter().flat_map(|t| cells.apart(("no-fg", "no-fg"), (t, t)));
    let leaks =
        ["only-bg-b", "only-bg-t"].into_iter().flat_map(|v| cells.apart(("only-fg", v), ("mixed-rand", v)));
    let blurred = [
        cells.apart(("original", "bg-blurred"), ("original", "only-fg")),
        cells.apart(("original", "mixed-same"), ("original", "bg-blurred")),
    ];
    let judged = [
        SHAPE_OWN.judge(split, own.collect()),
        SHAPE_ORIGINAL.judge(split, cells.apart(("original", "no-fg"), ("original", "only-bg-t"))),
        SHAPE_BOX.judge(split, cells.apart(("original", "no-fg"), ("original", "only-bg-b"))),
        LEAK_ONLY_FG.judge(split, on_backgrounds("only-fg")),
        LEAK_MIXED_RAND.judge(split, on_backgrounds("mixed-rand")),
        LEAK_APART.judge(split, leaks.collect()),
        BLURRED.judge(split, blurred.concat()),
    ];
    judged.into_iter().flatten().collect()
}

/// Every statement, in the order in which it is judged.
pub(crate) const STATEMENTS: [Statement; 7] =
    [SHAPE_OWN, SHAPE_ORIGINAL, SHAPE_BOX, LEAK_ONLY_FG, LEAK_MIXED_RAND, LEAK_APART, BLURRED];

/// What only-fg networks are above chance on only-bg-b in Table 5, in points: close to chance is within half of it.
const LEAK: f64 = 12.5;
/// What an original-trained network gains on only-bg-b by the outline in Table 5, in points: similar is within half of it.
const OUTLINE: f64 = 9.3;

const SHAPE_OWN: Statement = Statement {
    id: "shape-own-test",
    statement: "The outline of the missing object helps: no-fg networks do better on their own test than only-bg networks on theirs.",
    source: "Table 5",
    published: "+16.6 and +20.7 points",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(8.3, "half of what the paper found with its weakest view"),
    unit: "points",
    needs: "networks trained on no-fg and on only-bg-b or only-bg-t",
};
const SHAPE_ORIGINAL: Statement = Statement {
    id: "shape-original",
    statement: "An original-trained network makes little of the outline: similar on no-fg and only-bg-t.",
    source: "section 4, Table 5",
    published: "+1.7 points",
    rule: Rule::Within(OUTLINE / 2.0),
    worth: Worth::Rule,
    unit: "points",
    needs: "a network trained on original",
};
const SHAPE_BOX: Statement = Statement {
    id: "shape-original-box",
    statement: "An original-trained network does better on no-fg, where the object leaves its outline, than on only-bg-b, where it leaves a box.",
    source: "section 4, Table 5",
    published: "+9.3 points, where the text says similar (which fits only-bg-t better)",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(4.6, "half of what the paper found"),
    unit: "points",
    needs: "a network trained on original",
};
const LEAK_ONLY_FG: Statement = Statement {
    id: "size-leak-only-fg",
    statement: "The box's size and place leak the class: only-fg networks beat chance on backgrounds.",
    source: "section 3, Table 5",
    published: "23.6 and 22.6 % against 11.1 % by chance",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(5.7, "half of what the paper found with its weakest view"),
    unit: "points",
    needs: "a network trained on only-fg",
};
const LEAK_MIXED_RAND: Statement = Statement {
    id: "size-leak-mixed-rand",
    statement: "Mixed-rand networks stay close to chance on backgrounds.",
    source: "section 3, Table 5",
    published: "15.3 and 14.6 % against 11.1 % by chance, where only-fg networks reach 23.6 and 22.6 %",
    rule: Rule::Within(LEAK / 2.0),
    worth: Worth::Rule,
    unit: "points",
    needs: "a network trained on mixed-rand",
};
const LEAK_APART: Statement = Statement {
    id: "size-leak-apart",
    statement: "Networks trained on only-fg read more from a box's size and place than networks trained on mixed-rand.",
    source: "section 3, Table 5",
    published: "+8.3 points on only-bg-b and +8.0 on only-bg-t, paired",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(4.0, "half of what the paper found with its weakest view"),
    unit: "points",
    needs: "networks trained on only-fg and on mixed-rand",
};
const BLURRED: Statement = Statement {
    id: "blurred-between",
    statement: "With its background blurred, a photograph is easier than only-fg and harder than mixed-same.",
    source: "appendix D",
    published: "said in words only",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(
        2.6,
        "a quarter of the 10.6 points between only-fg and mixed-same in Table 5, between which it should lie",
    ),
    unit: "points",
    needs: "a network trained on original, tested on bg-blurred too",
};
