//! Claims about the train-on-X, test-on-Y matrix (Table 5, §3.5): outlines, the box-size leak, blurred backgrounds.

use crate::claims::cells::Cells;
use crate::claims::{Claim, Rule, Statement};
use crate::context::{Context, TestSet};

/// Claims that one test set can speak about.
pub(crate) fn claims(context: &Context, set: &TestSet<'_>) -> Vec<Claim> {
    let (cells, split) = (Cells { context, set }, set.split);
    let on_backgrounds = |trained: &'static str| {
        ["only-bg-b", "only-bg-t"].into_iter().filter_map(|v| cells.above_chance(trained, v)).collect()
    };
    let own = ["only-bg-b", "only-bg-t"].into_iter().flat_map(|t| cells.apart(("no-fg", "no-fg"), (t, t)));
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
        BLURRED.judge(split, blurred.concat()),
    ];
    judged.into_iter().flatten().collect()
}

/// Every statement, in the order in which it is judged.
pub(crate) const STATEMENTS: [Statement; 6] =
    [SHAPE_OWN, SHAPE_ORIGINAL, SHAPE_BOX, LEAK_ONLY_FG, LEAK_MIXED_RAND, BLURRED];

const SHAPE_OWN: Statement = Statement {
    id: "shape-own-test",
    statement: "The outline of the missing object helps: no-fg networks do better on their own test than only-bg networks on theirs.",
    source: "Table 5",
    published: "+16.6 and +20.7 points",
    rule: Rule::Above(0.0),
    unit: "points",
    needs: "networks trained on no-fg and on only-bg-b or only-bg-t",
};
const SHAPE_ORIGINAL: Statement = Statement {
    id: "shape-original",
    statement: "An original-trained network makes little of the outline: similar on no-fg and only-bg-t.",
    source: "section 4, Table 5",
    published: "+1.7 points",
    rule: Rule::Within(5.0),
    unit: "points",
    needs: "a network trained on original",
};
const SHAPE_BOX: Statement = Statement {
    id: "shape-original-box",
    statement: "An original-trained network does better on no-fg, where the object leaves its outline, than on only-bg-b, where it leaves a box.",
    source: "section 4, Table 5",
    published: "+9.3 points, where the text says similar (which fits only-bg-t better)",
    rule: Rule::Above(0.0),
    unit: "points",
    needs: "a network trained on original",
};
const LEAK_ONLY_FG: Statement = Statement {
    id: "size-leak-only-fg",
    statement: "The box's size and place leak the class: only-fg networks beat chance on backgrounds.",
    source: "section 3, Table 5",
    published: "23.6 and 22.6 % against 11.1 % by chance",
    rule: Rule::Above(0.0),
    unit: "points",
    needs: "a network trained on only-fg",
};
const LEAK_MIXED_RAND: Statement = Statement {
    id: "size-leak-mixed-rand",
    statement: "Mixed-rand networks stay close to chance on backgrounds.",
    source: "section 3, Table 5",
    published: "15.3 and 14.6 % against 11.1 % by chance",
    rule: Rule::Within(5.0),
    unit: "points",
    needs: "a network trained on mixed-rand",
};
const BLURRED: Statement = Statement {
    id: "blurred-between",
    statement: "With its background blurred, a photograph is easier than only-fg and harder than mixed-same.",
    source: "appendix D",
    published: "said in words only",
    rule: Rule::Above(0.0),
    unit: "points",
    needs: "a network trained on original, tested on bg-blurred too",
};
