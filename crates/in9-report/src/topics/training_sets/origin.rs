//! Claims about how networks came to be: pre-trained on all of ImageNet (Table 2), or trained against small
//! perturbations (Figure 12).

use crate::claims::{Claim, Measured, Rule, Statement, Worth};
use crate::context::{Context, Run, TestSet};
use in9_analysis::ModelFrame;
use in9_analysis::levels::{Shown, Trainings, Weighing, study};
use in9_data::View;

/// Claims that one test set can speak about.
pub(crate) fn claims(context: &Context, set: &TestSet<'_>) -> Vec<Claim> {
    let level = context.bootstrap.level;
    let apart = |a: &Trainings<'_>, b: &Trainings<'_>| -> Option<Measured> {
        let (same, rand) = (Shown::Right(View::MixedSame), Shown::Right(View::MixedRand));
        let gaps = study(&[(a, same), (a, rand), (b, same), (b, rand)])?;
        let estimate = gaps.estimate(Weighing::Plain, |m| (m[0] - m[1]) - (m[2] - m[3]))?;
        let label = format!("BG-gap of {} − BG-gap of {}", names(a), names(b));
        Some(Measured::of(label, &estimate.scaled(100.0), level).resting_on(context.rows(&[a, b])))
    };
    let scratch = set.trainings("original");
    // The held-out part of the training photographs is likely to be among those that a published network learned.
    let unseen = set.split == "test";
    let published: Vec<_> = set.pretrained().filter(|_| unseen).map(|(m, _)| Trainings(vec![m])).collect();
    let pretrained = published.iter().filter_map(|p| apart(p, scratch.as_ref()?)).collect();
    let reads = published.iter().filter_map(|p| {
        let (scratch, view) = (scratch.as_ref()?, Shown::Right(View::OnlyBgT));
        let estimate = study(&[(p, view), (scratch, view)])?.estimate(Weighing::Plain, |m| m[0] - m[1])?;
        let label = format!("only-bg-t: {} − {}", names(p), names(scratch));
        Some(Measured::of(label, &estimate.scaled(100.0), level).resting_on(context.rows(&[p, scratch])))
    });
    let reads = reads.collect();
    // Networks trained on the photographs as they are of a larger data set, as IN-9L is.
    let larger: Vec<Trainings<'_>> = larger(context, set);
    let less = larger.iter().filter_map(|l| apart(l, scratch.as_ref()?)).collect();
    let better = larger.iter().filter_map(|l| {
        let (scratch, view) = (scratch.as_ref()?, Shown::Right(View::Original));
        let estimate = study(&[(l, view), (scratch, view)])?.estimate(Weighing::Plain, |m| m[0] - m[1])?;
        let label = format!("original: {} − {}", names(l), names(scratch));
        Some(Measured::of(label, &estimate.scaled(100.0), level).resting_on(context.rows(&[l, scratch])))
    });
    let better = better.collect();
    let runs = || context.runs.iter().filter(|r| r.dataset == set.dataset);
    let hardened = runs().filter(|r| r.adversarial).filter_map(|robust| {
        let plain = runs().find(|plain| robust.is_adversarial_form_of(plain))?;
        let one = |run: &Run| Some(Trainings(vec![set.of_run(run)?.0]));
        apart(&one(robust)?, &one(plain)?)
    });
    let judged = [
        PRE_TRAINING.judge(set.split, pretrained),
        PRE_TRAINING_READS.judge(set.split, reads),
        LARGER_GAP.judge(set.split, less),
        LARGER_BETTER.judge(set.split, better),
        ROBUST.judge(set.split, hardened.collect::<Vec<_>>()),
    ];
    judged.into_iter().flatten().collect()
}

/// The repeats of each training on the photographs as they are of another data set with more of them.
fn larger<'a>(context: &Context, set: &TestSet<'a>) -> Vec<Trainings<'a>> {
    let samples = |m: &ModelFrame| context.run_of(&m.key).map(|run| run.samples);
    let own = set.trained_on("original").and_then(|(m, _)| samples(m));
    let mut found: Vec<Trainings<'a>> = Vec::new();
    for (m, _) in &set.models {
        let elsewhere = !m.key.training.dataset.is_empty() && m.key.training.dataset != m.key.dataset;
        let more = samples(m).zip(own).is_some_and(|(theirs, own)| theirs > own);
        if m.key.trained_on != View::Original.name() || !elsewhere || !more {
            continue;
        }
        match found.iter_mut().find(|t| context.are_repeats(&t.0[0].key, &m.key)) {
            Some(trainings) => trainings.0.push(m),
            None => found.push(Trainings(vec![m])),
        }
    }
    found
}

/// A network's name, or of several repeats the first's with how many there are.
fn names(trainings: &Trainings<'_>) -> String {
    match &trainings.0[..] {
        [one] => one.key.model.clone(),
        all => format!("{} and {} repeats", all[0].key.model, all.len() - 1),
    }
}

/// Every statement, in the order in which it is judged.
pub(crate) const STATEMENTS: [Statement; 5] =
    [PRE_TRAINING, PRE_TRAINING_READS, LARGER_GAP, LARGER_BETTER, ROBUST];

const PRE_TRAINING: Statement = Statement {
    id: "pre-training-shrinks-gap",
    statement: "Networks pre-trained on all of ImageNet have smaller BG-gaps than those trained on nine classes.",
    source: "Table 2",
    published: "6 to 14 points against 13 to 22 (of like architectures; here architecture, input size and photographs \
                differ too)",
    rule: Rule::Below(0.0),
    worth: Worth::Paper(3.1, "half of the 6.2 points between the means of the paper's two groups"),
    unit: "points",
    needs: "a network trained on original, and a published ImageNet classifier tested beside it \
            (cargo xtask reproduce --model ARCH=WEIGHTS)",
};
const PRE_TRAINING_READS: Statement = Statement {
    id: "pre-training-reads-backgrounds-less",
    statement: "Networks pre-trained on all of ImageNet read the class from backgrounds alone less than those trained on nine classes.",
    source: "Table 2",
    published: "11.9 to 20.7 % on only-bg-t against 41.5 to 45.7 %",
    rule: Rule::Below(0.0),
    worth: Worth::Paper(10.4, "half of the 20.8 points between the paper's nearest two"),
    unit: "points",
    needs: "a network trained on original, and a published ImageNet classifier tested beside it \
            (cargo xtask reproduce --model ARCH=WEIGHTS)",
};
const LARGER_GAP: Statement = Statement {
    id: "larger-set-shrinks-gap",
    statement: "Training on the larger IN-9L shrinks the BG-gap against training on IN-9.",
    source: "Tables 2 and 5",
    published: "14.3 points against 20.2",
    rule: Rule::Below(0.0),
    worth: Worth::Paper(3.0, "half of what the paper found"),
    unit: "points",
    needs: LARGER,
};
const LARGER_BETTER: Statement = Statement {
    id: "larger-set-raises-accuracy",
    statement: "Training on the larger IN-9L raises accuracy on photographs as they are.",
    source: "Tables 2 and 5",
    published: "96.3 % against 86.0",
    rule: Rule::Above(0.0),
    worth: Worth::Paper(5.2, "half of what the paper found"),
    unit: "points",
    needs: LARGER,
};
const LARGER: &str = "networks trained on original of the data set and of one with more photographs";
const ROBUST: Statement = Statement {
    id: "robust-training-does-not-help",
    statement: "Training against small perturbations (L2, L∞) does not shrink the BG-gap.",
    source: "Figure 12",
    published: "said in words only",
    rule: Rule::Above(-5.0),
    worth: Worth::Paper(
        5.0,
        "a quarter of the paper's BG-gap of 20.2; contradicted by any shrinking that is shown",
    ),
    unit: "points",
    needs: "an adversarial training and the same one without the attack",
};
