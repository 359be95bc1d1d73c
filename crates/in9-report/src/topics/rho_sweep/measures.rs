//! The measures of reliance on the background that are set against ρ.

use crate::context::Context;
use in9_analysis::metrics::ModelSummary;
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
    value: fn(&Context, &str, &str) -> Option<Interval>,
}

impl Measure {
    /// The measure of the network trained on `trained`, on the first test split of `dataset`.
    pub(crate) fn of(&self, context: &Context, dataset: &str, trained: &str) -> Option<Interval> {
        let value = (self.value)(context, dataset, trained)?;
        // A share of nothing is not a number, and not a measure.
        [value.value, value.low, value.high].iter().all(|x| x.is_finite()).then(|| value.scaled(100.0))
    }

    /// (ρ, measure) of the networks trained on `trained`, by ascending ρ.
    pub(crate) fn points(&self, context: &Context, trained: &str) -> Vec<(f64, Interval)> {
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
        value: |c, d, t| Some(summary(c, d, t)?.gap?.gap),
    },
    Measure {
        name: "background required",
        axis: "background required (%)",
        caption: "Share of images whose background is required (BG Required and BG+FG Required).",
        grows: Some(true),
        value: |c, d, t| Some(summary(c, d, t)?.categories.as_ref()?.required),
    },
    Measure {
        name: "accuracy on only-bg-t",
        axis: "accuracy on only-bg-t (%)",
        caption: "Accuracy on backgrounds alone.",
        grows: Some(true),
        value: |c, d, t| Some(summary(c, d, t)?.accuracy(View::OnlyBgT)?.accuracy),
    },
    Measure {
        name: "fools, together",
        axis: "fools, together (%)",
        caption: "Share of images that are wrong only because of their background (BG Fools and BG+FG Fools together). \
                  With a larger ρ a photograph's own background misleads less often, so this may fall.",
        grows: None,
        value: |c, d, t| Some(summary(c, d, t)?.categories.as_ref()?.fools),
    },
    Measure {
        name: "counterfactual reliance",
        axis: "reliance (%)",
        caption: "Counterfactual reliance: the background's share of the score that foreground and background contribute.",
        grows: Some(true),
        value: |c, d, t| {
            let mut all = c.probes.counterfactual.iter().map(|(_, s)| s);
            Some(all.find(|s| s.source.dataset == d && s.source.trained_on == t)?.mean.reliance)
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
            Some(rules.iter().find(|r| r.rule == Rule::Targeted)?.share)
        },
    },
    Measure {
        name: "Grad-CAM on the foreground",
        axis: "lift of Grad-CAM (points)",
        caption: "Share of the Grad-CAM map on the foreground, minus the foreground's share of the area. Lower means \
                  more reliance on the background.",
        grows: Some(false),
        value: |c, d, t| {
            let mut all = c.probes.saliency.iter().map(|(_, s)| s);
            let found = all.find(|s| s.source.dataset == d && s.source.trained_on == t)?;
            Some(found.methods.iter().find(|m| m.method == Method::GradCam)?.lift)
        },
    },
    Measure {
        name: "accuracy on original",
        axis: "accuracy on original (%)",
        caption: "Accuracy on whole photographs, for comparison: no measure of reliance.",
        grows: Some(true),
        value: |c, d, t| Some(summary(c, d, t)?.accuracy(View::Original)?.accuracy),
    },
];

fn summary<'a>(context: &'a Context, dataset: &'a str, trained: &str) -> Option<&'a ModelSummary> {
    Some(context.test_sets_of(dataset).first()?.trained_on(trained)?.1)
}
