//! Claims about the toy world's dials for what boxes tell of the class: the leak of size and place against its known truth.
//!
//! They rest on `only-box`, a white box on black where the object is: the nearest that there is to what only-fg networks were
//! trained on, with nothing left but size and place. On the paper's `only-bg-b` the box is dark on something bright, which
//! such a network has never seen: it can know all about sizes and answer worse than by chance.

use crate::claims::cells::Cells;
use crate::claims::{Claim, Measured, NOT_MEASURED, Rule, Statement, Worth};
use crate::context::Context;

/// Claims that need a toy world whose boxes tell the class, and one whose boxes do not.
pub(crate) fn claims(context: &Context) -> Vec<Claim> {
    let known = |leaks: bool| {
        let entries = context.spec.dataset.iter().filter(move |d| d.rho.is_some() && d.leaks() == leaks);
        // The main data set first: the others may have other photographs.
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by_key(|d| !d.main);
        entries
    };
    let above = |dataset: &str, trained: &str| -> Vec<Measured> {
        let sets = context.test_sets_of(dataset);
        let Some(set) = sets.first() else { return Vec::new() };
        let cells = Cells { context, set };
        let found = cells.above_chance(trained, "only-box");
        found.map(|m| Measured { label: format!("{dataset}: {}", m.label), ..m }).into_iter().collect()
    };
    let plain = known(false).into_iter().find(|d| d.main);
    let (mut more, mut read, mut none) = (Vec::new(), Vec::new(), Vec::new());
    for leaky in known(true) {
        let here = above(&leaky.name, "only-fg");
        if let Some(plain) = plain {
            for (a, b) in here.iter().zip(above(&plain.name, "only-fg")) {
                more.push(a.minus(&b, format!("{} − {}", a.label, b.label)));
            }
        }
        read.extend(here);
    }
    if let Some(plain) = plain
        && !read.is_empty()
    {
        none = above(&plain.name, "only-fg");
    }
    let judged = [READ.judge("", read), NONE.judge("", none), MORE.judge("", more)];
    judged.into_iter().flatten().collect()
}

const READ: Statement = Statement {
    id: "leak-read-where-there-is-one",
    statement: "Where the box's size and place tell the class, only-fg networks beat chance on the box alone.",
    source: "known truth of the toy world",
    published: NOT_MEASURED,
    rule: Rule::Above(0.0),
    worth: Worth::Shown,
    unit: "points",
    needs: "a toy world whose boxes tell the class, and tests on only-box",
};
const NONE: Statement = Statement {
    id: "leak-nought-where-there-is-none",
    statement: "Where the box tells nothing of the class, only-fg networks stay near chance on it.",
    source: "known truth of the toy world",
    published: NOT_MEASURED,
    rule: Rule::Within(6.25),
    worth: Worth::Rule,
    unit: "points",
    needs: "a toy world whose boxes tell the class, one whose boxes do not, and tests on only-box",
};
const MORE: Statement = Statement {
    id: "leak-grows-with-its-dials",
    statement: "Only-fg networks read more from boxes that tell the class than from boxes that do not.",
    source: "known truth of the toy world",
    published: NOT_MEASURED,
    rule: Rule::Above(0.0),
    worth: Worth::Shown,
    unit: "points",
    needs: "a toy world whose boxes tell the class, one whose boxes do not, and tests on only-box",
};
