//! Claims that the probes can speak about (§3.5 and §3.7 of the protocol, Figures 4 and 6).

use super::{Claim, Rule, Statement, categories::apart};
use crate::error::Result;
use crate::probes::adversarial::write::read_verdicts;
use crate::probes::adversarial::{Rule as Success, Summary};
use crate::report::context::Context;
use crate::report::sections::saliency::differences;
use crate::stats::bootstrap::quantile;
use crate::stats::{Bootstrap, Interval};

/// Claims about adversarial backgrounds, saliency and counterfactual attribution.
pub(crate) fn claims(context: &Context) -> Result<Vec<Claim>> {
    let main = context.main_dataset();
    let adversarial = |trained: &str| {
        let mut all = context.probes.adversarial.iter();
        all.find(|(_, s)| s.dataset == main && s.trained_on == trained)
    };
    let share = |s: &Summary, rule: Success| s.rules.iter().find(|r| r.rule == rule).map(|r| r.share);
    let (original, mixed) = (adversarial("original"), adversarial("mixed-rand"));
    let mut most = Vec::new();
    let mut less = Vec::new();
    for rule in [Success::Untargeted, Success::Targeted] {
        let a = original.and_then(|(_, s)| share(s, rule));
        if let Some(a) = a {
            most.push((format!("{} vulnerable, trained on original", rule.name()), a.scaled(100.0)));
        }
        if let (Some((a, _)), Some((b, _))) = (original, mixed) {
            let label = format!("{} vulnerable: original-trained − mixed-rand-trained", rule.name());
            let first = read_verdicts(&a.join("foregrounds.csv"), rule)?;
            let second = read_verdicts(&b.join("foregrounds.csv"), rule)?;
            let apart: Vec<f64> = first.iter().filter_map(|(f, v)| Some(v - second.get(f)?)).collect();
            if !apart.is_empty() {
                less.push((label, context.bootstrap.mean("adversarial", &apart).scaled(100.0)));
            }
        }
    }
    let tail = original.and_then(|(_, s)| tail(&s.rates, &context.bootstrap));
    let tail = tail.map(|i| ("99th centile ÷ median success rate, trained on original".to_owned(), i));
    let looks = differences(context)?
        .into_iter()
        .map(|(method, i)| (format!("{method}: mixed-rand-trained − original-trained"), i.scaled(100.0)))
        .collect();
    let reliance = |trained: &str| {
        let mut all = context.probes.counterfactual.iter().map(|(_, s)| s);
        all.find(|s| s.source.dataset == main && s.source.trained_on == trained).map(|s| s.mean.reliance)
    };
    let relies = match (reliance("original"), reliance("mixed-rand")) {
        (Some(a), Some(b)) => {
            vec![("reliance: original-trained − mixed-rand-trained".to_owned(), apart(&a, &b).scaled(100.0))]
        }
        _ => Vec::new(),
    };
    let claims = [
        MOST.judge("", most),
        LESS.judge("", less),
        TAIL.judge("", tail.into_iter().collect()),
        LOOKS.judge("", looks),
        RELIES.judge("", relies),
    ];
    Ok(claims.into_iter().flatten().collect())
}

/// Ratio of the 99th centile of the success rates to their median, with a bootstrap interval over
/// backgrounds; `None` without rates or with a median of zero.
fn tail(rates: &[f64], bootstrap: &Bootstrap) -> Option<Interval> {
    let ratio = |counts: &[u32]| {
        let mut drawn: Vec<f64> =
            counts.iter().zip(rates).flat_map(|(&c, &r)| std::iter::repeat_n(r, c as usize)).collect();
        drawn.sort_by(f64::total_cmp);
        let median = quantile(&drawn, 0.5);
        if median > 0.0 { quantile(&drawn, 0.99) / median } else { f64::NAN }
    };
    let defined = !rates.is_empty() && ratio(&vec![1; rates.len()]).is_finite();
    defined.then(|| bootstrap.interval("tail", rates.len(), ratio))
}

/// Every statement, in the order in which it is judged.
pub(crate) const STATEMENTS: [Statement; 5] = [MOST, LESS, TAIL, LOOKS, RELIES];

const MOST: Statement = Statement {
    id: "most-foregrounds-vulnerable",
    statement: "Most foregrounds have a background that turns the answer.",
    source: "section 3.3, Figures 3 and 22 to 29",
    published: "87.5 % targeted, 88 % untargeted (IN-9L ResNet-50)",
    rule: Rule::Above(50.0),
    unit: "%",
    needs: "the adversarial probe of an original-trained network",
};
const LESS: Statement = Statement {
    id: "mixed-rand-less-vulnerable",
    statement: "Training on mixed-rand makes fewer foregrounds vulnerable.",
    source: "follows from section 4",
    published: "not measured in the paper",
    rule: Rule::Above(0.0),
    unit: "points",
    needs: "the adversarial probe of an original-trained and a mixed-rand-trained network",
};
const TAIL: Statement = Statement {
    id: "few-strong-backgrounds",
    statement: "Success rates have a long tail: a few backgrounds fool many foregrounds.",
    source: "Figure 4",
    published: "a long tail up to 45 %",
    rule: Rule::Above(2.0),
    unit: "",
    needs: "the exhaustive adversarial probe of an original-trained network",
};
const LOOKS: Statement = Statement {
    id: "mixed-rand-looks-at-foreground",
    statement: "A mixed-rand-trained network looks at the foreground more.",
    source: "Figure 6",
    published: "shown on two images",
    rule: Rule::Above(0.0),
    unit: "points",
    needs: "the saliency probe of an original-trained and a mixed-rand-trained network",
};
const RELIES: Statement = Statement {
    id: "mixed-rand-relies-less",
    statement: "A mixed-rand-trained network relies less on the background, image by image.",
    source: "follows from section 4",
    published: "not measured in the paper",
    rule: Rule::Above(0.0),
    unit: "points",
    needs: "the counterfactual probe of an original-trained and a mixed-rand-trained network",
};
