//! The paper's qualitative claims, each judged by figures with intervals.
//!
//! A figure *supports* its claim when its whole interval obeys the claim's rule, *contradicts* it when its whole interval
//! breaks the rule, and is *inconclusive* otherwise. A claim with several figures is supported if all support it,
//! contradicted if one contradicts and none supports it, *mixed* if one contradicts and another supports it, and
//! inconclusive otherwise.

pub(crate) mod cells;
mod rule;

pub(crate) use rule::{Rule, Verdict};

use in9_analysis::stats::Interval;
use serde::Serialize;

/// A number that speaks for or against a claim.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) label: String,
    /// Its value, in percent, points or as it stands.
    pub(crate) value: Interval,
    /// Unit for printing: `%`, `points` or nothing.
    pub(crate) unit: &'static str,
    /// What it says.
    pub(crate) verdict: Verdict,
}

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
    /// Place in the paper.
    pub(crate) source: &'static str,
    /// What the paper found.
    pub(crate) published: &'static str,
    /// The evidence.
    pub(crate) figures: Vec<Figure>,
    /// The verdict over all figures.
    pub(crate) verdict: Verdict,
}

/// What a claim says, before it is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    pub(crate) id: &'static str,
    pub(crate) statement: &'static str,
    pub(crate) source: &'static str,
    pub(crate) published: &'static str,
    pub(crate) rule: Rule,
    pub(crate) unit: &'static str,
    /// Inputs without which there is nothing to judge.
    pub(crate) needs: &'static str,
}

impl Statement {
    /// Judges figures in the statement's unit; `None` if there are none to judge.
    pub(crate) fn judge(self, split: &str, figures: Vec<(String, Interval)>) -> Option<Claim> {
        let figures: Vec<Figure> = figures
            .into_iter()
            .filter(|(_, value)| value.value.is_finite())
            .map(|(label, value)| {
                let verdict = self.rule.judge(&value);
                Figure { label, value, unit: self.unit, verdict }
            })
            .collect();
        let verdict = Verdict::over(&figures.iter().map(|f| f.verdict).collect::<Vec<_>>())?;
        Some(Claim {
            id: self.id,
            split: split.into(),
            statement: self.statement,
            rule: self.rule.describe(self.unit),
            source: self.source,
            published: self.published,
            figures,
            verdict,
        })
    }
}

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
