//! Claims about the train-on-X, test-on-Y matrix (Table 5, Figures 2 and 5, §3.5).

use super::{Claim, Rule, Statement};
use crate::frame::ModelFrame;
use crate::metrics::gap::{Gap, difference, gap};
use crate::metrics::spread::spread_difference;
use crate::report::context::{Context, TestSet};
use crate::stats::Interval;
use in9_data::View;

/// Claims that one test set can speak about.
pub(crate) fn claims(context: &Context, set: &TestSet<'_>) -> Vec<Claim> {
    let m = Measure { context, set };
    let split = set.split;
    let background_trained = ["only-bg-b", "only-bg-t", "no-fg"];
    let own = |t: &'static str| m.above_chance(t, t);
    let claims = [
        BACKGROUND_OWN.judge(split, background_trained.into_iter().filter_map(own).collect()),
        BACKGROUND_ORIGINAL.judge(
            split,
            background_trained.into_iter().filter_map(|t| m.above_chance(t, "original")).collect(),
        ),
        ORIGINAL_BACKGROUND.judge(
            split,
            background_trained.into_iter().filter_map(|v| m.above_chance("original", v)).collect(),
        ),
        GAP_ORIGINAL.judge(split, m.gap("original")),
        GAP_MIXED_RAND.judge(split, m.gap("mixed-rand")),
        GAP_NEXT.judge(split, m.gap("mixed-next")),
        SHAPE_OWN.judge(
            split,
            ["only-bg-b", "only-bg-t"]
                .into_iter()
                .flat_map(|other| m.apart(("no-fg", "no-fg"), (other, other)))
                .collect(),
        ),
        SHAPE_ORIGINAL.judge(split, m.apart(("original", "no-fg"), ("original", "only-bg-t"))),
        SHAPE_BOX.judge(split, m.apart(("original", "no-fg"), ("original", "only-bg-b"))),
        LEAK_ONLY_FG.judge(
            split,
            ["only-bg-b", "only-bg-t"].into_iter().filter_map(|v| m.above_chance("only-fg", v)).collect(),
        ),
        LEAK_MIXED_RAND.judge(
            split,
            ["only-bg-b", "only-bg-t"].into_iter().filter_map(|v| m.above_chance("mixed-rand", v)).collect(),
        ),
        ROBUST_BETTER.judge(
            split,
            ["mixed-next", "mixed-rand"]
                .into_iter()
                .flat_map(|v| m.apart(("mixed-rand", v), ("original", v)))
                .collect(),
        ),
        ROBUST_COST.judge(split, m.apart(("original", "original"), ("mixed-rand", "original"))),
        ROBUST_SPREAD.judge(split, m.spreads().into_iter().collect()),
        BLURRED.judge(
            split,
            [
                m.apart(("original", "bg-blurred"), ("original", "only-fg")),
                m.apart(("original", "mixed-same"), ("original", "bg-blurred")),
            ]
            .concat(),
        ),
    ];
    claims.into_iter().flatten().collect()
}

type Named = (String, Interval);

struct Measure<'a> {
    context: &'a Context,
    set: &'a TestSet<'a>,
}

impl Measure<'_> {
    fn model(&self, trained_on: &str) -> Option<&ModelFrame> {
        self.set.trained_on(trained_on).map(|(m, _)| m)
    }

    /// Balanced accuracy minus one over the number of classes, in points.
    fn above_chance(&self, trained_on: &str, tested_on: &str) -> Option<Named> {
        let (_, summary) = self.set.trained_on(trained_on)?;
        let accuracy = summary.accuracy(tested_on.parse().ok()?)?;
        let label = format!("{trained_on} → {tested_on}: balanced accuracy − chance");
        Some((label, accuracy.balanced.shifted(self.context.frame.chance()).scaled(100.0)))
    }

    fn gap(&self, trained_on: &str) -> Vec<Named> {
        let gap =
            self.model(trained_on).and_then(|m| gap(m, self.context.classes(), &self.context.bootstrap));
        self.figures(&format!("BG-gap, trained on {trained_on}"), gap)
    }

    /// Accuracy in one cell minus accuracy in another, in points.
    fn apart(&self, a: (&str, &str), b: (&str, &str)) -> Vec<Named> {
        let cell = |(trained, tested): (&str, &str)| -> Option<(&ModelFrame, View)> {
            Some((self.model(trained)?, tested.parse().ok()?))
        };
        let both = cell(a).zip(cell(b));
        let classes = self.context.classes();
        let apart = both.and_then(|(a, b)| difference(a, b, classes, &self.context.bootstrap));
        let label = if a.0 == b.0 {
            format!("{} → {} − {}", a.0, a.1, b.1)
        } else {
            format!("{} → {} − {} → {}", a.0, a.1, b.0, b.1)
        };
        self.figures(&label, apart)
    }

    /// A difference by plain accuracy and, where the classes are not about equally frequent as in the paper, by
    /// balanced accuracy too.
    fn figures(&self, label: &str, apart: Option<Gap>) -> Vec<Named> {
        let Some(Gap { gap, balanced, .. }) = apart.map(|a| a.scaled(100.0)) else { return Vec::new() };
        if self.is_balanced() {
            return vec![(label.to_owned(), gap)];
        }
        vec![(format!("{label}: plain"), gap), (format!("{label}: balanced"), balanced)]
    }

    /// Whether all classes of the test set are equally frequent, within a tenth.
    fn is_balanced(&self) -> bool {
        let mut counts = vec![0u64; self.context.classes()];
        let foregrounds = self.set.models.first().map_or(&[][..], |(m, _)| &m.foregrounds[..]);
        foregrounds.iter().for_each(|f| counts[usize::from(f.class)] += 1);
        let (least, most) = (counts.iter().min().copied(), counts.iter().max().copied());
        least.zip(most).is_none_or(|(least, most)| 10 * most <= 11 * least)
    }

    /// Spread over the five tests that show the foreground: original-trained minus mixed-rand-trained.
    fn spreads(&self) -> Option<Named> {
        let (a, b) = (self.model("original")?, self.model("mixed-rand")?);
        let apart = spread_difference(a, b, &self.context.bootstrap)?;
        Some(("spread of original-trained − spread of mixed-rand-trained".into(), apart.scaled(100.0)))
    }
}

const POINTS: &str = "points";

/// Every statement, in the order in which it is judged.
pub(crate) const STATEMENTS: [Statement; 15] = [
    BACKGROUND_OWN,
    BACKGROUND_ORIGINAL,
    ORIGINAL_BACKGROUND,
    GAP_ORIGINAL,
    GAP_MIXED_RAND,
    GAP_NEXT,
    SHAPE_OWN,
    SHAPE_ORIGINAL,
    SHAPE_BOX,
    LEAK_ONLY_FG,
    LEAK_MIXED_RAND,
    ROBUST_BETTER,
    ROBUST_COST,
    ROBUST_SPREAD,
    BLURRED,
];

const BACKGROUND_OWN: Statement = Statement {
    id: "background-own-test",
    statement: "Backgrounds alone carry the class: networks trained on backgrounds beat chance on their own test.",
    source: "Figure 2, Table 5",
    published: "54.3, 50.3 and 70.9 % against 11.1 % by chance",
    rule: Rule::Above(0.0),
    unit: POINTS,
    needs: "networks trained on only-bg-b, only-bg-t or no-fg",
};
const BACKGROUND_ORIGINAL: Statement = Statement {
    id: "background-original-test",
    statement: "What such networks learn from backgrounds carries over to whole photographs.",
    source: "Figure 2, Table 5",
    published: "42.1, 49.1 and 48.9 % against 11.1 % by chance",
    rule: Rule::Above(0.0),
    unit: POINTS,
    needs: "networks trained on only-bg-b, only-bg-t or no-fg",
};
const ORIGINAL_BACKGROUND: Statement = Statement {
    id: "original-on-backgrounds",
    statement: "A network trained on photographs as they are reads the class from backgrounds alone.",
    source: "section 3, Table 5",
    published: "32.9, 40.5 and 42.2 % against 11.1 % by chance",
    rule: Rule::Above(0.0),
    unit: POINTS,
    needs: "a network trained on original",
};
const GAP_ORIGINAL: Statement = Statement {
    id: "gap-original",
    statement: "A network trained on photographs as they are leans on backgrounds: its BG-gap is positive.",
    source: "Table 5",
    published: "+20.2 points",
    rule: Rule::Above(0.0),
    unit: POINTS,
    needs: "a network trained on original",
};
const GAP_MIXED_RAND: Statement = Statement {
    id: "gap-mixed-rand",
    statement: "Training on mixed-rand removes the BG-gap.",
    source: "Table 5",
    published: "−0.2 points",
    rule: Rule::Within(5.0),
    unit: POINTS,
    needs: "a network trained on mixed-rand",
};
const GAP_NEXT: Statement = Statement {
    id: "gap-mixed-next",
    statement: "Training on mixed-next, where the background misleads, turns the BG-gap negative.",
    source: "Table 5",
    published: "−4.8 points",
    rule: Rule::Below(0.0),
    unit: POINTS,
    needs: "a network trained on mixed-next",
};
const SHAPE_OWN: Statement = Statement {
    id: "shape-own-test",
    statement: "The outline of the missing object helps: no-fg networks do better on their own test than only-bg networks on theirs.",
    source: "Table 5",
    published: "+16.6 and +20.7 points",
    rule: Rule::Above(0.0),
    unit: POINTS,
    needs: "networks trained on no-fg and on only-bg-b or only-bg-t",
};
const SHAPE_ORIGINAL: Statement = Statement {
    id: "shape-original",
    statement: "An original-trained network makes little of the outline: similar on no-fg and only-bg-t.",
    source: "section 4, Table 5",
    published: "+1.7 points",
    rule: Rule::Within(5.0),
    unit: POINTS,
    needs: "a network trained on original",
};
const SHAPE_BOX: Statement = Statement {
    id: "shape-original-box",
    statement: "An original-trained network does better on no-fg, where the object leaves its outline, than on only-bg-b, where it leaves a box.",
    source: "section 4, Table 5",
    published: "+9.3 points, where the text says similar (which fits only-bg-t better)",
    rule: Rule::Above(0.0),
    unit: POINTS,
    needs: "a network trained on original",
};
const LEAK_ONLY_FG: Statement = Statement {
    id: "size-leak-only-fg",
    statement: "The box's size and place leak the class: only-fg networks beat chance on backgrounds.",
    source: "section 3, Table 5",
    published: "23.6 and 22.6 % against 11.1 % by chance",
    rule: Rule::Above(0.0),
    unit: POINTS,
    needs: "a network trained on only-fg",
};
const LEAK_MIXED_RAND: Statement = Statement {
    id: "size-leak-mixed-rand",
    statement: "Mixed-rand networks stay close to chance on backgrounds.",
    source: "section 3, Table 5",
    published: "15.3 and 14.6 % against 11.1 % by chance",
    rule: Rule::Within(5.0),
    unit: POINTS,
    needs: "a network trained on mixed-rand",
};
const ROBUST_BETTER: Statement = Statement {
    id: "mixed-rand-training-helps",
    statement: "Training on mixed-rand beats training on original where the background misleads.",
    source: "section 4, Figure 5",
    published: "+22.3 on mixed-next, +17.95 on mixed-rand (the text says 17.3)",
    rule: Rule::Above(0.0),
    unit: POINTS,
    needs: "networks trained on original and on mixed-rand",
};
const ROBUST_COST: Statement = Statement {
    id: "mixed-rand-training-costs",
    statement: "Training on mixed-rand costs accuracy on photographs as they are.",
    source: "Table 5",
    published: "12.7 points",
    rule: Rule::Above(0.0),
    unit: POINTS,
    needs: "networks trained on original and on mixed-rand",
};
const ROBUST_SPREAD: Statement = Statement {
    id: "mixed-rand-training-steady",
    statement: "A mixed-rand network is steadier over the five tests that show the foreground.",
    source: "Figure 5, Table 5",
    published: "spreads of 37.2 and 3.8 points: 33.4 apart",
    rule: Rule::Above(0.0),
    unit: POINTS,
    needs: "networks trained on original and on mixed-rand",
};
const BLURRED: Statement = Statement {
    id: "blurred-between",
    statement: "With its background blurred, a photograph is easier than only-fg and harder than mixed-same.",
    source: "appendix D",
    published: "said in words only",
    rule: Rule::Above(0.0),
    unit: POINTS,
    needs: "a network trained on original, tested on bg-blurred too",
};
