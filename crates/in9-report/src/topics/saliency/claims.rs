//! Claims about where networks look (Figure 6).

use super::difference::differences;
use crate::claims::{Claim, Rule, Statement, Worth};
use crate::context::Context;
use crate::error::Result;
use in9_analysis::probes::saliency::Method;
use in9_analysis::stats::Interval;

/// Claims about the maps on the main data set.
pub(crate) fn claims(context: &Context) -> Result<Vec<Claim>> {
    let looks = distinct(differences(context)?)
        .into_iter()
        .map(|(method, i)| (format!("{method}: mixed-rand-trained − original-trained"), i.scaled(100.0)))
        .collect();
    Ok(LOOKS.judge("", looks).into_iter().collect())
}

/// Without HiResCAM where it is Grad-CAM, right before a global mean: one map is one piece of evidence.
fn distinct(differences: Vec<(String, Interval)>) -> Vec<(String, Interval)> {
    let (grad, hires) = (Method::GradCam.name(), Method::HiresCam.name());
    let twin = |label: &str, i: &Interval| {
        let same = |other: &Interval| {
            [i.value - other.value, i.low - other.low, i.high - other.high].iter().all(|d| d.abs() < 1e-4)
        };
        label.strip_prefix(hires).is_some_and(|at| {
            differences.iter().any(|(l, other)| l.strip_prefix(grad) == Some(at) && same(other))
        })
    };
    differences.iter().filter(|(label, i)| !twin(label, i)).cloned().collect()
}

/// Every statement, in the order in which it is judged.
pub(crate) const STATEMENTS: [Statement; 1] = [LOOKS];

const LOOKS: Statement = Statement {
    id: "mixed-rand-looks-at-foreground",
    statement: "A mixed-rand-trained network looks at the foreground more.",
    source: "Figure 6",
    published: "shown on two images",
    rule: Rule::Above(0.0),
    worth: Worth::Shown,
    unit: "points",
    needs: "the saliency probe of an original-trained and a mixed-rand-trained network",
};
