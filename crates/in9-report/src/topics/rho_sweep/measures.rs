//! The measures of reliance on the background that are set against ρ.

use crate::claims::Measured;
use crate::context::Context;
use in9_analysis::levels::{Estimate, Shown, Weighing, study};
use in9_analysis::probes::adversarial::Rule;
use in9_analysis::probes::saliency::Method;
use in9_analysis::stats::Interval;
use in9_data::View;

/// Training views whose networks are set against ρ.
pub(crate) const TRAINED: [&str; 2] = ["original", "mixed-rand"];

/// A measure of reliance on the background, in percent or points.
pub(crate) struct Measure {
    /// Name in tables and claims.
    pub(crate) name: &'static str,
    /// Title of the chart's vertical axis.
    pub(crate) axis: &'static str,
    /// What the chart shows and what it should look like.
    pub(crate) caption: &'static str,
    /// Whether a larger ρ should make it larger or smaller; `None` if it can do either.
    pub(crate) grows: Option<bool>,
    value: fn(&Context, &str, &str) -> Option<Measured>,
}

impl Measure {
    /// The measure of the network trained on `trained`, on the first test split of `dataset`.
    pub(crate) fn of(&self, context: &Context, dataset: &str, trained: &str) -> Option<Measured> {
        let found = (self.value)(context, dataset, trained)?;
        let value = found.value;
        // A share of nothing is not a number, and not a measure.
        let finite = [value.value, value.low, value.high].iter().all(|x| x.is_finite());
        finite.then(|| Measured { value: value.scaled(100.0), ..found })
    }

    /// (ρ, measure) of the networks trained on `trained`, by ascending ρ.
    pub(crate) fn points(&self, context: &Context, trained: &str) -> Vec<(f64, Measured)> {
        let value = |(rho, dataset)| Some((rho, self.of(context, dataset, trained)?));
        context.rho_sweep().into_iter().filter_map(value).collect()
    }
}

/// Every measure that has a value for each network and data set.
pub(crate) const MEASURES: [Measure; 8] = [
    Measure {
        name: "BG-gap",
        axis: "BG-gap (points)",
        caption: "BG-gap: accuracy on mixed-same minus accuracy on mixed-rand.",
        grows: Some(true),
        value: |c, d, t| {
            over_trainings(c, d, t, &[View::MixedSame, View::MixedRand].map(Shown::Right), |m| m[0] - m[1])
        },
    },
    Measure {
        name: "background required",
        axis: "background required (%)",
        caption: "Share of images whose background is required (BG Required and BG+FG Required).",
        grows: Some(true),
        value: |c, d, t| share(c, d, t, Shown::RightWrong(View::Original, View::MixedRand)),
    },
    Measure {
        name: "accuracy on only-bg-t",
        axis: "accuracy on only-bg-t (%)",
        caption: "Accuracy on backgrounds alone.",
        grows: Some(true),
        value: |c, d, t| share(c, d, t, Shown::Right(View::OnlyBgT)),
    },
    Measure {
        name: "fools, together",
        axis: "fools, together (%)",
        caption: "Share of images that are wrong only because of their background (BG Fools and BG+FG Fools together). \
                  With a larger ρ a photograph's own background misleads less often, so this may fall.",
        grows: None,
        value: |c, d, t| share(c, d, t, Shown::RightWrong(View::MixedRand, View::Original)),
    },
    Measure {
        name: "counterfactual reliance",
        axis: "reliance (%)",
        caption: "Counterfactual reliance: the background's share of the score that foreground and background contribute.",
        grows: Some(true),
        value: |c, d, t| {
            let mut all = c.probes.counterfactual.iter().map(|(_, s)| s);
            once(all.find(|s| s.source.dataset == d && s.source.trained_on == t)?.mean.reliance)
        },
    },
    Measure {
        name: "foregrounds vulnerable, targeted",
        axis: "vulnerable, targeted (%)",
        caption: "Share of the searched foregrounds that some background fools into its own class.",
        grows: Some(true),
        value: |c, d, t| {
            let mut all = c.probes.adversarial.iter().map(|(_, s)| s);
            let rules = &all.find(|s| s.dataset == d && s.trained_on == t)?.rules;
            once(rules.iter().find(|r| r.rule == Rule::Targeted)?.share)
        },
    },
    Measure {
        name: "Grad-CAM on the foreground",
        axis: "Grad-CAM on the object (points)",
        caption: "Share of the Grad-CAM map on the foreground, minus its share on the foregrounds of the other photographs. Lower means \
                  more reliance on the background.",
        grows: Some(false),
        value: |c, d, t| {
            let mut all = c.probes.saliency.iter().map(|(_, s)| s);
            let found = all.find(|s| s.source.dataset == d && s.source.trained_on == t)?;
            let found = found.methods.iter().find(|m| m.method == Method::GradCam)?;
            once(found.beyond.unwrap_or(found.lift))
        },
    },
    Measure {
        name: "accuracy on original",
        axis: "accuracy on original (%)",
        caption: "Accuracy on whole photographs, for comparison: no measure of reliance.",
        grows: Some(true),
        value: |c, d, t| share(c, d, t, Shown::Right(View::Original)),
    },
];

/// A measure of one training.
fn once(interval: Interval) -> Option<Measured> {
    Some(Measured::from((String::new(), interval)))
}

/// A figure over the trainings on `trained`, on the first test split of `dataset`.
fn over_trainings(
    context: &Context,
    dataset: &str,
    trained: &str,
    shown: &[Shown],
    statistic: fn(&[f64]) -> f64,
) -> Option<Measured> {
    let estimate = estimate(context, dataset, trained, shown, statistic)?;
    Some(Measured::of(String::new(), &estimate, context.bootstrap.level))
}

/// A share over the trainings, as a fraction.
fn share(context: &Context, dataset: &str, trained: &str, shown: Shown) -> Option<Measured> {
    let estimate = estimate(context, dataset, trained, &[shown], |m| m[0])?;
    let level = context.bootstrap.level;
    let value = estimate.share_interval(level);
    Some(Measured { value, ..Measured::of(String::new(), &estimate, level) })
}

fn estimate(
    context: &Context,
    dataset: &str,
    trained: &str,
    shown: &[Shown],
    statistic: fn(&[f64]) -> f64,
) -> Option<Estimate> {
    let sets = context.test_sets_of(dataset);
    let trainings = sets.first()?.trainings(trained)?;
    let wanted: Vec<_> = shown.iter().map(|shown| (&trainings, *shown)).collect();
    study(&wanted)?.estimate(Weighing::Plain, statistic)
}
