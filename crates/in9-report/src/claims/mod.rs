//! The paper's qualitative claims, each judged by figures with intervals.
//!
//! A figure speaks for its claim when it rules out that the claim is false, and against it when it rules out that the claim
//! is true with an effect worth its name ([`rule`]). All claims of the page are judged together ([`settle`]).

pub(crate) mod cells;
mod figure;
mod rule;
mod settle;

pub(crate) use figure::{Figure, Measured};
pub(crate) use rule::{Rule, Tests, Verdict, Worth};
pub(crate) use settle::settle;

use serde::Serialize;

/// A claim with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Claim {
    /// Stable name.
    pub(crate) id: &'static str,
    /// Split of the main data set, or empty if the claim is about something else.
    pub(crate) split: String,
    /// The claim in one sentence.
    pub(crate) statement: &'static str,
    /// How its figures are judged.
    pub(crate) rule: String,
    /// Where the size of an effect worth the claim's name is from.
    pub(crate) margin: &'static str,
    /// Place in the paper.
    pub(crate) source: &'static str,
    /// What the paper found.
    pub(crate) published: &'static str,
    /// The evidence.
    pub(crate) figures: Vec<Figure>,
    /// Fewest trainings of any network that it rests on; with 1 the verdict is about that training.
    pub(crate) trainings: usize,
    /// p-value of the verdict, or where it is inconclusive of the verdict that is nearest.
    pub(crate) p: f64,
    /// The same by Holm's method, all claims of the page considered.
    pub(crate) p_holm: f64,
    /// The same by Benjamini and Yekutieli's false discovery rate.
    pub(crate) p_discovery: f64,
    /// Whether the effect is there, but smaller than worth the claim's name.
    pub(crate) small: bool,
    /// The verdict over all figures, all claims of the page considered.
    pub(crate) verdict: Verdict,
    /// The rule, for judging.
    #[serde(skip)]
    pub(crate) limit: Rule,
    /// What is worth the claim's name, for judging.
    #[serde(skip)]
    pub(crate) worth: Worth,
}

/// What a claim says, before it is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    pub(crate) id: &'static str,
    pub(crate) statement: &'static str,
    pub(crate) source: &'static str,
    pub(crate) published: &'static str,
    pub(crate) rule: Rule,
    /// How large an effect is worth the claim's name.
    pub(crate) worth: Worth,
    pub(crate) unit: &'static str,
    /// Inputs without which there is nothing to judge.
    pub(crate) needs: &'static str,
}

impl Statement {
    /// A claim over figures in the statement's unit, which [`settle`] judges; `None` if there are none.
    pub(crate) fn judge<M: Into<Measured>>(self, split: &str, figures: Vec<M>) -> Option<Claim> {
        let measured = figures.into_iter().map(Into::into).filter(|m: &Measured| m.value.value.is_finite());
        let figures: Vec<Figure> = measured.map(|m| Figure::new(m, self.unit)).collect();
        let trainings = figures.iter().map(|f| f.trainings).min()?;
        let (worth, margin) = match self.worth {
            Worth::Paper(worth, why) => (Some(worth), why),
            Worth::Shown => (
                None,
                "the paper gives no number: what this test would have shown with a probability of 80 %",
            ),
            Worth::Rule => (None, ""),
        };
        Some(Claim {
            id: self.id,
            split: split.into(),
            statement: self.statement,
            rule: self.rule.describe(self.unit, worth),
            margin,
            source: self.source,
            published: self.published,
            figures,
            trainings,
            p: 1.0,
            p_holm: 1.0,
            p_discovery: 1.0,
            small: false,
            verdict: Verdict::Inconclusive,
            limit: self.rule,
            worth: self.worth,
        })
    }
}

/// A BG-gap within so many points of zero, or of another, is near it: a quarter of the 20.2 points of the paper's
/// original-trained network.
pub(crate) const NEAR: f64 = 5.05;

/// What stands in the place of the paper's finding where the paper has none: such claims are this report's own.
pub(crate) const NOT_MEASURED: &str = "not measured in the paper";

/// The paper's claims by verdict, each counted once: on the first test set that speaks about it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Claims that were judged.
    pub judged: usize,
    /// Supported.
    pub supported: usize,
    /// Not supported.
    pub contradicted: usize,
    /// Supported by one measure and not by another.
    pub mixed: usize,
    /// Inconclusive.
    pub inconclusive: usize,
    /// Further claims that are this report's own, whatever their verdict.
    pub own: usize,
}

/// Counts claims.
pub(crate) fn tally(claims: &[Claim]) -> Tally {
    let mut tally = Tally::default();
    for (i, claim) in claims.iter().enumerate() {
        if claims[..i].iter().any(|c| c.id == claim.id) {
            continue;
        }
        if claim.published == NOT_MEASURED {
            tally.own += 1;
            continue;
        }
        tally.judged += 1;
        match claim.verdict {
            Verdict::Supported => tally.supported += 1,
            Verdict::Contradicted => tally.contradicted += 1,
            Verdict::Mixed => tally.mixed += 1,
            Verdict::Inconclusive => tally.inconclusive += 1,
        }
    }
    tally
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { judged, supported, contradicted, mixed, inconclusive, .. } = self;
        write!(
            f,
            "{supported} of {judged} supported, {contradicted} not supported, {mixed} mixed, {inconclusive} inconclusive"
        )
    }
}
