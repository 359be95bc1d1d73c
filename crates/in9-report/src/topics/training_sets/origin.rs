//! Claims about how networks came to be: pre-trained on all of ImageNet (Table 2), or trained against small
//! perturbations (Figure 12).

use crate::claims::{Claim, Rule, Statement};
use crate::context::{Context, TestSet};
use in9_analysis::ModelFrame;
use in9_analysis::metrics::compare;
use in9_analysis::stats::Interval;

/// Claims that one test set can speak about.
pub(crate) fn claims(context: &Context, set: &TestSet<'_>) -> Vec<Claim> {
    let tested = |model: &str| set.models.iter().map(|(m, _)| *m).find(|m| m.key.model == model);
    let apart = |a: &ModelFrame, b: &ModelFrame| -> Option<(String, Interval)> {
        // Without shared foregrounds there is nothing to pair.
        let gap = compare(a, b, &context.bootstrap).ok()?.gap?;
        Some((format!("BG-gap of {} − BG-gap of {}", a.key.model, b.key.model), gap.difference.scaled(100.0)))
    };
    let scratch = set.trained_on("original").map(|(m, _)| m);
    // The held-out part of the training photographs is likely to be among those that a published network learned.
    let unseen = set.split == "test";
    let pretrained = set.pretrained().filter(|_| unseen).filter_map(|(m, _)| apart(m, scratch?));
    let runs = || context.runs.iter().filter(|r| r.dataset == set.dataset);
    let hardened = runs().filter(|r| r.adversarial).filter_map(|robust| {
        let plain = runs().find(|plain| robust.is_adversarial_form_of(plain))?;
        apart(tested(&robust.model)?, tested(&plain.model)?)
    });
    [PRE_TRAINING.judge(set.split, pretrained.collect()), ROBUST.judge(set.split, hardened.collect())]
        .into_iter()
        .flatten()
        .collect()
}

/// Every statement, in the order in which it is judged.
pub(crate) const STATEMENTS: [Statement; 2] = [PRE_TRAINING, ROBUST];

const PRE_TRAINING: Statement = Statement {
    id: "pre-training-shrinks-gap",
    statement: "Networks pre-trained on all of ImageNet have smaller BG-gaps than those trained on nine classes.",
    source: "Table 2",
    published: "6 to 14 points against 13 to 22 (of like architectures; here architecture, input size and photographs \
                differ too)",
    rule: Rule::Below(0.0),
    unit: "points",
    needs: "a network trained on original, and a published ImageNet classifier tested beside it \
            (cargo xtask reproduce --model ARCH=WEIGHTS)",
};
const ROBUST: Statement = Statement {
    id: "robust-training-does-not-help",
    statement: "Training against small perturbations (L2, L∞) does not shrink the BG-gap.",
    source: "Figure 12",
    published: "said in words only",
    rule: Rule::Above(-5.0),
    unit: "points",
    needs: "an adversarial training and the same one without the attack",
};
