//! Claims that the probes can speak about (§3.5 and §3.7 of the protocol, Figures 4 and 6).

use super::{Claim, NOT_MEASURED, Rule, Statement};
use crate::error::Result;
use crate::probes::adversarial::write::{Rate, read_rates, read_verdicts};
use crate::probes::adversarial::{Rule as Success, Summary};
use crate::probes::counterfactual::read_effects;
use crate::probes::saliency::Method;
use crate::report::context::Context;
use crate::report::sections::saliency::differences;
use crate::stats::bootstrap::quantile;
use crate::stats::{Bootstrap, Interval};
use std::collections::BTreeMap;
use std::path::Path;

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
            let first = read_verdicts(&a.join("foregrounds.csv"), rule)?;
            let second = read_verdicts(&b.join("foregrounds.csv"), rule)?;
            let known =
                if first.known && second.known { " of those right on their own background" } else { "" };
            let label = format!("{} vulnerable{known}: original-trained − mixed-rand-trained", rule.name());
            let apart = context.bootstrap.paired("adversarial", &first.fell, &second.fell);
            less.extend(apart.map(|i| (label, i.scaled(100.0))));
        }
    }
    let mut tails = Vec::new();
    if let Some((folder, s)) = original
        && !s.rates.is_empty()
    {
        let named = |what: &str| format!("{what}, trained on original");
        tails.extend(
            tail(&s.rates, &context.bootstrap).map(|i| (named("99th centile ÷ median success rate"), i)),
        );
        let rates = read_rates(&folder.join("backgrounds.csv"), Success::Targeted)?;
        let what = "spread of success rates within classes ÷ that of equally strong backgrounds";
        tails.extend(spread(&rates, &context.bootstrap).map(|i| (named(what), i)));
    }
    let looks = distinct(differences(context)?)
        .into_iter()
        .map(|(method, i)| (format!("{method}: mixed-rand-trained − original-trained"), i.scaled(100.0)))
        .collect();
    let counterfactual = |trained: &str| {
        let mut all = context.probes.counterfactual.iter();
        all.find(|(_, s)| s.source.dataset == main && s.source.trained_on == trained)
    };
    let mut relies = Vec::new();
    if let (Some((a, _)), Some((b, _))) = (counterfactual("original"), counterfactual("mixed-rand")) {
        let of = |folder: &Path| -> Result<BTreeMap<String, f64>> {
            Ok(read_effects(folder)?.into_iter().map(|e| (e.image, e.background_effect)).collect())
        };
        let (first, second) = (of(a)?, of(b)?);
        let label = "background effect: original-trained − mixed-rand-trained, paired by image";
        let apart = context.bootstrap.paired("counterfactual", &first, &second);
        relies.extend(apart.map(|i| (label.to_owned(), i.scaled(100.0))));
    }
    let claims = [
        MOST.judge("", most),
        LESS.judge("", less),
        TAIL.judge("", tails),
        LOOKS.judge("", looks),
        RELIES.judge("", relies),
    ];
    Ok(claims.into_iter().flatten().collect())
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

/// Standard deviation of the success rates around their class's, over that which chance alone gives equally strong
/// backgrounds, with a bootstrap interval over backgrounds.
fn spread(rates: &[Rate], bootstrap: &Bootstrap) -> Option<Interval> {
    let ratio = |counts: &[u32]| {
        let mut classes: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
        for (&c, r) in counts.iter().zip(rates) {
            let sum = classes.entry(&r.class).or_default();
            *sum = [sum[0] + f64::from(c) * r.won, sum[1] + f64::from(c) * r.tried];
        }
        let (mut seen, mut chance) = (0.0, 0.0);
        for (&c, r) in counts.iter().zip(rates) {
            let [won, tried] = classes[r.class.as_str()];
            let p = won / tried;
            seen += f64::from(c) * (r.won - r.tried * p).powi(2);
            chance += f64::from(c) * r.tried * p * (1.0 - p);
        }
        (seen / chance).sqrt()
    };
    let defined = !rates.is_empty() && ratio(&vec![1; rates.len()]).is_finite();
    defined.then(|| bootstrap.interval("spread", rates.len(), ratio))
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
    published: NOT_MEASURED,
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
    published: NOT_MEASURED,
    rule: Rule::Above(0.0),
    unit: "points",
    needs: "the counterfactual probe of an original-trained and a mixed-rand-trained network",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_measured_against_chance_within_each_class() {
        let rate = |class: &str, won| Rate { class: class.into(), won, tried: 4.0 };
        // Around ½: (2² + 2²) against 2 · 4 · ¼.
        let apart = [rate("a", 0.0), rate("a", 4.0)];
        assert_eq!(spread(&apart, &Bootstrap::default()).unwrap().value, 2.0);
        // Classes that differ are no spread within them.
        let alike = [rate("a", 1.0), rate("a", 1.0), rate("b", 3.0), rate("b", 3.0)];
        assert_eq!(spread(&alike, &Bootstrap::default()).unwrap().value, 0.0);
        assert!(spread(&[rate("a", 0.0)], &Bootstrap::default()).is_none());
    }
}
